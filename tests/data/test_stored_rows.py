"""Arrays that are computed from the rows of a source whenever they are used."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from bpcli.data.stored_rows import (
    RowSource,
    StoredCodes,
    StoredColumns,
    StoredFlags,
    StoredFloats,
    StoredPlaces,
    read_together,
)

ROWS = np.random.default_rng(0).integers(0, 4, (100, 5)).astype(np.float32)


@dataclass(frozen=True)
class Counted(RowSource):
    """A source in memory that counts its readings."""

    readings: list[int] = field(default_factory=list)
    shape = ROWS.shape
    dtype = ROWS.dtype
    bytes = buffer_bytes = 0

    def at(self, index: np.ndarray) -> np.ndarray:
        self.readings.append(1)
        return ROWS[index]

    def between(self, start: int, stop: int) -> np.ndarray:
        return self.at(np.arange(start, stop))


SOME = np.array([3, 7, 50])


def test_columns_keep_their_type_unless_they_become_floats() -> None:
    for columns in ((1, 2), (4, 0)):
        plain, floats = StoredColumns(Counted(), columns), StoredFloats(Counted(), columns)
        assert (plain.shape, len(plain), plain.dtype) == ((100, 2), 100, np.float32)
        np.testing.assert_array_equal(plain[SOME], ROWS[SOME][:, list(columns)])
        np.testing.assert_array_equal(floats[2:9], ROWS[2:9][:, list(columns)])
        assert floats[2:9].dtype == floats.dtype == np.float64


def test_flags_codes_and_places_are_computed_from_values() -> None:
    flags = StoredFlags(Counted(), (0, 3), np.array([1.0, -np.inf]))
    np.testing.assert_array_equal(flags[:], np.stack([ROWS[:, 0] == 1, np.zeros(100)], axis=1))
    values, codes = np.array([0, 1, 2, 3]), np.array([2, 0, 1, 5])
    labels = StoredCodes(Counted(), 2, values, codes)
    assert (labels.shape, labels[:].dtype) == ((100,), labels.dtype)
    np.testing.assert_array_equal(labels[SOME], codes[ROWS[SOME, 2].astype(int)])
    places = StoredPlaces(Counted(), (1, 4))
    np.testing.assert_array_equal(places[:], ROWS[:, [1, 4]].argmax(axis=1))


@pytest.mark.parametrize(
    "where", [slice(None), slice(13, 70), slice(90, 200), slice(5, 80, 3), slice(80, 5, -3), SOME]
)
def test_many_rows_are_read_some_at_a_time(
    where: slice | np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpcli.data.row_blocks._MOST_ROWS_PER_BLOCK", 7)
    source = Counted()
    np.testing.assert_array_equal(StoredColumns(source, (1, 2))[where], ROWS[where, 1:3])
    assert len(source.readings) == -(-len(ROWS[where]) // 7)


def test_what_is_used_together_is_read_once() -> None:
    source = Counted()
    X, Y = StoredColumns(source, (0, 1)), StoredFloats(source, (4,))
    both = read_together(X, Y, slice(5, 8))
    assert len(source.readings) == 1
    np.testing.assert_array_equal(np.concatenate(both, axis=1), ROWS[5:8, [0, 1, 4]])
