from __future__ import annotations

from typing import Any

import pytest
from matplotlib.figure import Figure

from bpcli.plots.values_axis import ValuesAxis


def labels(values: list[Any], width: float = 5.0) -> list[str]:
    figure = Figure(figsize=(width, 3), layout="constrained")
    axes = figure.subplots()
    axis = ValuesAxis.of(values)
    axis.set_up(axes, 0.1 * axis.span or 0.5)
    figure.draw_without_rendering()
    low, high = axes.get_xlim()
    assert all(low < axis.at(axis.place(value)) < high for value in values)
    return [text.get_text() for text in axes.get_xticklabels()]


@pytest.mark.parametrize(
    ("values", "ordered"),
    [
        ([0.3, 0.1, 0.1, 1], [0.1, 0.3, 1]),
        (["b", "a", "b"], ["b", "a"]),
        ([True, False], [False, True]),
        ([1, True], [1, True]),
        ([[16, 8], [5], [3]], [[3], [5], [16, 8]]),
        ([None, 5, "auto"], [None, 5, "auto"]),
        ([{"name": "sgd"}, {"name": "adam"}], [{"name": "sgd"}, {"name": "adam"}]),
    ],
)
def test_values_have_an_order(values: list[Any], ordered: list[Any]) -> None:
    assert ValuesAxis.of(values).values == ordered


def test_numbers_are_at_themselves_or_at_their_logarithms() -> None:
    linear, decades = ValuesAxis.of([1, 30]), ValuesAxis.of([1, 1000])
    assert (linear.is_log, decades.is_log) == (False, True)
    assert (linear.place(30), decades.place(1000)) == (30, 3)
    assert (linear.at(30), decades.at(3)) == (30, 1000)
    assert not ValuesAxis.of([-1, 1000]).is_log


def test_numbers_with_a_0_are_evenly_spaced_where_only_a_logarithm_would_show_them() -> None:
    axis = ValuesAxis.of([1, 0, 0.001])
    assert (axis.is_numeric, axis.values) == (False, [0, 0.001, 1])
    assert axis.place(1) == axis.place(1.0) == 2
    assert ValuesAxis.of([0, 5, 10]).is_numeric
    assert ValuesAxis.of([0, *(10**-n for n in range(20))]).is_numeric


def test_few_numbers_are_labelled_and_many_have_ticks_between() -> None:
    assert labels([8, 16, 32]) == ["8", "16", "32"]
    assert labels([0.001, 0.01, 0.1]) == ["0.001", "0.01", "0.1"]
    assert "9" not in labels(list(range(40)))
    assert labels([1, 1.001, 10]) != ["1", "1.001", "10"]


def test_long_labels_are_broken_or_at_an_angle() -> None:
    adam = {"name": "adam", "beta1": 0.8}
    assert labels([adam, "sgd"]) == ["adam (beta1 0.8)", "sgd"]
    assert labels([adam, "a$", "b", "c"], 4.0) == ["adam (beta1\n0.8)", r"a\$", "b", "c"]
    long = ["one_long_word_that_is_not_broken", *"abcdef"]
    assert labels(long)[0] == "one_long_word_…_broken"


def test_of_very_many_categories_some_are_labelled() -> None:
    assert len(labels([f"v{n}" for n in range(60)])) == 20


def test_one_value_has_an_axis_too() -> None:
    assert labels([0]) == ["0"]
    assert labels(["", ""]) == ["(empty)"]
