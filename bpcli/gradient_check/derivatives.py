"""Numerical derivatives of a function of the parameters.

The complex step (Squire & Trapp 1998, SIAM Rev. 40, 110) differentiates the forward pass without
cancellation, so a correct gradient agrees up to rounding:

    ∂f/∂p_i = Im f(p + i h e_i) / h,  h = 1e-30

Central differences, (f(p + h e_i) - f(p - h e_i)) / 2h, need no complex numbers: they are a second,
independent check. The change from doubling the step estimates their error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector

Function: TypeAlias = Callable[[Vector], complex | float]
VectorFunction: TypeAlias = Callable[[Vector], Array]

COMPLEX_STEP = 1e-30
CENTRAL_STEP = 6e-6


def moved(params: Vector, entry: int, step: complex | float) -> Vector:
    """A copy of the parameters with one entry moved."""
    copy = params.astype(np.result_type(params, step))
    copy[entry] += step
    return copy


def complex_step(function: Callable[[Vector], Any], params: Vector, entry: int) -> Any:
    """∂f/∂p_i for f a number or an array, exact up to rounding."""
    return function(moved(params, entry, 1j * COMPLEX_STEP)).imag / COMPLEX_STEP


def central_difference(function: Function, params: Vector, entry: int, step: float) -> float:
    """∂f/∂p_i, with an error that is quadratic in the step."""
    ahead = function(moved(params, entry, step))
    behind = function(moved(params, entry, -step))
    return (ahead - behind).real / (2 * step)


def directional_difference(
    function: VectorFunction, params: Vector, direction: Vector, step: float
) -> Array:
    """The central difference of f along a direction."""
    ahead, behind = (function(params + by * direction) for by in (step, -step))
    difference: Array = (ahead - behind) / (2 * step)
    return difference
