"""Workers that share the rows of a training."""
