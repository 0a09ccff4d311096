from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from bpcli.data.columns import InputColumn
from bpcli.engine.pool.base import SerialPool
from bpcli.engine.pool.choice import worker_pool
from bpcli.explanation.columns import Column
from bpcli.explanation.permutation import Change, Permutation, change
from bpcli.metrics.metrics import METRICS, Sample, mean_of
from bpcli.nn.arrays import Array

NUMBERS = [Column(InputColumn(name), at) for at, name in enumerate("abc")]


def squared_errors(weights: Array, X: Array) -> Permutation:
    """Importance for the exact predictions of y = X w."""
    y = X @ weights

    def measured(moved: Array) -> Mapping[str, Sample]:
        return {"loss": Sample(((moved @ weights - y) ** 2)[np.newaxis], mean_of)}

    return Permutation(X, measured, 200, 7)


def importances(permutation: Permutation, *groups: list[Column]) -> list[Change]:
    found = permutation.importances(groups, SerialPool(), lambda _: None)
    return [each["loss"] for each in found]


def test_a_linear_rule_has_the_importance_twice_its_weight_squared_times_the_variance(
    rng: np.random.Generator,
) -> None:
    """A permuted value is that of any row: the mean of w² (x_i - x_j)² over all i, j is 2 w² s²."""
    X, weights = rng.normal(size=(400, 3)), np.array([2.0, -1.0, 0.0])
    found = importances(squared_errors(weights, X), *([column] for column in NUMBERS))
    expected = 2 * weights**2 * X.var(axis=0)
    assert [each.value for each in found] == pytest.approx(expected, rel=0.02)
    assert found[2].value == found[2].error == 0


def test_columns_are_permuted_together(rng: np.random.Generator) -> None:
    """A difference of two equal columns is always 0 if both move, and not if one does."""
    x = rng.normal(size=50)
    X = np.stack([x, x, x], axis=1)
    a, b, _ = NUMBERS
    alone, together = importances(squared_errors(np.array([1.0, -1.0, 0]), X), [a], [a, b])
    assert alone.value is not None
    assert alone.value > 1
    assert together.value == 0


def test_a_column_of_categories_stays_one_category_in_each_row(rng: np.random.Generator) -> None:
    colour = Column(InputColumn("c", "category", ("r", "g", "b")), 0)
    X = np.eye(3)[rng.integers(3, size=60)]
    seen: list[Array] = []

    def measured(moved: Array) -> Mapping[str, Sample]:
        seen.append(moved)
        return {"loss": Sample(np.zeros((1, len(moved))), mean_of)}

    Permutation(X, measured, 2, 0).importances([[colour]], SerialPool(), lambda _: None)
    assert len(seen) == 3
    for moved in seen[1:]:
        assert (moved.sum(axis=1) == 1).all()
        assert (moved.sum(axis=0) == X.sum(axis=0)).all()
        assert (moved != X).any()


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_the_error_is_that_of_leaving_out_each_row(metric: str, rng: np.random.Generator) -> None:
    """Efron & Tibshirani 1993, eq. 11.5, computed row by row."""
    before, after = rng.uniform(size=(1, 30)), rng.uniform(1, 4, size=(1, 30))
    value = METRICS[metric].value

    def difference(rows: Array) -> float:
        return float(value(after[:, rows].mean(axis=1)) - value(before[:, rows].mean(axis=1)))

    without = [difference(np.delete(np.arange(30), row)) for row in range(30)]
    error = np.sqrt(29 / 30 * np.sum((without - np.mean(without)) ** 2))
    found = change(value, before, after)
    assert found.value == pytest.approx(difference(np.arange(30)), rel=1e-13)
    assert found.error == pytest.approx(error, rel=1e-10)
    if metric == "mae":
        assert error == pytest.approx((after - before).std(ddof=1) / np.sqrt(30))


def test_the_error_covers_the_choice_of_rows() -> None:
    """Over 40 tables, the importances scatter as much as their errors say."""
    weights = np.array([1.0, 1.0, 0])
    tables = [np.random.default_rng(seed).normal(size=(200, 3)) for seed in range(40)]
    found = [importances(squared_errors(weights, X), [NUMBERS[0]])[0] for X in tables]
    scatter = np.std([each.value for each in found], ddof=1)
    assert 0.6 < np.mean([each.error for each in found]) / scatter < 1.4  # type: ignore[arg-type]


def test_a_single_row_has_no_error_and_an_undefined_measure_no_value() -> None:
    assert change(mean_of, np.zeros((1, 1)), np.ones((1, 1))) == (1.0, None)
    nothing = np.full((1, 3), np.nan)
    assert change(mean_of, nothing, nothing) == (None, None)


def test_the_number_of_workers_changes_no_bit(rng: np.random.Generator) -> None:
    X, weights = rng.normal(size=(60, 3)), np.array([2.0, -1.0, 0.3])
    groups, finished = [[column] for column in NUMBERS], list[int]()
    permutation = squared_errors(weights, X)
    alone = permutation.importances(groups, SerialPool(), finished.append)
    with worker_pool(3) as pool:
        assert permutation.importances(groups, pool, lambda _: None) == alone
    assert finished == [1, 2, 3]
