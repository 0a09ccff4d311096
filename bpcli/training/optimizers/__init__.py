"""Optimizers: one a file, all with the same verbs.

An optimizer is a frozen dataclass of hyperparameters. `init(params)` gives its state, a flat
mapping of arrays (a checkpoint by construction); `step` makes one update on the
objective it is given and returns new parameters and state, changing neither of the old.
"""

from __future__ import annotations

from bpcli.training.optimizers.base import Optimizer, State
from bpcli.training.optimizers.gradient_descent import GradientDescent

__all__ = ["OPTIMIZERS", "OPTIMIZER_ALIASES", "GradientDescent", "Optimizer", "State"]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "gradient_descent": GradientDescent,
}

OPTIMIZER_ALIASES: dict[str, str] = {
    "sgd": "gradient_descent",
    "traingd": "gradient_descent",
}
