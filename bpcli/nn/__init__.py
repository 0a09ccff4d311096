"""The mathematics: activations, losses, initialisation, forward and backward pass.

Pure numpy. Nothing here reads a file, prints, or knows of configs, runs or optimizers.
"""
