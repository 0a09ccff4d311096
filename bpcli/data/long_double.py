"""Numbers that have more digits than double precision: they are rounded to it as they are read.

Their types differ from machine to machine, and the unused bytes in them have no defined values.
"""

from __future__ import annotations

import numpy as np

from bpcli.errors import DataError
from bpcli.nn.arrays import Array

_DOUBLE = np.dtype(np.float64)


def read_dtype(stored: np.dtype) -> np.dtype:
    """The data type of numbers in memory that are stored as `stored`."""
    return _DOUBLE if stored.kind == "f" and stored.itemsize > _DOUBLE.itemsize else stored


def in_double(array: Array, first: int = 0) -> Array:
    """An array in `read_dtype`; it is not copied if that is its own. `first` is its first row.

    Raises `DataError` naming the row of a number that double precision cannot hold.
    """
    if read_dtype(array.dtype) == array.dtype:
        return array
    with np.errstate(over="ignore"):
        rounded = array.astype(_DOUBLE)
    is_lost = np.isinf(rounded) & np.isfinite(array)
    if is_lost.any():
        row = first + int(np.argwhere(is_lost)[0][0]) + 1
        raise DataError(f"row {row} has a number beyond 1.8e308, the largest of double precision")
    return rounded
