"""Bayesian regularization: Levenberg-Marquardt with weight decay that finds its own strength.

With E_D = Σ r² over the N residuals and E_W = Σ w² over all P trained parameters, it lowers

    F = β E_D + α E_W

and estimates, before every step, how many parameters the data determine, and from that α and β:

    γ = P - 2α tr(∇²F)⁻¹ = Σ_i β λ_i / (β λ_i + α),     α = γ / (2 E_W),     β = (N - γ) / (2 E_D)

with ∇²F ≈ 2β JᵀJ + 2α I and λ_i the eigenvalues of JᵀJ. MacKay 1992, Neural
Computation 4, 415 and 448; Foresee & Hagan 1997, Proc. ICNN, 1930, whose algorithm this is but for
its start: as in MATLAB's trainbr, α and β are first estimated with γ = P, where theirs makes a
first step with α = 0, β = 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import (
    POSITIVE,
    Bounds,
    Evaluation,
    GaussNewton,
    Objective,
    Point,
    State,
    StepFailed,
)
from bpcli.optimizers.levenberg_marquardt import LevenbergMarquardt, Quadratic

_NONE = 1e-3
"""Where γ ends below this, the weights have decayed to nothing."""


@dataclass(frozen=True)
class BayesianRegularization(LevenbergMarquardt):
    """For regression on few, noisy rows, which then need no validation set.

    Biases decay as weights do. An estimate of α or β that is not positive and finite (no residual
    left, or no more residuals than parameters) is not one: what there was before stays.
    """

    formulas = ("(β Jᵀ J + α I + μ I) d = -(β Jᵀ r + α params)", "params ← params + d")
    notation = (
        "J is the Jacobian of the residuals r; α and β are estimated before the step, the "
        "damping μ grows until what is minimised falls."
    )

    finds_l2: ClassVar[bool] = True

    def init(self, params: Vector) -> State:
        start = {"effective_params": float(len(params)), "alpha": 0.0, "beta": 1.0}
        return {**_arrays(start), **super().init(params)}

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {**super().bounds, "alpha": (0, POSITIVE[1]), "beta": POSITIVE}

    def step(
        self, objective: Objective, here: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        params = here.params
        at = objective.gauss_newton(params, here.evaluation)
        trained = np.ones_like(params)
        trained[objective.network.frozen] = 0
        found = _estimate(at, objective, params * trained, state)
        alpha, beta = found["alpha"], found["beta"] / at.scale  # F/2 has the loss times this beta

        def half_of_F(loss: Evaluation | GaussNewton, at: Vector) -> float:  # noqa: N802
            return beta * loss.value + 0.5 * alpha * _squares(at * trained)

        H = beta * at.hessian
        H.reshape(-1)[:: len(params) + 1] += alpha * trained
        grad = beta * at.grad + alpha * (params * trained)
        model = Quadratic(half_of_F(at, params), grad, H, 1.0)
        try:
            end, damping = self.descend(objective, half_of_F, model, params, state)
        except StepFailed:
            _refuse_no_parameters(found["effective_params"])
            raise
        return end, {**_arrays(found), **damping}

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        return {name: value.item() for name, value in state.items()}


def _estimate(
    at: GaussNewton, objective: Objective, weights: Vector, state: State
) -> dict[str, float]:
    """γ, α and β at the parameters; `weights` are the parameters, 0 for the frozen ones."""
    alpha, beta = state["alpha"].item(), state["beta"].item()
    n_params = len(weights) - len(objective.network.frozen)
    n_residuals = objective.n_rows * objective.network.outputs
    effective = state["effective_params"].item()
    if not alpha:
        effective = n_params
    elif np.isfinite(at.hessian).all():
        curvature = beta / at.scale * np.maximum(np.linalg.eigvalsh(at.hessian), 0)
        effective = float((curvature / (curvature + alpha)).sum())
    sum_of_squares = 2 * at.value / at.scale
    return {
        "effective_params": effective,
        "alpha": _ratio(effective, 2 * _squares(weights), alpha),
        "beta": _ratio(n_residuals - effective, 2 * sum_of_squares, beta),
    }


def _refuse_no_parameters(effective: float) -> None:
    """Raise `StepFailed` where all has decayed: that is a minimum of F, and fits nothing."""
    if effective < _NONE:
        raise StepFailed(
            "no_effective_params",
            "The data determine none of the parameters, which have decayed to zero: try another "
            "`seed`, fewer hidden units, more rows, or `levenberg_marquardt`.",
        )


def _ratio(numerator: float, denominator: float, otherwise: float) -> float:
    """The ratio where it is positive and finite."""
    ratio = numerator / denominator if denominator > 0 else math.inf
    return ratio if 0 < ratio < math.inf else otherwise


def _squares(vector: Vector) -> float:
    """Σ v²."""
    return float(vector.dot(vector))


def _arrays(numbers: dict[str, float]) -> dict[str, Array]:
    return {name: np.asarray(number) for name, number in numbers.items()}
