"""Whole numbers that double precision does not hold: different ones can become the same number."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from bpcli.data.types import Series
from bpcli.data.values import INEXACT
from bpcli.nn.arrays import Array, Vector

_HALF = 32
_OF_HALF = 2.0**_HALF


def count_rounded(values: Series) -> int:
    """How many whole numbers of a column are others in double precision.

    Only integers and decimals as such are counted, not texts.
    """
    if values.dtype == object:
        return sum(isinstance(each, Decimal) and _is_rounded(each) for each in values)
    if values.dtype.kind not in "iu":
        return 0
    known = values.dropna()
    whole = known.to_numpy(np.uint64 if values.dtype.kind == "u" else np.int64)
    numbers = whole.astype(np.float64)
    is_large = np.abs(numbers) >= INEXACT
    return int(np.count_nonzero(_differ(whole[is_large], numbers[is_large])))


def _is_rounded(number: Decimal) -> bool:
    return (
        number.is_finite()
        and number == number.to_integral_value()
        and Decimal(float(number)) != number
    )


def _differ(whole: Array, numbers: Vector) -> Array:
    """Where integers of 64 bits differ from `numbers`, which are the nearest doubles.

    Both are compared after the upper half was subtracted, so that no step is rounded.
    """
    upper = (whole >> _HALF).astype(np.float64) * _OF_HALF
    lower = (whole & (2**_HALF - 1)).astype(np.float64)
    different: Array = numbers - upper != lower
    return different
