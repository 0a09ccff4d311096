"""Intervals of values and sets of classes for single predictions, with their coverage."""
