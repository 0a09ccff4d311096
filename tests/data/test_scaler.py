from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import RobustScaler

from bpcli.data.scaler import FITTED_RULES, Scaler

COLUMNS = np.array([[1.0, 10, 5], [2, 30, 5], [6, 20, 5]])


def test_standard_scaling() -> None:
    scaled = Scaler.fit("standard", COLUMNS).apply(COLUMNS)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(scaled.std(axis=0), [1, 1, 0])  # a constant column is only shifted


@pytest.mark.parametrize("rule", FITTED_RULES)
def test_the_scale_of_single_precision_is_in_double(rule: str) -> None:
    scaler = Scaler.fit(rule, COLUMNS.astype(np.float32))
    assert scaler.shift.dtype == scaler.factor.dtype == np.float64
    np.testing.assert_allclose(scaler.shift, Scaler.fit(rule, COLUMNS).shift, rtol=1e-15)


def test_minmax_scaling_reaches_from_minus_one_to_one() -> None:
    scaled = Scaler.fit("minmax", COLUMNS).apply(COLUMNS)
    np.testing.assert_allclose(scaled[:, 1], [-1, 1, 0])
    np.testing.assert_allclose(scaled[:, 0], [-1, -0.6, 1])
    np.testing.assert_array_equal(scaled[:, 2], 0)


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_robust_scaling_is_that_of_scikit_learn(rows: int, seed: int) -> None:
    columns = np.random.default_rng(seed).standard_cauchy((rows, 3)).round(1)
    theirs = RobustScaler().fit(columns)
    scale = Scaler.fit("robust", columns)
    np.testing.assert_allclose(scale.shift, theirs.center_, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(scale.factor, theirs.scale_, rtol=1e-12)


def test_robust_scaling_is_not_moved_by_an_outlier_and_only_shifts_without_a_spread() -> None:
    columns = np.array([[1.0, 0], [2, 0], [3, 0], [4, 0], [1e30, 1]])
    np.testing.assert_array_equal(
        Scaler.fit("robust", columns).apply(columns),
        [[-1, 0], [-0.5, 0], [0, 0], [0.5, 0], [5e29, 1]],
    )


def test_dividing_by_a_constant_does_not_look_at_the_data() -> None:
    np.testing.assert_array_equal(Scaler.fit(16.0, COLUMNS).apply(COLUMNS), COLUMNS / 16)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, 66666.67, -1e-9, 0.0, 1e300])
@pytest.mark.parametrize("rule", FITTED_RULES)
def test_a_constant_column_is_not_divided_by_rounding_noise(rule: str, value: float) -> None:
    scale = Scaler.fit(rule, np.full((100, 1), value))  # type: ignore[arg-type]
    assert scale.factor[0] == 1
    assert abs(scale.apply(np.array([[value]]))[0, 0]) <= 1e-15 * abs(value)


@pytest.mark.parametrize("rule", ["none", *FITTED_RULES, 4.0])
def test_scales_are_inverted(rule: str | float) -> None:
    scale = Scaler.fit(rule, COLUMNS)  # type: ignore[arg-type]
    np.testing.assert_allclose(scale.invert(scale.apply(COLUMNS)), COLUMNS, rtol=1e-14)


def test_minmax_survives_huge_values() -> None:
    column = np.array([[-1.5e308], [1.5e308]])
    np.testing.assert_array_equal(Scaler.fit("minmax", column).apply(column), [[-1], [1]])
