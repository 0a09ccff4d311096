"""Whole numbers that double precision does not hold are counted."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builds import built

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.rounding import count_rounded, rounded_columns
from bpcli.data.tally import Tally


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("int64", -(2**63), 2**63), ("uint64", 0, 2**64), ("int64", 2**53 - 9, 2**53 + 99),
     ("int64", -(2**53) - 99, -(2**53) + 9), ("Int64", 2**62, 2**63), ("UInt64", 2**63, 2**64),
     ("int32", -99, 99), ("bool", 0, 2)],
)  # fmt: skip
def test_as_many_as_python_counts(
    dtype: str, low: int, high: int, rng: np.random.Generator
) -> None:
    whole = [low, high - 1, *(low + int(rng.integers(2**62)) % (high - low) for _ in range(500))]
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


def test_columns_of_whole_numbers_are_counted_block_by_block() -> None:
    X = np.zeros((40_000, 3), np.int64)
    X[::20_000, 0] = 2**53 + 1
    X[:, 1] = 2**60
    X[-1, 2] = -(2**62) - 1
    assert rounded_columns(X, ["a", "b", "c"]) == {"a": 2, "c": 1}
    assert rounded_columns(X.astype(np.float64), ["a", "b", "c"]) == {}
    assert rounded_columns(X.astype(np.int32), ["a", "b", "c"]) == {}


NOTE = (
    "double precision cannot represent 2 whole numbers in `{}` exactly: they are rounded, so "
    "that different ones may become equal"
)


@pytest.mark.parametrize("engine", ["memory", "stream"])
def test_an_array_whose_numbers_are_rounded_is_told(engine: str, tmp_path: Path) -> None:
    rows = np.arange(60).reshape(20, 3)
    rows[:2, 1] = 2**60 + 1
    np.save(tmp_path / "t.npy", rows)
    assert NOTE.format("x2") in notes_of(tmp_path, "t.npy", 3, engine)


def test_a_table_whose_numbers_are_rounded_is_told(tmp_path: Path) -> None:
    """Long numbers in a text are codes, and become categories."""
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"a": [2**60 + 1, 2**53 + 1, *range(18)], "b": range(20)})
    frame.to_parquet(tmp_path / "t.parquet")
    assert NOTE.format("a") in notes_of(tmp_path, "t.parquet", "b", "memory")


def test_what_is_predicted_from_rounded_numbers_is_told() -> None:
    tally = Tally()
    encoder = FeatureEncoder((InputColumn("a"),))
    encoder.encode(pd.DataFrame({"a": [2**60 + 1, 2**60 + 3, 1]}), tally)
    assert [*tally.notes()] == [NOTE.format("a")]


def notes_of(folder: Path, file: str, target: object, engine: str) -> str:
    text = f"""\
name: t
data: {{file: {folder / file}, targets: {target}, split: {{val: 0.25}}}}
network: {{layers: [auto, 1], activations: [identity]}}
loss: mse
training: {{engine: {engine}}}
"""
    return "\n".join(built(text).notes)
