"""Networks that other programs trained: from their files to layers, scales and names.

Nothing of a file is executed. What is not a plain multilayer perceptron is refused by its name.
"""
