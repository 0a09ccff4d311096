"""The mathematics: activations, losses, initial parameters, forward and backward.

Pure numpy. Nothing here reads a file, prints, or knows of configs, runs or optimizers.
"""
