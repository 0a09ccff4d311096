"""Training: the objective, the optimizers that lower it, when to stop, and the loop of epochs."""
