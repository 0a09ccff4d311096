"""Gradient check: analytic derivatives compared with numerical ones, case by case.

`derivatives` and `comparison` use only functions and numbers; `probe` chooses the entries and the
steps, and bounds the rounding errors; `tensors`, `hessian` and `objective` check; `hints` explains
failures; `corruptions` and `self_test` show that the check can fail; `cases` and `catalogue` cover
every activation and loss of a config; `report` and `tables` make the output of the command.
"""
