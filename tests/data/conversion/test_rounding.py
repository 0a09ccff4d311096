"""Whole numbers that double precision does not hold are counted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bpcli.data.conversion.rounding import count_rounded

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("int64", -(2**63), 2**63), ("uint64", 0, 2**64), ("int64", 2**53 - 9, 2**53 + 99),
     ("int64", -(2**53) - 99, -(2**53) + 9), ("Int64", 2**62, 2**63), ("UInt64", 2**63, 2**64),
     ("int32", -99, 99), ("bool", 0, 2)],
)  # fmt: skip
def test_as_many_as_python_counts(dtype: str, low: int, high: int) -> None:
    whole = [low, high - 1, *(low + int(RNG.integers(2**62)) % (high - low) for _ in range(500))]
    column = pd.Series(whole, dtype=dtype)
    assert count_rounded(column) == sum(int(float(int(each))) != each for each in whole)


@pytest.mark.parametrize(
    ("values", "count"),
    [
        (pd.Series([2**53 + 1, None, 2**53 + 2], dtype="Int64"), 1),
        (pd.Series([2.0**60, np.nan]), 0),
        (pd.Series([str(2**53 + 1)], dtype=object), 0),
        (pd.Series([2**53 + 1] * 3, dtype="category"), 0),
        (pd.Series([None, Decimal(2**53 + 1), Decimal("0.1"), Decimal("NaN"), "x"]), 1),
        (pd.Series([], dtype="int64"), 0),
    ],
)
def test_missing_values_and_other_types(values: Any, count: int) -> None:
    assert count_rounded(values) == count
