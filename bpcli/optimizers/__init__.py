"""Optimizers: one per file, all with the same methods.

An optimizer is a frozen dataclass of hyperparameters. `init(params)` returns its state, a flat
mapping of arrays that a checkpoint can store; `step` makes one update on the objective it is given,
and returns a new point and a new state. It leaves the old ones unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping

from bpcli.optimizers.base import Bounds, Optimizer, State, StepFailed
from bpcli.optimizers.gradient_descent import GradientDescent
from bpcli.registry import LazyRegistry

__all__ = [
    "OPTIMIZERS",
    "OPTIMIZER_ALIASES",
    "Bounds",
    "GradientDescent",
    "Optimizer",
    "State",
    "StepFailed",
]

OPTIMIZERS: LazyRegistry[Optimizer] = LazyRegistry(
    __name__,
    {
        "gradient_descent": ".gradient_descent:GradientDescent",
        "adaptive_gradient_descent": ".adaptive_gradient_descent:AdaptiveGradientDescent",
        "rprop": ".rprop:Rprop",
        "adam": ".adam:Adam",
        "levenberg_marquardt": ".levenberg_marquardt:LevenbergMarquardt",
        "bayesian_regularization": ".bayesian_regularization:BayesianRegularization",
        "conjugate_gradient": ".conjugate_gradient:ConjugateGradient",
        "scaled_conjugate_gradient": ".scaled_conjugate_gradient:ScaledConjugateGradient",
        "bfgs": ".bfgs:Bfgs",
        "lbfgs": ".lbfgs:Lbfgs",
    },
)

OPTIMIZER_ALIASES: dict[str, Mapping[str, object]] = {
    "sgd": {"name": "gradient_descent"},
    "traingd": {"name": "gradient_descent"},
    "traingdm": {"name": "gradient_descent", "momentum": 0.9},
    "gda": {"name": "adaptive_gradient_descent", "momentum": 0},
    "traingda": {"name": "adaptive_gradient_descent", "momentum": 0},
    "gdx": {"name": "adaptive_gradient_descent", "momentum": 0.9},
    "traingdx": {"name": "adaptive_gradient_descent", "momentum": 0.9},
    "trainrp": {"name": "rprop", "variant": "rprop_minus"},
    "trainlm": {"name": "levenberg_marquardt", "damping_rule": "marquardt"},
    "lm": {"name": "levenberg_marquardt"},
    "trainbr": {"name": "bayesian_regularization", "damping_rule": "marquardt"},
    "cg": {"name": "conjugate_gradient"},
    "traincgf": {"name": "conjugate_gradient", "variant": "fletcher_reeves"},
    "traincgp": {"name": "conjugate_gradient", "variant": "polak_ribiere"},
    "traincgb": {"name": "conjugate_gradient", "variant": "powell_beale"},
    "scg": {"name": "scaled_conjugate_gradient"},
    "trainscg": {"name": "scaled_conjugate_gradient"},
    "trainbfg": {"name": "bfgs"},
}
"""Names from other tools: the optimizer that each one means, with the option it implies."""
