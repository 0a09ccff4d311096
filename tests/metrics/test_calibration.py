"""Reliability of probabilities, against sums by hand and scipy's interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from bpcli.metrics.calibration import reliability, wilson_interval


def test_rows_are_compared_in_bins_of_equal_width() -> None:
    probability = np.array([0.0, 0.05, 0.31, 0.39, 1.0])
    found = reliability(probability, np.array([False, True, True, True, True]))
    assert found.bins.tolist() == [0, 3, 9]
    assert found.counts.tolist() == [2, 2, 1]
    np.testing.assert_allclose(found.probability, [0.025, 0.35, 1])
    np.testing.assert_allclose(found.share, [0.5, 1, 1])
    assert found.error == pytest.approx(0.4 * 0.475 + 0.4 * 0.65)


def test_calibrated_probabilities_have_a_small_error_and_shifted_ones_their_shift() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(200_000)
    is_true = rng.random(200_000) < truth
    assert reliability(truth, is_true).error < 0.005
    assert reliability(0.8 * truth + 0.2, is_true).error == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize(("hits", "count"), [(0, 1), (1, 1), (3, 10), (250, 300)])
def test_the_interval_is_wilsons(hits: int, count: int) -> None:
    low, high = wilson_interval(np.array([hits / count]), np.array([count]))
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    np.testing.assert_allclose([low[0], high[0]], expected, atol=1e-12)
