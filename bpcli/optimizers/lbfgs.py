"""L-BFGS: Newton's direction from the last few changes of parameters and gradient.

    d = -H ∂objective/∂params

with H the inverse Hessian of BFGS after the last few pairs s = change of params, y = change of the
gradient. H itself is never formed. Nocedal & Wright 2006, Numerical Optimization, Algorithms 7.4
and 7.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import STATES_IN_USE, Bounds, State, dot, norm
from bpcli.optimizers.line_search import Line, LineSearchOptimizer, Trial


@dataclass(frozen=True)
class Lbfgs(LineSearchOptimizer):
    """Limited-memory BFGS: quasi-Newton steps from the changes of the last `memory` steps.

    In the state, the rows of S and Y are the pairs s and y, newest last; only the last `pairs` rows
    are used.
    """

    formulas = ("d = -H ∂objective/∂params", "params ← params + length · d")
    notation = (
        "H approximates the inverse Hessian and is the identity at first; a line search "
        "chooses the length."
    )

    memory: Annotated[int, Ge(1), doc("Number of past steps to use.")] = 10

    def init(self, params: Vector) -> State:
        empty = np.zeros((self.memory, params.size), params.dtype)
        return {"S": empty, "Y": empty, "pairs": np.asarray(0), "length": np.asarray(0.0)}

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {"pairs": (0, self.memory)}

    def memory_bytes(self, n_params: int, itemsize: int) -> int:
        return STATES_IN_USE * 2 * self.memory * n_params * itemsize

    def direction(self, grad: Vector, state: State) -> Vector:
        oldest = self.memory - int(state["pairs"])
        return -_times_inverse_hessian(grad, state["S"][oldest:], state["Y"][oldest:])

    def remember(self, state: State, line: Line, end: Trial) -> State:
        s, y = end.params - line.start.params, end.grad - line.start.grad
        length = np.asarray(end.length)
        if not has_curvature(s, y):
            return {**state, "length": length}
        pairs = np.asarray(min(int(state["pairs"]) + 1, self.memory))
        S, Y = _pushed(state["S"], s), _pushed(state["Y"], y)
        return {"S": S, "Y": Y, "pairs": pairs, "length": length}


def has_curvature(s: Vector, y: Vector) -> bool:
    """Whether the gradient grows along s by more than rounding: H stays positive definite."""
    return dot(s, y) > float(np.finfo(s.dtype).eps) * norm(s) * norm(y) > 0


def inverse_curvature(s: Vector, y: Vector) -> float:
    """γ = sᵀy / yᵀy, the size of the inverse Hessian along s (eq. 6.20 and 7.20)."""
    return dot(s, y) / dot(y, y)


def _times_inverse_hessian(vector: Vector, S: Array, Y: Array) -> Vector:
    """H v by two loops through the pairs (Algorithm 7.4), from H = γ I (eq. 7.20)."""
    products = [dot(s, y) for s, y in zip(S, Y, strict=True)]
    weights = []
    for s, y, product in reversed(list(zip(S, Y, products, strict=True))):
        weights.append(dot(s, vector) / product)
        vector = vector - weights[-1] * y
    if len(S):
        vector = vector * inverse_curvature(S[-1], Y[-1])
    for s, y, product, weight in zip(S, Y, products, reversed(weights), strict=True):
        vector = vector + (weight - dot(y, vector) / product) * s
    return vector


def _pushed(rows: Array, row: Vector) -> Array:
    """The rows without the first, with `row` as the last."""
    return np.concatenate([rows[1:], row[np.newaxis]])
