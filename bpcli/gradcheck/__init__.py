"""Gradient check: analytic derivatives compared with numerical ones, case by case.

`derivatives` and `comparison` know only functions and numbers; `probe` says where and how exactly a
network can be checked; `tensors`, `hessian` and `objective` check; `hints` says what a failure
means; `corruptions` and `self_test` show that the check can fail; `cases` and `catalogue` cover all
that a config can ask for; `report` and `tables` are what a command shows.
"""
