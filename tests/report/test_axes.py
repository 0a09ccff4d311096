"""Axes: round numbers at their places, on linear and logarithmic scales."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.report.axes import Axis, clipped, fitted, round_numbers, tick_text, wants_log


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-3, 3, 5, [-2, 0, 2]),
        (0, 200, 5, [0, 50, 100, 150, 200]),
        (7.1, 7.3, 4, [7.1, 7.15, 7.2, 7.25, 7.3]),
    ],
)
def test_round_numbers(low: float, high: float, most: int, expected: list[float]) -> None:
    assert round_numbers(low, high, most) == pytest.approx(expected)


def test_a_linear_axis_runs_from_its_start_to_its_end() -> None:
    axis = Axis(0, 10, 100, 0)
    assert axis.at(np.array([0, 5, 10])).tolist() == [100, 50, 0]
    assert axis.ticks(2) == [(100, "0"), (50, "5"), (0, "10")]


def test_a_logarithmic_axis_has_powers_of_ten() -> None:
    axis = Axis(1e-4, 1, 0, 40, True)
    assert [text for _, text in axis.ticks(5)] == ["10⁻⁴", "0.001", "0.01", "0.1", "1"]
    assert axis.at(np.array([1e-4, 1e-2, 1, 0, -1])).tolist()[:3] == pytest.approx([0, 20, 40])
    assert np.isnan(axis.at(np.array([0.0, -1.0]))).all()


def test_few_powers_have_numbers_between_them() -> None:
    assert [text for _, text in Axis(0.2, 3, 0, 1, True).ticks(5)] == ["0.2", "0.5", "1", "2"]


@pytest.mark.parametrize(
    ("value", "text"), [(1e-7, "10⁻⁷"), (2e-7, "2·10⁻⁷"), (1e6, "10⁶"), (1500, "1,500"), (0, "0")]
)
def test_numbers_beside_an_axis(value: float, text: str) -> None:
    assert tick_text(value) == text


FLOATS = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=8)


@given(FLOATS, st.booleans())
def test_every_number_is_within_its_axis(values: list[float], logs: bool) -> None:
    numbers = clipped(np.array(values))
    is_log = logs and wants_log(numbers)
    axis = fitted(numbers, 200, 0, is_log=is_log)
    places = axis.at(numbers)
    assert axis.low < axis.high
    assert ((places >= -1e-6) & (places <= 200 + 1e-6)).all()
    ticks = axis.ticks(5)
    assert all(-1 <= place <= 201 and math.isfinite(place) for place, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


def test_what_is_not_finite_is_no_number_of_an_axis() -> None:
    axis = fitted(clipped(np.array([np.nan, np.inf, 2.0, 4.0])), 0, 1)
    assert axis.low < 2
    assert 4 < axis.high < 5
    assert fitted(clipped(np.array([np.nan])), 0, 1).high == 1.04


def test_a_logarithmic_scale_is_for_positive_numbers_that_differ_much() -> None:
    assert wants_log(np.array([1, 6]))
    assert not wants_log(np.array([1, 4]))
    assert not wants_log(np.array([0, 6]))
    assert not wants_log(np.array([np.nan]))
