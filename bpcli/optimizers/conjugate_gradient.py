"""Conjugate gradients: each direction preserves the progress made along the earlier ones.

    d_0 = -g_0,        d_{k+1} = -g_{k+1} + β d_k,        g = ∂objective/∂params

Fletcher-Reeves     β = g_{k+1}ᵀ g_{k+1} / g_kᵀ g_k, steepest descent every P steps
Polak-Ribière+      β = max(0, g_{k+1}ᵀ (g_{k+1} - g_k) / g_kᵀ g_k), which restarts by itself
Powell-Beale        three terms, with restarts along the current direction (see below)

Nocedal & Wright 2006, Numerical Optimization, Algorithm 5.4, eq. 5.41a, 5.44 and 5.45.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import doc

from bpcli.nn.arrays import Vector
from bpcli.optimizers.base import COUNT, Bounds, State, dot
from bpcli.optimizers.line_search import Line, LineSearchOptimizer, Trial


@dataclass(frozen=True)
class ConjugateGradient(LineSearchOptimizer):
    """Nonlinear conjugate gradients, with a line search.

    The state has the next direction d, the steps since the last restart, and α φ'(0) of the last
    step; for Powell-Beale also the direction of the restart, and the gradient's change along it.
    """

    formulas = ("d = -∂objective/∂params + β d", "params ← params + length · d")
    notation = "The first direction is -∂objective/∂params; a line search chooses the length."

    flatness: ClassVar[float] = 0.1

    variant: Annotated[
        Literal["polak_ribiere", "fletcher_reeves", "powell_beale"],
        doc("The formula of the next direction."),
    ] = "polak_ribiere"

    def init(self, params: Vector) -> State:
        zeros = np.zeros_like(params)
        state = {
            "d": zeros,
            "steps": np.asarray(0),
            "change": np.asarray(0.0),
            "length": np.asarray(0.0),
        }
        if self.variant == "powell_beale":
            state |= {"restart_d": zeros, "restart_y": zeros}
        return state

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {"steps": COUNT}

    def direction(self, grad: Vector, state: State) -> Vector:
        return state["d"]

    def first_length(self, line: Line, state: State) -> float:
        """The length that predicts the same first-order change as the last step (p. 59)."""
        return float(state["change"]) / line.start.slope

    def remember(self, state: State, line: Line, end: Trial) -> State:
        return {
            **_NEXT[self.variant](state, line, end),
            "change": np.asarray(end.length * line.start.slope),
            "length": np.asarray(end.length),
        }


def _fletcher_reeves(state: State, line: Line, end: Trial) -> State:
    steps = np.asarray(state["steps"] + 1)
    if steps >= end.grad.size:
        return {"d": -end.grad, "steps": np.asarray(0)}
    beta = dot(end.grad, end.grad) / dot(line.start.grad, line.start.grad)
    return {"d": -end.grad + beta * line.direction, "steps": steps}


def _polak_ribiere(state: State, line: Line, end: Trial) -> State:
    y = end.grad - line.start.grad
    beta = max(0.0, dot(end.grad, y) / dot(line.start.grad, line.start.grad))
    return {"d": -end.grad + beta * line.direction, "steps": np.asarray(state["steps"] + 1)}


def _powell_beale(state: State, line: Line, end: Trial) -> State:
    """Beale's three-term direction with Powell's restarts.

        d_{k+1} = -g_{k+1} + β d_k + γ d_t
        β = g_{k+1}ᵀ y_k / d_kᵀ y_k        γ = g_{k+1}ᵀ y_t / d_tᵀ y_t        y = change of g

    d_t is the direction of the last restart. It restarts at the first step, after P steps, if
    |g_{k+1}ᵀ g_k| ≥ 0.2 ‖g_{k+1}‖², and if d_{k+1}ᵀ g_{k+1} lies outside -1.2 … -0.8 ‖g_{k+1}‖².
    A restart makes d_k the new d_t and drops the term γ d_t. Powell 1977, Mathematical Programming
    12, 241, section 4.
    """
    grad, d = end.grad, line.direction
    y = grad - line.start.grad
    if not dot(d, y) > 0:  # no curvature along the line
        return {**state, "d": -grad, "steps": np.asarray(0)}
    two_terms = -grad + dot(grad, y) / dot(d, y) * d
    restart = {"d": two_terms, "steps": np.asarray(1), "restart_d": d, "restart_y": y}
    square = dot(grad, grad)
    is_far_from_orthogonal = abs(dot(grad, line.start.grad)) >= 0.2 * square
    if not 0 < state["steps"] < grad.size or is_far_from_orthogonal:
        return restart
    d_t, y_t = state["restart_d"], state["restart_y"]
    three_terms = two_terms + dot(grad, y_t) / dot(d_t, y_t) * d_t
    if not -1.2 * square <= dot(grad, three_terms) <= -0.8 * square:
        return restart
    return {
        "d": three_terms,
        "steps": np.asarray(state["steps"] + 1),
        "restart_d": d_t,
        "restart_y": y_t,
    }


_NEXT: dict[str, Callable[[State, Line, Trial], State]] = {
    "fletcher_reeves": _fletcher_reeves,
    "polak_ribiere": _polak_ribiere,
    "powell_beale": _powell_beale,
}
