"""Networks that other programs trained: from their files to layers, scales and names.

Nothing of a file is executed. Anything but a plain multilayer perceptron is refused, with the name
of the part that is not supported.
"""
