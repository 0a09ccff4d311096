"""L-BFGS: Newton's direction from the last few changes of parameters and gradient.

    d = -H ∂objective/∂params

with H the inverse Hessian of BFGS after the last few pairs s = change of params, y = change of the
gradient. H itself is never formed: with the pairs as rows of S and Y, each scaled so that sᵀy = 1,
which leaves H the same,

    H = γ I + [Sᵀ γYᵀ] [ R⁻ᵀ (I + γ Y Yᵀ) R⁻¹   -R⁻ᵀ ] [ S  ]        R = upper triangle of S Yᵀ
                       [ -R⁻¹                     0  ] [ γY ],

which takes two products with all pairs at once. Byrd, Nocedal & Schnabel 1994, Math. Programming
63, 129, eq. 3.1; γ is that of Nocedal & Wright 2006, Numerical Optimization, eq. 7.20.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import STATES_IN_USE, State, dot, norm, products
from bpcli.optimizers.line_search import Line, LineSearchOptimizer, Trial

_MANY_PARAMETERS = 20_000
"""Up to so many parameters, 30 pairs take 0.82 (digits) and 0.88 of the time of 10 pairs. With more
parameters and few rows, the products with the pairs cost more than the evaluations they save."""


@dataclass(frozen=True)
class Lbfgs(LineSearchOptimizer):
    """Limited-memory BFGS: quasi-Newton steps from the changes of the last `memory` steps.

    The state has the scaled pairs, (memory, 2, P), newest last, and of them the matrices R⁻¹ and
    Y Yᵀ in double precision. Where there are fewer pairs than `memory`, the first are zero, in the
    matrices too, and add nothing.
    """

    formulas = ("d = -H ∂objective/∂params", "params ← params + length · d")
    notation = (
        "H approximates the inverse Hessian and is the identity at first; a line search "
        "chooses the length."
    )

    memory: Annotated[
        int | None,
        Ge(1),
        doc(
            "Number of past steps to use. Default: 30, and 10 for more than "
            f"{_MANY_PARAMETERS:,} parameters."
        ),
    ] = None

    def init(self, params: Vector) -> State:
        memory = self._memory_for(params.size)
        small = np.zeros((memory, memory))
        return {
            "pairs": np.zeros((memory, 2, params.size), params.dtype),
            "R_inverse": small,
            "YYT": small,
            "length": np.asarray(0.0),
        }

    def memory_bytes(self, n_params: int, itemsize: int) -> int:
        memory = self._memory_for(n_params)
        small = 2 * memory**2 * np.dtype(float).itemsize
        return STATES_IN_USE * (2 * memory * n_params * itemsize + small)

    def _memory_for(self, n_params: int) -> int:
        return self.memory or (30 if n_params <= _MANY_PARAMETERS else 10)

    def direction(self, grad: Vector, state: State) -> Vector:
        return -_times_inverse_hessian(grad, state)

    def remember(self, state: State, line: Line, end: Trial) -> State:
        s, y = end.params - line.start.params, end.grad - line.start.grad
        memory = _with_pair(state, s, y) if has_curvature(s, y) else state
        return {**memory, "length": np.asarray(end.length)}


def has_curvature(s: Vector, y: Vector) -> bool:
    """Whether the gradient grows along s by more than rounding: H stays positive definite."""
    return dot(s, y) > float(np.finfo(s.dtype).eps) * norm(s) * norm(y) > 0


def inverse_curvature(s: Vector, y: Vector) -> float:
    """γ = sᵀy / yᵀy, the size of the inverse Hessian along s (eq. 6.20 and 7.20)."""
    return dot(s, y) / dot(y, y)


def _times_inverse_hessian(vector: Vector, state: State) -> Vector:
    """H v; v itself without pairs. γ comes first: then no number is larger than it has to be."""
    newest = float(state["YYT"][-1, -1])
    if not newest:
        return vector
    rows, R_inverse, gamma = _rows(state["pairs"]), state["R_inverse"], 1 / newest
    scaled = gamma * vector
    Sv, Yv = products(rows, scaled).reshape(-1, 2).T
    of_Y = R_inverse @ Sv
    of_S = R_inverse.T @ (of_Y / gamma + state["YYT"] @ of_Y - Yv)
    weights = np.column_stack([of_S, -of_Y]).astype(vector.dtype)
    scaled += weights.ravel() @ rows
    return scaled


def _with_pair(state: State, s: Vector, y: Vector) -> State:
    """The pairs and their matrices without the oldest pair, and with this one."""
    pairs = np.empty_like(state["pairs"])
    pairs[:-1] = state["pairs"][1:]
    newest = pairs[-1]
    root = math.sqrt(dot(s, y))
    np.divide(s, root, newest[0])
    np.divide(y, root, newest[1])
    Sy, Yy = products(_rows(pairs), newest[1]).reshape(-1, 2).T
    R_inverse, YYT = _moved_up(state["R_inverse"]), _moved_up(state["YYT"])
    R_inverse[:, -1] = R_inverse @ -Sy  # of a triangle with one more column, whose last entry is 1
    R_inverse[-1, -1] = 1
    YYT[-1], YYT[:, -1] = Yy, Yy
    return {"pairs": pairs, "R_inverse": R_inverse, "YYT": YYT}


def _rows(pairs: Array) -> Array:
    """All s and y as rows of one matrix."""
    return pairs.reshape(-1, pairs.shape[-1])


def _moved_up(matrix: Array) -> Array:
    """The matrix without its first row and column, with zeros as the last."""
    moved = np.zeros_like(matrix)
    moved[:-1, :-1] = matrix[1:, 1:]
    return moved
