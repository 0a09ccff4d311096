"""Many trainings of one config: sweeps, restarts and searches for the number of hidden units."""
