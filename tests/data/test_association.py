from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import association
from sklearn.feature_selection import f_classif

from bpcli.data.association import (
    correlation_ratio,
    correlation_ratios,
    cramers_v,
    pearsons,
)
from bpcli.nn.arrays import Array

RNG = np.random.default_rng(3)
X = RNG.normal(size=200)
Y = 0.4 * X + RNG.normal(size=200)
A = RNG.integers(0, 4, 200)
B = (A + RNG.integers(0, 3, 200)) % 5


def pearson(x: Array, y: Array) -> float | None:
    (r,) = pearsons(x[np.newaxis], y).tolist()
    return None if np.isnan(r) else float(r)


def test_pearson_is_that_of_scipy() -> None:
    assert pearson(X, Y) == pytest.approx(stats.pearsonr(X, Y).statistic, rel=1e-12)


def test_the_correlation_ratio_follows_from_the_f_of_an_analysis_of_variance() -> None:
    y = Y + A
    F = f_classif(y[:, np.newaxis], A)[0][0]
    between, within = 3, 200 - 4
    eta_squared = F * between / (F * between + within)
    assert correlation_ratio(A, y) == pytest.approx(np.sqrt(eta_squared), rel=1e-12)


def test_the_correlation_ratio_of_a_textbook_example() -> None:
    # Scores of algebra, geometry and statistics students: en.wikipedia.org/wiki/Correlation_ratio
    groups = ([45, 70, 29, 15, 21], [40, 20, 30, 42], [65, 95, 80, 70, 85, 73])
    labels = np.repeat([0, 1, 2], [5, 4, 6])
    assert correlation_ratio(labels, np.concatenate(groups)) ** 2 == pytest.approx(
        6780 / 9640, rel=1e-12
    )


def test_cramers_v_is_that_of_scipy() -> None:
    counts = np.zeros((4, 5), int)
    np.add.at(counts, (A, B), 1)
    expected = association(counts, method="cramer", correction=False)
    assert cramers_v(A, B) == pytest.approx(expected, rel=1e-12)


@given(st.floats(1e-300, 1e300), st.floats(-5, 5))
def test_units_change_nothing(factor: float, shift: float) -> None:
    assert pearson((X + shift) * factor, Y) == pytest.approx(pearson(X, Y), rel=1e-9)
    assert correlation_ratio(A, (Y + shift) * factor) == pytest.approx(
        correlation_ratio(A, Y), rel=1e-9
    )


def test_rows_with_a_missing_value_do_not_count() -> None:
    x, a = X.copy(), A.copy()
    x[:20], a[180:] = np.nan, -1
    assert pearson(x, Y) == pytest.approx(pearson(X[20:], Y[20:]), rel=1e-12)
    assert correlation_ratio(a, x) == correlation_ratio(A[20:180], X[20:180])
    assert cramers_v(a, B) == pytest.approx(cramers_v(A[:180], B[:180]), rel=1e-12)


def test_a_constant_goes_with_nothing() -> None:
    constant, one = np.full(200, 0.1), np.zeros(200, int)
    assert pearson(constant, Y) is None
    assert correlation_ratio(A, constant) is None
    assert cramers_v(one, B) is None
    assert pearson(np.full(200, np.nan), Y) is None
    assert correlation_ratio(np.full(200, -1), Y) is None
    assert cramers_v(np.full(200, -1), B) is None
    assert correlation_ratio(one, Y) == pytest.approx(0, abs=1e-12)


def test_what_tells_all_is_one() -> None:
    assert pearson(X, 3 - 2 * X) == pytest.approx(-1, abs=1e-12)
    assert correlation_ratio(A, A * 7.5) == pytest.approx(1, abs=1e-12)
    assert cramers_v(A, 3 - A) == pytest.approx(1, abs=1e-12)


def test_many_columns_at_once_are_associated_as_each_alone(rng: np.random.Generator) -> None:
    rows = np.stack([X, np.where(rng.random(200) < 0.2, np.nan, X), np.full(200, 3.0), X * 1e200])
    labels = np.where(rng.random(200) < 0.1, -1, A)
    each = [(pearson(row, Y), correlation_ratio(labels, row)) for row in rows]
    at_once = zip(pearsons(rows, Y), correlation_ratios(labels, rows), strict=True)
    for alone, found in zip(each, at_once, strict=True):
        expected = [np.nan if value is None else value for value in alone]
        assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)
