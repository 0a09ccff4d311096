"""Training: the objective, mini-batches, the loop of epochs, and the stop rules."""
