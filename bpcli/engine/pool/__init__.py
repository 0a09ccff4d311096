"""Workers that share the work of a training."""
