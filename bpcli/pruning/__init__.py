"""Fewer inputs and units: which of them a network misses least, and which network to keep."""
