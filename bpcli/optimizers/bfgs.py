"""BFGS: Newton's direction, with the inverse Hessian estimated from changes of the gradient.

    d = -H ∂objective/∂params
    H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ,        ρ = 1 / sᵀy

with s = change of params, y = change of the gradient. Nocedal & Wright 2006, Numerical
Optimization, Algorithm 6.1, eq. 6.17; the first H is γ I (eq. 6.20).
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
    """Quasi-Newton steps with a full inverse Hessian, whose memory grows with parameters².

    H, (P, P), is in the state; it is unused while `pairs` is 0.
    """

    formulas = ("d = -H ∂objective/∂params", "params ← params + length · d")
    notation = (
        "H approximates the inverse Hessian and is the identity at first; a line search "
        "chooses the length."
    )

    def init(self, params: Vector) -> State:
        H = np.zeros((params.size, params.size), params.dtype)  # takes no memory until written
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
    """Eq. 6.17 multiplied out: H + s wᵀ + w sᵀ, which needs only one new matrix."""
    product = dot(s, y)
    Hy = H @ y
    w = (0.5 * (1 + dot(y, Hy) / product) * s - Hy) / product
    updated: Array = np.stack([s, w], axis=1) @ np.stack([w, s])
    updated += H
    return updated
