"""A row of weight k scales like k equal rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.scaler import FITTED_RULES, Scaler, ScaleRule


@pytest.mark.parametrize("rule", FITTED_RULES)
@given(seed=st.integers(0, 2**32 - 1))
def test_weights_equal_repeated_rows(rule: ScaleRule, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(int(rng.integers(1, 12)), 3)).round(1)
    counts = rng.integers(1, 5, len(rows))
    weighted = Scaler.fit(rule, rows, counts.astype(np.float64))
    repeated = Scaler.fit(rule, np.repeat(rows, counts, axis=0))
    np.testing.assert_allclose(weighted.shift, repeated.shift, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(weighted.factor, repeated.factor, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rule", FITTED_RULES)
def test_a_weight_has_an_effect(rule: ScaleRule) -> None:
    rows = np.array([[0.0], [1.0], [5.0]])
    plain, weighted = Scaler.fit(rule, rows), Scaler.fit(rule, rows, np.array([9.0, 1, 1]))
    assert (plain.shift != weighted.shift) == (rule != "minmax")
