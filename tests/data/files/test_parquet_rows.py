"""Rows of numbers that stay in a Parquet file."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from bpcli.data.files.parquet_rows import ParquetHeader, ParquetRows, type_of
from bpcli.errors import DataError

pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
import pandas as pd

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "a": RNG.standard_normal(1000).astype(np.float32),
        "text": ["x"] * 1000,
        "b": RNG.integers(0, 9, 1000),
        "flag": RNG.random(1000) > 0.5,
    }
)
NUMBERS = FRAME[["flag", "a", "b"]].to_numpy(np.float64)


@pytest.fixture
def rows(tmp_path: Path) -> ParquetRows:
    path = tmp_path / "t.parquet"
    FRAME.to_parquet(path, row_group_size=300)
    return ParquetRows(path, ParquetHeader.of(path), ("flag", "a", "b"))


def test_the_header_has_names_types_and_groups(rows: ParquetRows) -> None:
    header = rows.header
    assert header.names == ("a", "text", "b", "flag")
    assert header.groups == (300, 300, 300, 100)
    assert [type_of(each) for each in header.types] == [
        np.float32, None, np.int64, np.bool_,
    ]  # fmt: skip
    assert 0 < rows.bytes < sum(header.bytes) < rows.path.stat().st_size


@pytest.mark.parametrize(
    "where",
    [slice(None), slice(5, 5), slice(290, 310), slice(0, 901), slice(950, 2000), slice(9, 999, 7)],
)
def test_slices_are_those_of_the_table(rows: ParquetRows, where: slice) -> None:
    np.testing.assert_array_equal(rows[where], NUMBERS[where])


@pytest.mark.parametrize(
    "index", [np.arange(0), np.array([0, 299, 300, 999]), np.array([999, 5, 5, 301])]
)
def test_rows_at_an_index_are_those_of_the_table(rows: ParquetRows, index: np.ndarray) -> None:
    np.testing.assert_array_equal(rows[index], NUMBERS[index])


def test_a_group_is_decoded_once_for_adjacent_pieces(rows: ParquetRows, monkeypatch) -> None:
    decoded: list[int] = []
    plain = ParquetRows._decoded

    def counted(self: ParquetRows, group: int) -> list[np.ndarray]:
        decoded.append(group)
        return plain(self, group)

    monkeypatch.setattr(ParquetRows, "_decoded", counted)
    for start in range(0, 1000, 50):
        rows[start : start + 50]
    assert decoded == [0, 1, 2, 3]


def test_other_processes_and_threads_read_it_too(rows: ParquetRows) -> None:
    rows[:1]  # opens the file
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(rows))[5:9], NUMBERS[5:9])
    with multiprocessing.get_context("fork").Pool(2) as pool:
        both = pool.map(rows.__getitem__, [slice(0, 310), slice(310, 400)])
    np.testing.assert_array_equal(np.concatenate(both), NUMBERS[:400])
    found: list[np.ndarray] = []
    thread = Thread(target=lambda: found.append(rows[600:700]))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(found[0], NUMBERS[600:700])


def test_a_missing_value_is_nan(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": pd.array([1, None, 3], "Int64")}).to_parquet(path)
    rows = ParquetRows(path, ParquetHeader.of(path), ("a",))
    np.testing.assert_array_equal(rows[:], [[1.0], [np.nan], [3.0]])


def test_a_damaged_group_is_one_sentence(rows: ParquetRows) -> None:
    content = bytearray(rows.path.read_bytes())
    content[10:2000] = bytes(1990)
    rows.path.write_bytes(content)
    with pytest.raises(DataError, match="not a Parquet file, or it is damaged"):
        rows[:]


def test_a_file_that_changes_or_vanishes_is_one_sentence(rows: ParquetRows) -> None:
    rows[0:1]
    os.utime(rows.path, ns=(1, 1))
    with pytest.raises(DataError, match="has changed while it was being read"):
        rows[len(rows) - 1 : len(rows)]
    rows.path.unlink()
    with pytest.raises(DataError, match=r"t\.parquet cannot be read: No such file"):
        rows[len(rows) - 1 : len(rows)]
