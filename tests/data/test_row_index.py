"""Rows of splits that read like arrays of row numbers."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.row_index import Coded, RowIndex, Span, digest_of_rows, index_pieces, same_rows

CODES = np.random.default_rng(0).integers(0, 3, 20_000).astype(np.uint8)
EVERY = [
    (Span(7, 9_000), np.arange(7, 9_000)),
    (Span(3, 3), np.arange(0)),
    (Coded(CODES, 1), np.flatnonzero(CODES == 1)),
    (Coded(CODES, 9), np.arange(0)),
    (Coded(np.repeat(np.uint8([1, 0, 1]), 5_000), 1), np.r_[:5_000, 10_000:15_000]),
]


@pytest.mark.parametrize(("index", "rows"), EVERY)
@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from([1, 2, 900, -1]))
def test_slices_are_those_of_the_row_numbers(
    index: Span | Coded, rows: np.ndarray, start: int, stop: int, step: int
) -> None:
    assert len(index) == len(rows)
    np.testing.assert_array_equal(index[:], rows)
    np.testing.assert_array_equal(index[start:stop], rows[start:stop])
    np.testing.assert_array_equal(index[start:stop:step], rows[start:stop:step])


@pytest.mark.parametrize(("index", "rows"), EVERY)
def test_positions_may_be_in_any_order(index: Span | Coded, rows: np.ndarray) -> None:
    where = np.random.default_rng(1).permutation(len(rows))[:300]
    np.testing.assert_array_equal(index[where], rows[where])


@pytest.mark.parametrize(("index", "rows"), EVERY)
def test_pieces_and_digests_are_those_of_the_row_numbers(index: RowIndex, rows: np.ndarray) -> None:
    pieces = [*index_pieces(index, 1000)]
    assert all(len(piece) <= 1000 for piece in pieces)
    np.testing.assert_array_equal(np.concatenate([np.arange(0), *pieces]), rows)
    assert digest_of_rows(index) == hashlib.sha256(rows.astype("<i8").tobytes()).digest()
    assert same_rows(index, rows)


def test_other_rows_are_not_the_same() -> None:
    assert not same_rows(Span(0, 5), np.arange(6))
    assert not same_rows(Span(0, 5), np.array([0, 1, 2, 3, 5]))
