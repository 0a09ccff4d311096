from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.columns import InputColumn
from bpcli.explanation.columns import Column
from bpcli.explanation.draws import resample_counts
from bpcli.explanation.effects import (
    Curve,
    dependence,
    edges_of,
    effect,
    in_order_of_levels,
    level_steps,
    number_steps,
)
from bpcli.nn.arrays import Array

RNG = np.random.default_rng(0)
A, B = Column(InputColumn("a"), 0), Column(InputColumn("b"), 1)
KIND = Column(InputColumn("k", "category", ("p", "q", "r", "s")), 2)
ROWS = np.hstack([RNG.uniform(size=(300, 2)), np.eye(4)[RNG.integers(4, size=300)]])
HEIGHTS = np.array([1.0, -2.0, 4.0, 0.5])


def additive(X: Array) -> Array:
    """sin 3a + b² + the height of k, and a second output that is linear."""
    own = np.sin(3 * X[:, 0]) + X[:, 1] ** 2 + X[:, 2:6] @ HEIGHTS
    return np.stack([own, 5 - 2 * X[:, 0]], axis=1)


def curve_of(steps: object) -> Curve:
    return effect(steps, resample_counts(len(steps.near), 3))  # type: ignore[arg-type, attr-defined]


def centred(values: Array, curve: Curve) -> Array:
    centred: Array = values - (curve.rows @ values) / curve.rows.sum()
    return centred


@pytest.mark.parametrize("how", [number_steps, dependence])
def test_of_a_sum_of_functions_the_curve_is_the_function(how: object) -> None:
    """Apley & Zhu 2020, section 3: for f = Σ f_j, accumulated local effects give f_j - mean."""
    for column, function in ((A, lambda a: np.sin(3 * a)), (B, lambda b: b**2)):
        curve = curve_of(how(column, ROWS, additive))  # type: ignore[operator]
        assert len(curve.at) == 21
        assert curve.values[:, 0] == pytest.approx(centred(function(curve.at), curve), abs=1e-12)
    first = curve_of(how(A, ROWS, additive))  # type: ignore[operator]
    assert first.values[:, 1] == pytest.approx(centred(-2 * first.at, first), abs=1e-12)
    assert first.rows.sum() == pytest.approx(300)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
def test_categories_have_their_heights_in_any_order_of_the_steps(order: list[int]) -> None:
    steps = level_steps(KIND, np.array(order), ROWS, additive)
    assert steps is not None
    curve = in_order_of_levels(curve_of(steps))
    assert curve.at.tolist() == [0, 1, 2, 3]
    assert curve.values[:, 0] == pytest.approx(centred(HEIGHTS, curve), abs=1e-12)
    assert curve.rows.tolist() == ROWS[:, 2:].sum(axis=0).tolist()
    depends = curve_of(dependence(KIND, ROWS, additive))
    assert depends.values == pytest.approx(curve.values, abs=1e-12)


def test_the_accumulated_effects_of_a_product_are_those_of_the_formula() -> None:
    """With x2 = x1, f = x1 x2 has the accumulated effect ∫ E(x2 | x1 = z) dz = z²/2, not z mean x2.

    That is the difference to partial dependence: Apley & Zhu 2020, section 1.
    """
    X = np.repeat(np.linspace(0, 1, 2001)[:, np.newaxis], 2, axis=1)

    def product(rows: Array) -> Array:
        return rows[:, :1] * rows[:, 1:]

    local = curve_of(number_steps(A, X, product))
    assert local.values[:, 0] == pytest.approx(centred(local.at**2 / 2, local), abs=1e-3)
    everywhere = curve_of(dependence(A, X, product))
    assert everywhere.values[:, 0] == pytest.approx(centred(everywhere.at / 2, everywhere))


def test_a_band_holds_the_curve_and_is_as_wide_as_other_rows_differ() -> None:
    """Steps of f = a u with u of each row: the end of the curve scatters as its band says."""

    def interacting(X: Array) -> Array:
        return X[:, :1] * X[:, 1:2]

    tables = [np.random.default_rng(seed).normal(size=(200, 2)) for seed in range(60)]
    curves = [curve_of(number_steps(A, np.abs(X), interacting)) for X in tables]
    assert all((each.low <= each.values).all() for each in curves)
    middles = [each.values[10, 0] - each.values[0, 0] for each in curves]
    widths = [each.high[10, 0] - each.low[10, 0] for each in curves]
    assert 0.5 < np.mean(widths) / (3.92 * np.std(middles)) < 2


def test_a_constant_column_has_no_curve_and_one_row_no_band() -> None:
    same = np.ones((9, 6))
    assert number_steps(A, same, additive) is None
    assert dependence(A, same, additive) is None
    assert level_steps(KIND, np.array([1]), ROWS[:2], additive) is None
    one = dependence(KIND, ROWS[:1], additive)
    assert one is None


def test_edges_are_values_and_frequent_values_are_edges() -> None:
    values = np.concatenate([np.zeros(900), np.arange(1, 101)])
    edges = edges_of(values)
    assert edges[0] == 0
    assert edges[-1] == 100
    assert len(edges) == 21
    assert np.isin(edges, values).all()
    assert edges_of(np.array([3.0, 1, 2])).tolist() == [1, 2, 3]
    assert edges_of(np.full(5, 2.0)).tolist() == [2]


def test_the_other_inputs_of_a_date_move_with_it() -> None:
    day = Column(InputColumn("d", "date", calendar=("weekday",)), 0)
    X = np.zeros((2, 3))
    monday = 4.0  # 5 January 1970
    moved = day.set_value(X, np.array([monday, monday + 1]))
    assert moved == pytest.approx(
        np.array([[4, 0, 1], [5, np.sin(2 * np.pi / 7), np.cos(2 * np.pi / 7)]]), abs=1e-12
    )
    assert not X.any()
    assert day.text(moved[0]) == "1970-01-05"


def test_a_missing_value_has_no_number_and_a_moved_row_is_not_missing() -> None:
    column = Column(InputColumn("a", fill=2.0, indicator=True), 0)
    X = np.array([[5.0, 0], [2.0, 1]])
    assert column.numbers(X).tolist()[0] == 5
    assert column.known(X).tolist() == [True, False]
    assert column.set_value(X, 7.0).tolist() == [[7, 0], [7, 0]]
    assert column.text(X[1]) == "missing"


def test_a_truth_value_has_two_levels_and_an_unknown_category_none() -> None:
    column = Column(InputColumn("t", "boolean"), 0)
    X = np.array([[0.0, 1.0], [1.0, 1.0]])
    assert column.levels == ("false", "true")
    assert column.codes(X).tolist() == [0, 1]
    assert column.set_level(X, 1).tolist() == [[1, 1], [1, 1]]
    assert KIND.codes(np.zeros((1, 6))).tolist() == [-1]
    assert KIND.text(np.zeros(6)) == "unknown"
    assert KIND.text(ROWS[0]) == "pqrs"[int(ROWS[0, 2:].argmax())]
