"""Precision and recall, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_score, recall_score

from bpcli.metrics.precision_recall import precision_recall_curve


@pytest.mark.parametrize("seed", range(20))
def test_curve_and_average_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(0, 12, 60) / 12  # with ties
    is_positive = rng.random(60) < 0.2 + 0.5 * score
    curve = precision_recall_curve(is_positive, score)
    assert curve.average == pytest.approx(average_precision_score(is_positive, score))
    thresholds = np.unique(score)[::-1]
    for number, (recall, precision) in enumerate(
        zip(curve.recall[1:], curve.precision[1:], strict=True)
    ):
        called = score >= thresholds[number]
        assert recall == pytest.approx(recall_score(is_positive, called))
        assert precision == pytest.approx(precision_score(is_positive, called))


def test_the_curve_ends_where_all_positive_rows_are_found() -> None:
    curve = precision_recall_curve(np.array([True, False, True, False]), np.array([4, 3, 2, 1]))
    np.testing.assert_allclose(curve.recall, [0, 0.5, 0.5, 1])
    np.testing.assert_allclose(curve.precision, [1, 1, 0.5, 2 / 3])
    assert curve.average == pytest.approx(0.5 + 0.5 * 2 / 3)
