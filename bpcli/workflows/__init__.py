"""What a user does with a run, from start to end: train, evaluate, predict, plot, verify.

Nothing here prints: commands and views show what these functions return.
"""
