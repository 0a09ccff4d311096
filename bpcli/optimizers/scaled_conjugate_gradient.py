"""Scaled conjugate gradients: a step length from second-order information, without a line search.

Møller 1993, A scaled conjugate gradient algorithm for fast supervised learning, Neural Networks 6,
525. Numbers in comments are the steps of the paper. With E the objective, w the parameters,
r = -E'(w), a direction p and the damping λ:

    s = (E'(w + σ/‖p‖ p) - E'(w)) / (σ/‖p‖)        approximates E''(w) p
    δ = pᵀs + λ ‖p‖²                               damped curvature
    α = pᵀr / δ                                    step length
    Δ = 2 δ (E(w) - E(w + α p)) / (pᵀr)²           how well the quadratic model predicted E
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
"""The lower bound of λ, so that δ stays positive where there is no curvature."""

_COMPARISON_IF_NOT_FINITE = -99.0
"""Δ where E(w + α p) is not finite: the next step is at most a hundredth as long."""


@dataclass(frozen=True)
class ScaledConjugateGradient(Optimizer):
    """Conjugate gradients with step lengths from a second gradient instead of a line search.

    One step is one iteration of the algorithm: it moves the parameters or raises the damping.

    The state has p, the curvature pᵀs, λ, whether the last iteration moved the parameters (the
    paper's success), and how many did (its k). The curvature is stored without damping, so δ is
    always the formula above, and the paper's λ̄, the part of λ already in its δ, is not needed.
    """

    formulas = (
        "d = -∂objective/∂params + β d",
        "params ← params - d dᵀ ∂objective/∂params / (dᵀ H d + λ dᵀ d)",
    )
    notation = (
        "The first direction is -∂objective/∂params; dᵀ H d is the curvature along d, from a "
        "difference of gradients; λ is the damping."
    )

    full_batch_because: ClassVar[str | None] = (
        "its steps compare losses and gradients over the same rows"
    )

    sigma: Annotated[
        float, Gt(0), Lt(1), doc("Distance in parameter space between the two gradients.")
    ] = 5e-5
    damping: Annotated[float, Gt(0), Lt(1), doc("The initial damping.")] = 5e-7

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
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        params, start = point.params, point.evaluate(objective)
        square_of_gradient(start.grad)
        p = state["p"] if state["moves"] else -start.grad  # 1
        curvature, square = float(state["curvature"]), dot(p, p)
        if state["has_moved"]:
            curvature = self._curvature(objective, params, start.grad, p)  # 2
        damping, delta = _positive(curvature, float(state["damping"]), square)  # 3, 4
        mu = -dot(p, start.grad)
        new_params = params + (mu / delta) * p  # 5
        if (new_params == params).all():
            raise StepFailed(
                "max_damping",
                f"With a damping of {damping:.1e}, a step changes no parameter: within rounding "
                "errors this is a minimum, or the objective has a kink here.",
            )
        end = objective.value_and_grad(new_params)
        comparison = _comparison(start, end, mu, delta)  # 6
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
        p = -end.grad if moves % p.size == 0 else _conjugate(p, start.grad, end.grad, mu)
        return Point(new_params, end), {**state, "p": p, "moves": np.asarray(moves)}

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        return {"damping": float(state["damping"])}

    def _curvature(self, objective: Objective, params: Vector, grad: Vector, p: Vector) -> float:
        """pᵀs, from a difference over the distance σ; 0, for damping alone, if not finite.

        σ is at least the square root of the rounding unit, where a difference keeps half its
        digits.
        """
        sigma = max(self.sigma, math.sqrt(np.finfo(params.dtype).eps)) / norm(p)
        curvature = dot(p, objective.grad(params + sigma * p) - grad) / sigma
        return curvature if math.isfinite(curvature) else 0.0


def _positive(curvature: float, damping: float, square: float) -> tuple[float, float]:
    """λ and δ = pᵀs + λ ‖p‖²; where δ is not positive, λ is raised so that it becomes -pᵀs."""
    delta = curvature + damping * square
    if delta > 0:
        return damping, delta
    return 2 * (damping - delta / square), damping * square - delta


def _comparison(start: Evaluation, end: Evaluation, mu: float, delta: float) -> float:
    if not (math.isfinite(end.value) and math.isfinite(dot(end.grad, end.grad))):
        return _COMPARISON_IF_NOT_FINITE
    return 2 * delta * (start.value - end.value) / mu / mu


def _adapted(damping: float, comparison: float, delta: float) -> float:
    """The next λ: lower if the model predicted E well, higher if badly; `delta` is δ / ‖p‖²."""
    if comparison >= 0.75:
        return max(damping / 4, _LEAST_DAMPING)
    if comparison < 0.25:
        return damping + delta * (1 - comparison)
    return damping


def _conjugate(p: Vector, grad: Vector, new_grad: Vector, mu: float) -> Vector:
    """The next direction; steepest descent if the conjugate one does not lower the loss."""
    beta = (dot(new_grad, new_grad) - dot(new_grad, grad)) / mu
    direction = beta * p - new_grad
    return direction if dot(direction, new_grad) < 0 else -new_grad
