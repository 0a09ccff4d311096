"""BFGS: Newton's direction, with the inverse Hessian learnt from the gradient's changes.

    d = -H ∂objective/∂params
    H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ,        ρ = 1 / sᵀy

with s = change of params, y = change of the gradient. Nocedal & Wright 2006, Numerical
Optimization, Algorithm 6.1, eq. 6.17; H begins as γ I (eq. 6.20).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import COUNT, STATES_IN_USE, Bounds, State, dot
from bpcli.optimizers.lbfgs import has_curvature, inverse_curvature
from bpcli.optimizers.line_search import Line, LineSearchOptimizer, Trial


@dataclass(frozen=True)
class Bfgs(LineSearchOptimizer):
    """Quasi-Newton steps with the whole inverse Hessian: parameters² numbers.

    H, (P, P), is in the state; it means nothing at 0 `pairs`.
    """

    formulas = ("d = -H ∂objective/∂params", "params ← params + length · d")
    notation = (
        "H approximates the inverse Hessian, and is the identity at first; a line search "
        "finds the length."
    )

    def init(self, params: Vector) -> State:
        H = np.zeros((params.size, params.size), params.dtype)  # takes memory once written to
        return {"H": H, "pairs": np.asarray(0), "length": np.asarray(0.0)}

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {"pairs": COUNT}

    def memory_bytes(self, n_params: int, itemsize: int) -> int:
        return STATES_IN_USE * n_params**2 * itemsize

    def direction(self, grad: Vector, state: State) -> Vector:
        direction: Vector = -(state["H"] @ grad if state["pairs"] else grad)
        return direction

    def remember(self, state: State, line: Line, end: Trial) -> State:
        s, y = end.params - line.start.params, end.grad - line.start.grad
        length = np.asarray(end.length)
        if not has_curvature(s, y):
            return {**state, "length": length}
        H = state["H"] if state["pairs"] else np.diag(np.full_like(s, inverse_curvature(s, y)))
        return {"H": _updated(H, s, y), "pairs": np.asarray(state["pairs"] + 1), "length": length}


def _updated(H: Array, s: Vector, y: Vector) -> Array:
    """Eq. 6.17 multiplied out, H + s wᵀ + w sᵀ, for which one new matrix is enough."""
    product = dot(s, y)
    Hy = H @ y
    w = (0.5 * (1 + dot(y, Hy) / product) * s - Hy) / product
    updated: Array = np.stack([s, w], axis=1) @ np.stack([w, s])
    updated += H
    return updated
