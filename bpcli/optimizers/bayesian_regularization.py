"""Bayesian regularization: Levenberg-Marquardt that estimates the strength of weight decay.

With E_D = Σ r² over the N residuals and E_W = Σ w² over all P trained parameters, it lowers

    F = β E_D + α E_W

Before every step it estimates γ, the number of parameters that the data determine, then α and β:

    γ = P - 2α tr(∇²F)⁻¹ = Σ_i β λ_i / (β λ_i + α),     α = γ / (2 E_W),     β = (N - γ) / (2 E_D)

with ∇²F ≈ 2β JᵀJ + 2α I and λ_i the eigenvalues of JᵀJ. MacKay 1992, Neural
Computation 4, 415 and 448. This is the algorithm of Foresee & Hagan 1997, Proc. ICNN, 1930, except
for the first step: theirs has α = 0, β = 1; here, as in MATLAB's trainbr, α and β are first
estimated with γ = P.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import (
    POSITIVE,
    Bounds,
    Evaluation,
    GaussNewton,
    Losses,
    Objective,
    Point,
    State,
    StepFailed,
    dot,
)
from bpcli.optimizers.damping import Damped
from bpcli.optimizers.quadratic import Dense

_FEWEST_EFFECTIVE_PARAMS = 1e-3
"""If γ ends below this, the weights have decayed to zero."""


@dataclass(frozen=True)
class BayesianRegularization(Damped):
    """Levenberg-Marquardt that chooses the weight decay, for regression on few, noisy rows.

    It needs no validation set.

    Biases decay like weights. If an estimate of α or β is not positive and finite (all residuals
    are 0, or there are no more residuals than parameters), the previous value is kept.
    """

    formulas = ("(β Jᵀ J + α I + μ I) d = -(β Jᵀ r + α params)", "params ← params + d")
    notation = (
        "J is the Jacobian of the residuals r; α and β are estimated before the step; the "
        "damping μ grows until β Σ r² + α Σ params² falls."
    )

    finds_l2: ClassVar[bool] = True

    # Not relative to JᵀJ, as α and β change it: with a tenth of its largest diagonal entry, one of
    # three trainings in tests/optimizers/ ends in a worse minimum.
    damping: Annotated[float, Gt(0), doc("The initial damping μ.")] = 1e-3

    def init(self, params: Vector) -> State:
        estimate = {"effective_params": float(len(params)), "alpha": 0.0, "beta": 1.0}
        return {**_arrays(estimate), **super().init(params)}

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {**super().bounds, "alpha": (0, POSITIVE[1]), "beta": POSITIVE}

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        params, losses = point.params, point.losses(objective)
        at = objective.gauss_newton(params)
        trained = np.ones_like(params)
        trained[objective.network.frozen] = 0
        estimate = _estimate(losses.value, at, objective, params * trained, state)
        alpha = estimate["alpha"]
        beta = estimate["beta"] / at.scale  # F/2 has the loss times this beta

        def half_of_F(losses: Losses | Evaluation, at: Vector) -> float:  # noqa: N802
            return beta * losses.value + 0.5 * alpha * _squares(at * trained)

        H = at.hessian
        H *= beta
        np.einsum("pp->p", H)[...] += alpha * trained
        grad = beta * at.grad + alpha * (params * trained)
        model = Dense(half_of_F(losses, params), grad, H, 1.0)
        try:
            end, damping = self.descend(objective, half_of_F, model, params, state)
        except StepFailed:
            _refuse_no_parameters(estimate["effective_params"])
            raise
        return end, {**_arrays(estimate), **damping}

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        return {name: value.item() for name, value in state.items()}


def _estimate(
    loss: float, at: GaussNewton, objective: Objective, weights: Vector, state: State
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
    sum_of_squares = 2 * loss / at.scale
    return {
        "effective_params": effective,
        "alpha": _ratio(effective, 2 * _squares(weights), alpha),
        "beta": _ratio(n_residuals - effective, 2 * sum_of_squares, beta),
    }


def _refuse_no_parameters(effective: float) -> None:
    """Raise `StepFailed` if all weights have decayed to 0: a minimum of F that fits no data."""
    if effective < _FEWEST_EFFECTIVE_PARAMS:
        raise StepFailed(
            "no_effective_params",
            "All parameters have decayed to zero, since the data determine none of them: try "
            "another `seed`, fewer hidden units, more rows, or `levenberg_marquardt`.",
        )


def _ratio(numerator: float, denominator: float, otherwise: float) -> float:
    """The ratio if it is positive and finite, else `otherwise`."""
    ratio = numerator / denominator if denominator > 0 else math.inf
    return ratio if 0 < ratio < math.inf else otherwise


def _squares(vector: Vector) -> float:
    """Σ v²."""
    return dot(vector, vector)


def _arrays(numbers: dict[str, float]) -> dict[str, Array]:
    return {name: np.asarray(number) for name, number in numbers.items()}
