"""One reading of a file of rows: its errors, and facts about its targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bpcli.data.files.npy_rows import NpyHeader, NpyRows
from bpcli.data.files.scan import scan
from bpcli.data.stored_targets import TargetFacts
from bpcli.errors import DataError

ROWS = 40_000  # several pieces


def facts(tmp_path: Path, *targets: np.ndarray) -> TargetFacts:
    names = [f"y{number}" for number in range(len(targets))]
    places = tuple(range(1, 1 + len(targets)))
    np.save(tmp_path / "a.npy", np.column_stack([np.arange(ROWS), *targets]))
    path = tmp_path / "a.npy"
    return scan(NpyRows(path, NpyHeader.of(path)), (0,), places, names)


def test_facts_are_those_of_all_rows(tmp_path: Path) -> None:
    late = np.where(np.arange(ROWS) == ROWS - 1, 7, np.arange(ROWS) % 2)
    found = facts(tmp_path, late, np.arange(ROWS) / 2)
    assert found.ends == (0, (ROWS - 1) / 2)
    assert [found.are_whole, found.are_flags, found.are_one_hot] == [False] * 3
    assert found.uniques[0] is not None
    np.testing.assert_array_equal(found.uniques[0], [0, 1, 7])
    assert found.uniques[1] is None


def test_one_hot_columns_are_found(tmp_path: Path) -> None:
    first = (np.arange(ROWS) % 3 == 0).astype(float)
    assert facts(tmp_path, first, 1 - first).are_one_hot
    two = facts(tmp_path, first, first)
    assert (two.are_flags, two.are_one_hot, two.are_whole) == (True, False, True)


def test_missing_targets_are_counted_and_named(tmp_path: Path) -> None:
    y = np.arange(ROWS) * 1.0
    y[[3, 20_000, ROWS - 1]] = np.nan
    with pytest.raises(DataError, match="3 rows have no value of `y0`") as caught:
        facts(tmp_path, y)
    assert ": 4, 20001, 40000; remove them" in str(caught.value)


def test_an_infinite_target_is_named(tmp_path: Path) -> None:
    y = np.arange(ROWS) * 1.0
    y[20_000] = np.inf
    with pytest.raises(DataError, match="column `y0`, row 20001: the value is infinite"):
        facts(tmp_path, y)


def test_an_input_that_is_not_finite_is_named(tmp_path: Path) -> None:
    array = np.ones((ROWS, 2))
    array[30_000, 1] = np.nan
    np.save(tmp_path / "a.npy", array)
    source = NpyRows(tmp_path / "a.npy", NpyHeader.of(tmp_path / "a.npy"))
    with pytest.raises(DataError, match="row 30001, column 2 of the inputs is not finite"):
        scan(source, (0, 1), (), [])
    with pytest.raises(DataError, match="column `b`, row 30001: the value is missing"):
        scan(source, (0, 1), (), [], ["a", "b"])
