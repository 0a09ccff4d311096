"""Derivatives on trial: analytic ones against two numerical ones, case by case."""
