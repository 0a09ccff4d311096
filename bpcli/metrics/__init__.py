"""Reported numbers: metrics, their intervals, and requirements that a script sets on them."""
