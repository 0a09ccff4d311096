"""Scaled conjugate gradients: a step length from second-order information, without a line search.

Møller 1993, A scaled conjugate gradient algorithm for fast supervised learning, Neural Networks 6,
525; the numbers in comments are those of the paper's steps. With E the objective, w the parameters,
r = -E'(w), a direction p and the damping λ:

    s = (E'(w + σ/‖p‖ p) - E'(w)) / (σ/‖p‖)        about E''(w) p
    δ = pᵀs + λ ‖p‖²                               damped curvature
    α = pᵀr / δ                                    step length
    Δ = 2 δ (E(w) - E(w + α p)) / (pᵀr)²           how well the quadratic model foretold E
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, Lt, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import (
    COUNT,
    POSITIVE,
    Bounds,
    Evaluation,
    Objective,
    Optimizer,
    Point,
    State,
    StepFailed,
    dot,
    norm,
    square_of_gradient,
)

_LEAST_DAMPING = 1e-15
"""λ falls no further, so that δ stays positive where there is no curvature."""

_COMPARISON_OF_NO_NUMBER = -99.0
"""Δ where E(w + α p) is not finite: the next step is at most a hundredth as long."""


@dataclass(frozen=True)
class ScaledConjugateGradient(Optimizer):
    """Conjugate gradients whose step lengths come from a second gradient, not from a line search.

    One step is one round of the algorithm: it moves the parameters, or raises the damping.

    The state has p, the curvature pᵀs, λ, whether the last round moved the parameters (the paper's
    success), and how many have (its k). As the curvature is kept without damping, δ is always the
    formula above, and the paper's λ̄, the part of λ that its δ holds already, is not needed.
    """

    formulas = (
        "d = -∂objective/∂params + β d",
        "params ← params - d dᵀ ∂objective/∂params / (dᵀ H d + λ dᵀ d)",
    )
    notation = (
        "The first direction is -∂objective/∂params; dᵀ H d is the curvature along it, by a "
        "difference of gradients, and λ the damping."
    )

    full_batch_because: ClassVar[str | None] = (
        "its steps compare losses and gradients over the same rows"
    )

    sigma: Annotated[float, Gt(0), Lt(1), doc("How far the second gradient lies.")] = 5e-5
    damping: Annotated[float, Gt(0), Lt(1), doc("The first damping.")] = 5e-7

    def init(self, params: Vector) -> State:
        return {
            "p": np.zeros_like(params),
            "curvature": np.asarray(0.0),
            "damping": np.asarray(self.damping),
            "has_moved": np.asarray(True),
            "moves": np.asarray(0),
        }

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {"damping": POSITIVE, "moves": COUNT}

    def step(
        self, objective: Objective, here: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        params, start = here.params, here.evaluate(objective)
        square_of_gradient(start.grad)
        p = state["p"] if state["moves"] else -start.grad  # 1
        curvature, square = float(state["curvature"]), dot(p, p)
        if state["has_moved"]:
            curvature = self._curvature(objective, params, start.grad, p)  # 2
        damping, delta = _positive(curvature, float(state["damping"]), square)  # 3, 4
        mu = -dot(p, start.grad)
        end = params + (mu / delta) * p  # 5
        if (end == params).all():
            raise StepFailed(
                "max_damping",
                f"Damped by {damping:.1e}, a step changes no parameter: to within rounding this is "
                "a minimum, or the objective has a kink here.",
            )
        there = objective.value_and_grad(end)
        comparison = _comparison(start, there, mu, delta)  # 6
        state = {
            **state,
            "p": p,
            "curvature": np.asarray(curvature),
            "damping": np.asarray(_adapted(damping, comparison, delta / square)),  # 7, 8
            "has_moved": np.asarray(comparison >= 0),
        }
        if not comparison >= 0:
            return Point(params, start), state
        moves = int(state["moves"]) + 1
        p = -there.grad if moves % p.size == 0 else _conjugate(p, start.grad, there.grad, mu)
        return Point(end, there), {**state, "p": p, "moves": np.asarray(moves)}

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        return {"damping": float(state["damping"])}

    def _curvature(self, objective: Objective, params: Vector, grad: Vector, p: Vector) -> float:
        """pᵀs, from a difference over a way of σ; 0, so that damping alone rules, if not finite.

        σ is at least the square root of the rounding, where a difference keeps half its digits.
        """
        sigma = max(self.sigma, math.sqrt(np.finfo(params.dtype).eps)) / norm(p)
        curvature = dot(p, objective.grad(params + sigma * p) - grad) / sigma
        return curvature if math.isfinite(curvature) else 0.0


def _positive(curvature: float, damping: float, square: float) -> tuple[float, float]:
    """λ and δ = pᵀs + λ ‖p‖² > 0; where that is not, the λ with which δ is -pᵀs."""
    delta = curvature + damping * square
    if delta > 0:
        return damping, delta
    return 2 * (damping - delta / square), damping * square - delta


def _comparison(start: Evaluation, end: Evaluation, mu: float, delta: float) -> float:
    if not (math.isfinite(end.value) and math.isfinite(dot(end.grad, end.grad))):
        return _COMPARISON_OF_NO_NUMBER
    return 2 * delta * (start.value - end.value) / mu / mu


def _adapted(damping: float, comparison: float, delta: float) -> float:
    """The next λ: less where the model foretold E well, more where it did not (δ by ‖p‖²)."""
    if comparison >= 0.75:
        return max(damping / 4, _LEAST_DAMPING)
    if comparison < 0.25:
        return damping + delta * (1 - comparison)
    return damping


def _conjugate(p: Vector, grad: Vector, new_grad: Vector, mu: float) -> Vector:
    """The next direction; steepest descent where that does not lead down."""
    beta = (dot(new_grad, new_grad) - dot(new_grad, grad)) / mu
    direction = beta * p - new_grad
    return direction if dot(direction, new_grad) < 0 else -new_grad
