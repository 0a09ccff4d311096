"""Numbers as cells of tables: right, aligned, and cut where there are many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bpcli.trace.blocks import Arrays, Named
from bpcli.trace.cells import WIDTH, has_cut, kept, number, sheets


def test_a_cut_keeps_the_first_and_the_last() -> None:
    array = np.arange(900.0).reshape(30, 30)
    (sheet,) = sheets(Arrays((Named("x", array),)))
    assert (sheet.labels[0], sheet.labels[-1], sheet.headers[-1]) == ("1", "30", "30")
    assert (sheet.cells[0][0], sheet.cells[-1][-1]) == ("0", "899")


def test_numbers_keep_their_digits_however_small_or_large() -> None:
    array = np.array([[0.5, 1e-7, -2e9, 0.0, -0.0]])
    (sheet,) = sheets(Arrays((Named("x", array),)))
    found = [float(cell) for cell in sheet.cells[0]]
    np.testing.assert_allclose(found, array[0], rtol=1e-3)
    assert sheet.cells[0][3] == sheet.cells[0][4]


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 4), st.integers(1, 5)),
        elements=st.floats(-1e9, 1e9, allow_subnormal=False),
    )
)
def test_what_a_cell_shows_is_its_number(array: np.ndarray) -> None:
    (sheet,) = sheets(Arrays((Named("x", array),)))
    for row, cells in zip(array, sheet.cells, strict=True):
        for value, cell in zip(row, cells, strict=True):
            digits = len(cell.partition(".")[2].partition("e")[0])
            unit = 10.0**-digits * 10.0 ** int(cell.partition("e")[2] or 0)
            assert abs(float(cell) - value) <= 0.5000001 * unit
            assert abs(float(cell) - value) <= 0.05 * abs(value)


@given(st.integers(0, 40), st.integers(3, 10))
def test_as_many_are_kept_as_there_is_room_for_and_always_the_last(count: int, most: int) -> None:
    found = kept(count, most)
    assert len(found) == min(count, most)
    shown = [index for index in found if index is not None]
    assert shown == sorted({*shown})
    assert (None in found) == (count > most)
    assert not count or (found[0], found[-1]) == (0, count - 1)


@given(st.integers(1, 12), st.integers(1, 30), st.floats(1e-8, 1e8), st.integers(0, 2**32 - 1))
def test_a_table_fits_the_page(rows: int, columns: int, size: float, seed: int) -> None:
    array = np.random.default_rng(seed).normal(0, size, (rows, columns))
    (sheet,) = sheets(Arrays((Named("delta1", array),)))
    assert sheet.width <= WIDTH
    lines = [[label, *cells] for label, cells in zip(sheet.labels, sheet.cells, strict=True)]
    assert {len(line) for line in lines} == {len(sheet.headers) + 1}
    assert sheet.is_cut == (rows > 8 or len(sheet.headers) < columns or "…" in sheet.headers)


@pytest.mark.parametrize(("shape", "expected"), [((8, 2), False), ((9, 2), True), ((2, 9), True)])
def test_whether_numbers_are_left_out_is_known(shape: tuple[int, int], expected: bool) -> None:
    whole = Named("b", np.ones((1, 1)))
    assert has_cut(Arrays((whole, Named("W", np.ones(shape))))) == expected


def test_arrays_of_the_same_rows_stand_side_by_side_if_they_fit() -> None:
    W, b = Named("W1", np.ones((3, 2))), Named("b1", np.zeros((3, 1)))
    (sheet,) = sheets(Arrays((W, b)))
    assert (sheet.corner, sheet.headers) == ("W1", ["1", "2", "b1"])
    assert sheet.cells[0] == ["1", "1", "0"]
    other_rows, wide = Named("y", np.ones((2, 1))), Named("a0", np.ones((3, 2)))
    for apart in (other_rows, wide):
        assert [s.corner for s in sheets(Arrays((W, apart)))] == [
            "W1",
            "a0" if apart is wide else "",
        ]


def test_columns_have_the_headers_they_are_given() -> None:
    (sheet,) = sheets(Arrays((Named("z1", np.ones((1, 2)), ("row 4", "row 7")),)))
    assert (sheet.corner, sheet.headers, sheet.labels) == ("z1", ["row 4", "row 7"], ["1"])


@pytest.mark.parametrize(
    ("array", "cells"),
    [
        ([[1.0, 2.5]], ["1.0", "2.5"]),
        ([[1.0, -3.0]], ["1", "-3"]),
        ([[1 / 3, 0.0]], ["0.333333", "0.000000"]),
        ([[12345.678901, 0.5]], ["12345.68", "0.50"]),
        ([[np.nan, np.inf]], ["nan", "inf"]),
        ([[1e-9]], ["1.000e-09"]),
        ([[12345678.0]], ["1.2e+07"]),
        ([[123456.0]], ["123456.0"]),
    ],
)
def test_digits_are_as_few_as_are_exact(array: list[list[float]], cells: list[str]) -> None:
    (sheet,) = sheets(Arrays((Named("x", np.array(array)),)))
    assert sheet.cells == [cells]


def test_a_number_in_a_formula_has_six_digits_and_no_negative_zero() -> None:
    assert [number(value) for value in (-0.0, 1 / 3, 1e-7, 123456789.0)] == [
        "0", "0.333333", "1e-07", "1.23457e+08",
    ]  # fmt: skip
    assert number(1 / 3, 9) == "0.333333333"
