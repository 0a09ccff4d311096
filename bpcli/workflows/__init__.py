"""What a user does with a run, from start to end: train, evaluate, predict, prove the gradient.

Nothing here prints: commands and views read what these functions return.
"""
