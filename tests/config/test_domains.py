from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bpcli.config.domains import (
    Choice,
    LogUniform,
    LogWhole,
    Uniform,
    Whole,
    distribution,
    grid_values,
    is_call,
)

units = st.floats(0, 1, exclude_max=True)
numbers = st.floats(-1e300, 1e300)
positive = st.floats(1e-300, 1e300)
wholes = st.integers(-(2**53), 2**53)
EVENLY = (np.arange(100_000) + 0.5) / 100_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uniform(0, 1)", Uniform(0, 1)),
        (" uniform ( -1.5,2e3 ) ", Uniform(-1.5, 2000)),
        ("loguniform(1e-4, 10)", LogUniform(1e-4, 10)),
        ("int(1, 20)", Whole(1, 20)),
        ("int(5, 5)", Whole(5, 5)),
        ("logint(1, 1000)", LogWhole(1, 1000)),
        ("choice(rprop, lbfgs, {name: adam})", Choice(["rprop", "lbfgs", {"name": "adam"}])),
        ("choice([10, 5], 3, null, 1e-3)", Choice([[10, 5], 3, None, 0.001])),
        (["rprop", {"name": "adam"}], Choice(["rprop", {"name": "adam"}])),
    ],
)
def test_a_distribution_is_a_call_or_a_list(text: object, expected: object) -> None:
    assert distribution(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ([0.01, "x", [10, 5], None], [0.01, "x", [10, 5], None]),
        ("1..4", [1, 2, 3, 4]),
        (" -1 .. 1 ", [-1, 0, 1]),
        ("3..3", [3]),
        ("range(0, 1, 0.25)", [0, 0.25, 0.5, 0.75, 1]),
        ("range(0, 1, 0.1)", [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        ("range(0, 0.3, 0.1)", [0, 0.1, 0.2, 0.3]),
        ("range(0, 1, 0.3)", [0, 0.3, 0.6, 0.9]),
        ("range(2, 9, 3)", [2, 5, 8]),
        ("logrange(1e-4, 1, 5)", [0.0001, 0.001, 0.01, 0.1, 1]),
        ("logrange(1, 10, 3)", [1, 3.16228, 10]),
    ],
)
def test_a_grid_has_lists_and_ranges_with_both_ends(text: object, expected: list[Any]) -> None:
    assert grid_values(text) == expected


def test_a_range_of_whole_numbers_has_whole_numbers() -> None:
    assert {type(x) for text in ("1..3", "range(0, 4, 2)") for x in grid_values(text)} == {int}


_RANDOM = (
    "expected a list to choose from, uniform(0, 1), loguniform(1e-4, 10), int(1, 20), "
    "logint(1, 1000), choice(x, y)"
)
_UNIFORM = "`uniform` has two numbers as limits, such as uniform(0, 1); found"
_INT = "`int` has two whole numbers as limits, such as int(1, 20); found"
_GRID = "expected a list, range(0, 1, 0.25), logrange(1e-4, 1, 5) or 1..20"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("unifrm(0, 1)", f"found `unifrm(0, 1)`, {_RANDOM}; did you mean `uniform`?"),
        ("uniform", f"found `uniform`, {_RANDOM}; did you mean `uniform`?"),
        (3, f"found 3, {_RANDOM}"),
        (None, f"found nothing, {_RANDOM}"),
        ("uniform(1)", f"{_UNIFORM} 1"),
        ("uniform()", f"{_UNIFORM} no values"),
        ("int(1, 2, 3)", f"{_INT} 3 values"),
        ("int(1, 2.5)", f"{_INT} 2.5"),
        ("int(true, 2)", f"{_INT} true"),
        ("uniform(0, .inf)", f"{_UNIFORM} inf"),
        ("uniform(a, 1)", f"{_UNIFORM} `a`"),
        ("uniform(2, 1)", "the lower limit 2 is above the upper limit 1: exchange them"),
        (
            "loguniform(0, 1)",
            "`loguniform` has two numbers above 0 as limits, such as loguniform(1e-4, 10); found 0",
        ),
        (
            "logint(-1, 1)",
            "`logint` has two whole numbers above 0 as limits, such as logint(1, 1000); found -1",
        ),
        ("choice()", "the list is empty: expected at least one value"),
        ([], "the list is empty: expected at least one value"),
        ("choice(a, b, a)", "`a` is listed more than once: list each value once"),
        ("choice({name: x)", "`choice({name: x)` cannot be read: expected `,` or `}` here"),
        (
            "int(010, 20)",
            (
                "`int(010, 20)` cannot be read: write 10 or '010', not 010: a number has "
                "no leading 0"
            ),
        ),
        ("1..20", "`1..20` is a range: put it under `grid`, or draw from int(1, 20)"),
    ],
)
def test_what_is_no_distribution_is_refused(given: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 # the whole message follows
        distribution(given)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("rang(0, 1, 1)", f"found `rang(0, 1, 1)`, {_GRID}; did you mean `range`?"),
        ("mse", f"found `mse`, {_GRID}"),
        ("0.1, 0.2", f"found `0.1, 0.2`, {_GRID}; write [0.1, 0.2] for a list"),
        (0.1, f"found 0.1, {_GRID}"),
        ([], "the list is empty: expected at least one value"),
        ([5, 1, 5], "`5` is listed more than once: list each value once"),
        ([object()], "expected numbers, texts, lists or mappings of them"),
        ("uniform(0, 1)", "`uniform(0, 1)` draws values: put it under `random`"),
        ("20..1", "the range begins at 20, above its end 1: exchange them"),
        (
            "0.1..0.5",
            (
                "a range such as 1..20 has whole numbers; found 0.1: for others write "
                "range(0, 1, 0.25)"
            ),
        ),
        ("1..100000", "the range has 100,000 values, more than 10,000: use `random`"),
        (
            "range(0, 1)",
            (
                "`range` has a first number, a last number and a step above 0, such as "
                "range(0, 1, 0.25)"
            ),
        ),
        (
            "range(0, 1, 0)",
            (
                "`range` has a first number, a last number and a step above 0, such as "
                "range(0, 1, 0.25)"
            ),
        ),
        ("range(1, 0, 0.1)", "the lower limit 1 is above the upper limit 0: exchange them"),
        ("range(-1e308, 1e308, 1)", "the range has inf values, more than 10,000: use `random`"),
        (
            "logrange(0, 1, 5)",
            ("`logrange` has two numbers above 0 as limits, such as logrange(1e-4, 1, 5); found 0"),
        ),
        (
            "logrange(1, 2, 1)",
            (
                "`logrange` has a first number, a last number and the number of "
                "values, at least 2, such as logrange(1e-4, 1, 5)"
            ),
        ),
        ("logrange(1, 1, 2)", "`1.0` is listed more than once: list each value once"),
    ],
)
def test_what_is_no_list_or_range_is_refused(given: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 # the whole message follows
        grid_values(given)
    assert str(caught.value) == message


@given(st.tuples(numbers, numbers).map(sorted), units)
def test_uniform_values_are_within_their_limits(limits: list[float], u: float) -> None:
    value = Uniform(*limits).at(u)
    assert isinstance(value, float)
    assert limits[0] <= value <= limits[1]


@given(st.tuples(positive, positive).map(sorted), units)
def test_log_uniform_values_are_within_their_limits(limits: list[float], u: float) -> None:
    value = LogUniform(*limits).at(u)
    assert isinstance(value, float)
    assert limits[0] <= value <= limits[1]
    assert value in limits or value == float(f"{value:.6g}")


@given(st.tuples(wholes, wholes).map(sorted), units)
def test_whole_values_are_within_their_limits(limits: list[int], u: float) -> None:
    value = Whole(*limits).at(u)
    assert isinstance(value, int)
    assert limits[0] <= value <= limits[1]


@given(st.tuples(st.integers(1, 2**53), st.integers(1, 2**53)).map(sorted), units)
def test_log_whole_values_are_within_their_limits(limits: list[int], u: float) -> None:
    value = LogWhole(*limits).at(u)
    assert isinstance(value, int)
    assert limits[0] <= value <= limits[1]


@given(st.lists(st.integers(), min_size=1, unique=True), st.sampled_from([0, 0.5, 1 - 2**-53]))
def test_a_choice_is_one_of_its_values(values: list[int], u: float) -> None:
    assert Choice(values).at(u) in values


def test_the_largest_number_below_one_gives_the_last_value() -> None:
    u = 1 - 2**-53
    for count in range(1, 200):
        assert Choice(range(count)).at(u) == Whole(1, count).at(u) - 1 == count - 1


def test_whole_numbers_are_equally_likely_and_both_ends_are_included() -> None:
    values, counts = np.unique([Whole(3, 7).at(u) for u in EVENLY], return_counts=True)
    assert [*values] == [3, 4, 5, 6, 7]
    assert {*counts} == {20_000}


def test_log_whole_numbers_have_the_probabilities_that_they_claim() -> None:
    values, counts = np.unique([LogWhole(1, 9).at(u) for u in EVENLY], return_counts=True)
    expected = [math.log((k + 0.5) / (k - 0.5)) / math.log(9.5 / 0.5) for k in range(1, 10)]
    assert [*values] == [*range(1, 10)]
    np.testing.assert_allclose(counts / len(EVENLY), expected, atol=2e-5)


def test_quantiles_are_those_of_scipy() -> None:
    for u in (0.0, 0.1, 0.5, 0.77):
        assert LogUniform(1e-4, 10).at(u) == pytest.approx(
            stats.loguniform(1e-4, 10).ppf(u), rel=1e-5
        )
        assert Uniform(-2, 6).at(u) == pytest.approx(stats.uniform(-2, 8).ppf(u), abs=1e-5)


def test_uniform_values_of_a_narrow_interval_stay_distinct() -> None:
    values = {Uniform(1e6, 1e6 + 1).at(u) for u in EVENLY[::100]}
    assert len(values) == 1000
    assert Uniform(1e6, 1e6 + 1).at(1 / 3) == 1000000.333333


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1..20", True), ("uniform(0, 1)", True), ("rng(3)", True), ("0.1", False), ("5,10", False),
     ("../a.csv,../b.csv", False), ("adam", False), ("[10,5]", False)],
)  # fmt: skip
def test_the_form_of_a_range_or_distribution_is_known(text: str, expected: bool) -> None:
    assert is_call(text) is expected
