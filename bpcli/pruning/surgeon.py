"""Which group of weights a loss misses least, by its second derivatives.

The optimal brain surgeon (Hassibi & Stork 1993, Second order derivatives for network pruning) sets
some weights S to 0 and moves all others so that the quadratic model of the loss rises least:

    ΔE_S = ½ w_Sᵀ ([H⁻¹]_SS)⁻¹ w_S         δw = -[H⁻¹]_:S ([H⁻¹]_SS)⁻¹ w_S

for whole groups of weights: Stahlberger & Riedmiller 1997, Fast network pruning and feature
extraction using the unit-OBS algorithm. Both assume a gradient of 0. H is the Hessian of the
objective, weight decay included.

H need not be positive definite: training stops early, and some directions change nothing. So each
eigenvalue λ counts as max(|λ|, ε max |λ|): a step into any direction then costs something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector

Product: TypeAlias = Callable[[Vector, Vector], Vector]
"""The Hessian at some parameters (n_params,) times a direction (n_params,)."""

_LEAST = 1e-6
"""ε: the least eigenvalue, as a fraction of the largest."""


def hessian(product: Product, params: Vector, trained: Array) -> Array:
    """The Hessian (P, P) by the parameters at the positions `trained` (P,), column by column."""
    H = np.empty((len(trained), len(trained)))
    for column, position in enumerate(trained):
        direction = np.zeros_like(params)
        direction[position] = 1
        H[:, column] = product(params, direction)[trained]
    symmetric: Array = (H + H.T) / 2
    return symmetric


def damped_inverse(H: Array) -> Array:
    """V diag(1 / max(|λ|, ε max |λ|)) Vᵀ for H = V diag(λ) Vᵀ.

    Raises `ArithmeticError` if H is not finite, or 0.
    """
    if not np.isfinite(H).all():
        raise ArithmeticError("the second derivatives of the loss are not finite")
    values, vectors = np.linalg.eigh(H)
    sizes = np.abs(values)
    if not sizes.max():
        raise ArithmeticError("the second derivatives of the loss are all 0")
    inverse: Array = (vectors / np.maximum(sizes, _LEAST * sizes.max())) @ vectors.T
    return inverse


def multipliers(inverse: Array, weights: Vector, removed: Array) -> Vector:
    """([H⁻¹]_SS)⁻¹ w_S, for the indices S of removed weights."""
    solved: Vector = np.linalg.solve(inverse[np.ix_(removed, removed)], weights[removed])
    return solved


def rise(inverse: Array, weights: Vector, removed: Array) -> float:
    """ΔE_S, the predicted rise of the loss."""
    return float(0.5 * weights[removed] @ multipliers(inverse, weights, removed))


def moved(inverse: Array, weights: Vector, removed: Array) -> Vector:
    """The weights w + δw after the removal, with exact zeros at the indices S."""
    after: Vector = weights - inverse[:, removed] @ multipliers(inverse, weights, removed)
    after[removed] = 0
    return after
