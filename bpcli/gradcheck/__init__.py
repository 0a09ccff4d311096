"""Gradient check: analytic derivatives compared with numerical ones, case by case.

`derivatives` and `comparison` know only functions and numbers; `probe` chooses the entries, the
steps and the allowed rounding; `tensors`, `hessian` and `objective` check; `hints` explains
failures; `corruptions` and `self_test` show that the check can fail; `cases` and `catalogue` cover
all that a config can contain; `report` and `tables` hold the output of a command.
"""
