"""Sweeps: many trainings of one config with other values of some keys."""
