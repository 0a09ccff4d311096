"""Numbers of more digits than double precision."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.long_double import in_double, read_dtype
from bpcli.errors import DataError

LONG = np.dtype(np.longdouble)

pytestmark = pytest.mark.skipif(LONG.itemsize == 8, reason="double precision is the longest here")


@pytest.mark.parametrize("dtype", [LONG, LONG.newbyteorder(">"), LONG.newbyteorder("<")])
def test_they_are_rounded_to_double_precision(dtype: np.dtype) -> None:
    third = np.full((2, 3), np.longdouble(1) / 3, dtype)
    assert read_dtype(dtype) == np.float64
    assert in_double(third).dtype == np.float64
    np.testing.assert_array_equal(in_double(third), 1 / 3)


@pytest.mark.parametrize("dtype", ["f2", ">f4", "<f8", "?", "u1", ">i8", "c16", "U3"])
def test_other_arrays_are_not_copied(dtype: str) -> None:
    array = np.zeros(3, dtype)
    assert read_dtype(array.dtype) == array.dtype
    assert in_double(array) is array


def test_a_number_beyond_double_precision_is_refused_and_infinity_is_kept() -> None:
    rows = np.zeros((5, 2), LONG)
    rows[0, 0] = -np.inf
    assert in_double(rows)[0, 0] == -np.inf
    rows[3, 1] = np.longdouble("-1e400")
    with pytest.raises(DataError, match=r"row 14 has a number beyond 1\.8e308"):
        in_double(rows, 10)
