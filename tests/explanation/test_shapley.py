from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from bpcli.data.columns import InputColumn
from bpcli.explanation import shapley as module
from bpcli.explanation.columns import Column
from bpcli.explanation.shapley import Shapley, shapley
from bpcli.nn.arrays import Array, Vector

RNG = np.random.default_rng(0)
W, V = RNG.normal(size=(9, 6)), RNG.normal(size=(6, 2))
BACKGROUND = RNG.normal(size=(5, 9))
X = RNG.normal(size=9)


def columns(count: int) -> list[Column]:
    """The first column has two network inputs, all others one."""
    pair = Column(InputColumn("c", "category", ("p", "q")), 0)
    return [pair, *(Column(InputColumn(f"x{at}"), at) for at in range(2, count + 1))]


def network(rows: Array) -> Array:
    outputs: Array = np.tanh(rows @ W[: rows.shape[1]]) @ V
    return outputs


def values(count: int, orders: int = 1, seed: int = 0) -> Shapley:
    of, width = columns(count), count + 1
    return shapley(of, X[:width], BACKGROUND[:, :width], network, orders, seed, lambda *_: None)


def by_all_orders(count: int) -> Array:
    """The definition: the mean gain over all p! orders in which the columns become those of x."""
    worth: dict[frozenset[int], Vector] = {}
    of, width = columns(count), count + 1

    def v(coalition: frozenset[int]) -> Vector:
        if coalition not in worth:
            rows = BACKGROUND[:, :width].copy()
            for j in coalition:
                rows[:, of[j].where] = X[of[j].where]
            worth[coalition] = network(rows).mean(axis=0)
        return worth[coalition]

    total, orders = np.zeros((count, 2)), 0
    for order in permutations(range(count)):
        orders += 1
        coalition = frozenset[int]()
        for j in order:
            larger = coalition | {j}
            total[j] += v(larger) - v(coalition)
            coalition = larger
    return total / orders


def test_eight_inputs_have_the_values_of_the_definition() -> None:
    found = values(8)
    assert found.is_exact
    assert found.values == pytest.approx(by_all_orders(8), abs=1e-10)


@pytest.mark.parametrize("count", [1, 2, 8])
def test_the_values_add_up_to_the_prediction_minus_the_mean(count: int) -> None:
    found, width = values(count), count + 1
    base = network(BACKGROUND[:, :width]).mean(axis=0)
    prediction = network(X[np.newaxis, :width])[0]
    assert found.base == pytest.approx(base, abs=1e-12)
    assert found.values.sum(axis=0) == pytest.approx(prediction - base, abs=1e-10)


def test_a_linear_function_shares_by_the_distance_from_the_mean() -> None:
    found = shapley(columns(8), X, BACKGROUND, lambda rows: rows @ W, 1, 0, lambda *_: None)
    own = (X - BACKGROUND.mean(axis=0))[:, np.newaxis] * W
    expected = np.vstack([own[:2].sum(axis=0), own[2:]])
    assert found.values == pytest.approx(expected, abs=1e-10)


def test_sampled_values_add_up_and_approach_the_exact_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = values(8)
    monkeypatch.setattr(module, "MOST_EXACT", 7)
    found = values(8, orders=100)
    assert not found.is_exact
    assert found.values.sum(axis=0) == pytest.approx(exact.values.sum(axis=0), abs=1e-10)
    assert found.values == pytest.approx(exact.values, abs=0.06)
    assert np.abs(found.values - exact.values).max() > 0
    again, other = values(8, orders=100), values(8, orders=100, seed=1)
    assert (again.values == found.values).all()
    assert (other.values != found.values).any()


def test_of_a_quadratic_function_one_order_in_both_directions_is_enough(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    """A pair of columns gains its product in one direction, and nothing in the other."""
    A = rng.normal(size=(9, 9))

    def quadratic(rows: Array) -> Array:
        values: Array = ((rows @ A) * rows).sum(axis=1, keepdims=True)
        return values

    exact = shapley(columns(8), X, BACKGROUND, quadratic, 1, 0, lambda *_: None)
    monkeypatch.setattr(module, "MOST_EXACT", 7)
    found = shapley(columns(8), X, BACKGROUND, quadratic, 1, 0, lambda *_: None)
    assert not found.is_exact
    assert found.values == pytest.approx(exact.values, abs=1e-10)


def test_the_error_is_that_of_the_mean_over_background_rows() -> None:
    found = values(4)
    rows = [
        shapley(columns(4), X[:5], row[np.newaxis, :5], network, 1, 0, lambda *_: None)
        for row in BACKGROUND
    ]
    each = np.stack([one.values for one in rows])
    assert found.values == pytest.approx(each.mean(axis=0), abs=1e-12)
    assert found.errors == pytest.approx(each.std(axis=0, ddof=1) / np.sqrt(5), rel=1e-9)
    assert np.isnan(rows[0].errors).all()
