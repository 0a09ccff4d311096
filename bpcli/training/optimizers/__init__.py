"""Optimizers: one a file, all with the same verbs.

An optimizer is a frozen dataclass of hyperparameters. `init(params)` gives its state, a flat
mapping of arrays (a checkpoint by construction); `step` makes one update on the
objective it is given and returns new parameters and state, changing neither of the old.
"""

from __future__ import annotations

from collections.abc import Mapping

from bpcli.training.optimizers.adam import Adam
from bpcli.training.optimizers.adaptive_gradient_descent import AdaptiveGradientDescent
from bpcli.training.optimizers.base import NoStep, Optimizer, State
from bpcli.training.optimizers.bayesian_regularization import BayesianRegularization
from bpcli.training.optimizers.bfgs import Bfgs
from bpcli.training.optimizers.conjugate_gradient import ConjugateGradient
from bpcli.training.optimizers.gradient_descent import GradientDescent
from bpcli.training.optimizers.lbfgs import Lbfgs
from bpcli.training.optimizers.levenberg_marquardt import LevenbergMarquardt
from bpcli.training.optimizers.rprop import Rprop
from bpcli.training.optimizers.scaled_conjugate_gradient import ScaledConjugateGradient

__all__ = [
    "OPTIMIZERS",
    "OPTIMIZER_ALIASES",
    "Bfgs",
    "ConjugateGradient",
    "GradientDescent",
    "Lbfgs",
    "NoStep",
    "Optimizer",
    "ScaledConjugateGradient",
    "State",
]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "gradient_descent": GradientDescent,
    "adaptive_gradient_descent": AdaptiveGradientDescent,
    "rprop": Rprop,
    "adam": Adam,
    "levenberg_marquardt": LevenbergMarquardt,
    "bayesian_regularization": BayesianRegularization,
    "conjugate_gradient": ConjugateGradient,
    "scaled_conjugate_gradient": ScaledConjugateGradient,
    "bfgs": Bfgs,
    "lbfgs": Lbfgs,
}

OPTIMIZER_ALIASES: dict[str, Mapping[str, object]] = {
    "sgd": {"name": "gradient_descent"},
    "traingd": {"name": "gradient_descent"},
    "traingdm": {"name": "gradient_descent", "momentum": 0.9},
    "gda": {"name": "adaptive_gradient_descent"},
    "traingda": {"name": "adaptive_gradient_descent"},
    "gdx": {"name": "adaptive_gradient_descent", "momentum": 0.9},
    "traingdx": {"name": "adaptive_gradient_descent", "momentum": 0.9},
    "trainrp": {"name": "rprop", "variant": "rprop_minus"},
    "trainlm": {"name": "levenberg_marquardt"},
    "lm": {"name": "levenberg_marquardt"},
    "trainbr": {"name": "bayesian_regularization"},
    "cg": {"name": "conjugate_gradient"},
    "traincgf": {"name": "conjugate_gradient", "variant": "fletcher_reeves"},
    "traincgp": {"name": "conjugate_gradient", "variant": "polak_ribiere"},
    "traincgb": {"name": "conjugate_gradient", "variant": "powell_beale"},
    "scg": {"name": "scaled_conjugate_gradient"},
    "trainscg": {"name": "scaled_conjugate_gradient"},
    "trainbfg": {"name": "bfgs"},
}
"""Other tools' names: what each is called here, with the option that its name implies."""
