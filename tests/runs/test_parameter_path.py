"""The recorded parameters: while they grow, at their end, and what may stand in their place."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from tampered import a_record

from bpcli.errors import RunError
from bpcli.runs.layout import PATH
from bpcli.runs.parameter_path import ParameterPath, digest_of_rows, first_rows, load_path
from bpcli.runs.store import Run

DOUBLE, SINGLE = np.dtype("float64"), np.dtype("float32")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(tmp_path / "run")
    made.folder.mkdir()
    made.write_record(a_record())
    return made


def rows_of(count: int, dtype: np.dtype = DOUBLE) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 3)).astype(dtype)


def recorded(run: Run, rows: np.ndarray, *, after: int = 0) -> ParameterPath:
    path = ParameterPath(run, rows.shape[1], rows.dtype, after)
    for row in rows:
        path.add(row)
    return path


@pytest.mark.parametrize("dtype", [DOUBLE, SINGLE])
def test_rows_become_an_array_at_the_end(run: Run, dtype: np.dtype) -> None:
    rows = rows_of(5, dtype)
    path = recorded(run, rows)
    assert path.rows == 5
    path.finish()
    found = np.load(run.path(PATH))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, rows)
    np.testing.assert_array_equal(load_path(run, 3, dtype), rows)
    assert sorted(file.name for file in run.folder.iterdir()) == ["params_path.npy", "run.json"]


@pytest.mark.parametrize("is_finished", [False, True])
def test_a_resumed_recording_goes_on_after_the_rows_that_count(run: Run, is_finished: bool) -> None:
    first, rest = np.split(rows_of(7), [5])
    path = recorded(run, first)
    path.finish() if is_finished else path.close()
    again = recorded(run, rest, after=3)
    assert not run.path(PATH).exists(), "it is not what is recorded now"
    again.finish()
    np.testing.assert_array_equal(load_path(run, 3, DOUBLE), np.vstack([first[:3], rest]))


def test_a_new_recording_begins_without_the_old_rows(run: Run) -> None:
    recorded(run, rows_of(4)).finish()
    path = recorded(run, rows_of(1))
    assert path.rows == 1
    path.finish()
    assert len(load_path(run, 3, DOUBLE)) == 1


def test_the_digest_is_that_of_all_rows_or_of_those_before_the_latest(run: Run) -> None:
    rows = rows_of(4)
    expected = [hashlib.sha256(rows[:count].tobytes()).hexdigest() for count in range(5)]
    path = recorded(run, rows)
    assert [path.digest(count) for count in (3, 4)] == expected[3:]
    for end in (path.sync, path.finish):  # while it grows, and in the array
        end()
        for count in (1, 3, 4):
            np.testing.assert_array_equal(first_rows(run, 3, DOUBLE, count), rows[:count])
            assert digest_of_rows(run, 3, DOUBLE, count) == expected[count]


def test_rows_that_were_not_recorded_are_missed(run: Run) -> None:
    recorded(run, rows_of(4)).finish()
    with pytest.raises(RunError, match=r"npy has fewer than the 5 rows that were recorded\.$"):
        first_rows(run, 3, DOUBLE, 5)
    with pytest.raises(RunError, match="has fewer than the 9 rows"):
        ParameterPath(run, 3, DOUBLE, 9)


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (np.ones((2, 4)), r"float64 of shape \(2, 4\)"),
        (np.ones((2, 3), np.float32), r"float32 of shape \(2, 3\)"),
        (np.ones(3), r"float64 of shape \(3,\)"),
    ],
)
def test_an_array_of_other_parameters_is_refused(run: Run, array: np.ndarray, what: str) -> None:
    np.save(run.path(PATH), array)
    implied = r"; the config implies rows of 3 numbers in float64\.$"
    with pytest.raises(RunError, match=f"npy is damaged: it contains {what}{implied}"):
        load_path(run, 3, DOUBLE)


def test_what_is_no_array_is_damage(run: Run) -> None:
    with pytest.raises(RunError, match=r"params_path\.npy is missing\.$"):
        load_path(run, 3, DOUBLE)
    np.savez(run.path(PATH).with_suffix(".npz"), np.ones((1, 3)))
    run.path(PATH).with_suffix(".npz").rename(run.path(PATH))
    with pytest.raises(RunError, match=r"params_path\.npy is damaged: "):
        load_path(run, 3, DOUBLE)
