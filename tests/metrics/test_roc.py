"""ROC curves, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from bpcli.metrics.roc import defined_roc_curve, roc_curve

scored = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0, 0.1, 0.25, 0.5, 0.75, 1])), min_size=2, max_size=60
).filter(lambda rows: len({positive for positive, _ in rows}) == 2)


@given(scored)
def test_roc_points_and_area_are_scikit_learns_with_ties_too(
    rows: list[tuple[bool, float]],
) -> None:
    positive = np.array([each for each, _ in rows])
    score = np.array([each for _, each in rows])
    curve = roc_curve(positive, score)
    x, y, _ = metrics.roc_curve(positive, score, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, x, rtol=1e-15)
    np.testing.assert_allclose(curve.true_positive_rate, y, rtol=1e-15)
    assert curve.area == pytest.approx(metrics.roc_auc_score(positive, score), abs=1e-14)


def test_rows_that_are_all_positive_or_none_have_no_curve() -> None:
    score = np.array([0.2, 0.7])
    assert defined_roc_curve(np.array([True, True]), score) is None
    assert defined_roc_curve(np.array([False, False]), score) is None
    curve = defined_roc_curve(np.array([False, True]), score)
    assert curve is not None
    assert curve.area == 1
