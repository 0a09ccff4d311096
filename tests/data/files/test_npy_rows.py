"""Rows that stay in a .npy file."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bpcli.data.files.npy_rows import NpyHeader, NpyRows
from bpcli.errors import DataError
from bpcli.system import OpenFile


def saved(path: Path, array: np.ndarray) -> NpyRows:
    np.save(path, array)
    return NpyRows(path, NpyHeader.of(path))


@pytest.fixture
def array() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((5000, 3)).astype(np.float32)


@pytest.fixture
def rows(tmp_path: Path, array: np.ndarray) -> NpyRows:
    return saved(tmp_path / "a.npy", array)


@pytest.mark.parametrize(
    "where",
    [slice(None), slice(7, 7), slice(10, 5), slice(4990, 6000), slice(9, 99, 7), slice(9, 0, -3)],
)
def test_slices_are_those_of_the_array(rows: NpyRows, array: np.ndarray, where: slice) -> None:
    np.testing.assert_array_equal(rows[where], array[where])


@pytest.mark.parametrize(
    "index",
    [
        np.arange(0),
        np.arange(20, 90),
        np.flatnonzero(np.random.default_rng(1).random(5000) < 0.8),
        np.array([0, 1, 2, 4000, 4999]),
        np.array([4999, 3, 3, 0]),
    ],
    ids=["none", "adjacent", "dense", "sparse", "unsorted"],
)
def test_rows_at_an_index_are_those_of_the_array(
    rows: NpyRows, array: np.ndarray, index: np.ndarray, monkeypatch
) -> None:
    for gap, at_once in ((2**15, 2**22), (24, 60)):
        monkeypatch.setattr("bpcli.data.files.npy_rows._GAP_BYTES", gap)
        monkeypatch.setattr("bpcli.data.files.npy_rows._BYTES_AT_ONCE", at_once)
        np.testing.assert_array_equal(rows[index], array[index])


@pytest.mark.parametrize("dtype", [">f4", "u1", "i8", "?", "f2"])
def test_every_type_and_byte_order_is_read(tmp_path: Path, dtype: str) -> None:
    array = (np.arange(24).reshape(4, 3, 2) % 2).astype(dtype)
    rows = saved(tmp_path / "a.npy", array)
    assert (rows.shape, rows.dtype) == ((4, 6), array.dtype)
    np.testing.assert_array_equal(rows[:], array.reshape(4, 6))


def test_one_dimension_is_one_column(tmp_path: Path) -> None:
    np.testing.assert_array_equal(saved(tmp_path / "a.npy", np.arange(4.0))[1:3], [[1.0], [2.0]])


def test_it_can_be_pickled_and_read_by_a_forked_process(
    rows: NpyRows, array: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows[:1]  # opens the file
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(rows))[5:9], array[5:9])
    assert len(pickle.dumps(rows)) < 1000
    monkeypatch.chdir(rows.path.parent)
    relative = pickle.dumps(replace(rows, path=Path(rows.path.name)))
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(pickle.loads(relative)[5:9], array[5:9])
    with multiprocessing.get_context("fork").Pool(2) as pool:
        both = pool.map(rows.__getitem__, [slice(0, 9), slice(9, 20)])
    np.testing.assert_array_equal(np.concatenate(both), array[:20])


def test_a_file_that_changes_is_refused(rows: NpyRows) -> None:
    rows[:1]
    os.utime(rows.path, ns=(0, 0))
    with pytest.raises(DataError, match="has changed while it was being read"):
        rows[1:2]


def test_rows_that_were_just_read_are_not_read_again(
    rows: NpyRows, array: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows[5:50]
    monkeypatch.setattr(OpenFile, "read", lambda *_: pytest.fail("they are read again"))
    np.testing.assert_array_equal(rows[10:20], array[10:20])
    np.testing.assert_array_equal(rows[np.array([5, 7, 49])], array[[5, 7, 49]])


def test_a_file_that_is_gone_is_refused(rows: NpyRows) -> None:
    rows.path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        rows[:1]


def test_a_file_that_was_cut_is_refused(rows: NpyRows) -> None:
    rows.path.write_bytes(rows.path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"shorter than its 5000 × 3 float32"):
        NpyHeader.of(rows.path)


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_text("1,2")
    with pytest.raises(DataError, match=r"not a \.npy file"):
        NpyHeader.of(tmp_path / "a.npy")


def test_the_header_says_whether_columns_are_contiguous(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((3, 2), order="F"))
    assert NpyHeader.of(tmp_path / "a.npy").is_by_column


@pytest.mark.parametrize("shape", [(-5, 3), (True, 3)])
def test_a_shape_that_no_array_has_is_damage(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(1000))
    with pytest.raises(DataError, match="damaged"):
        NpyHeader.of(path)
