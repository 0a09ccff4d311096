"""CV+ and jackknife+, against their definitions row by row."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest

from bpcli.errors import DataError
from bpcli.intervals.conformal import AdaptiveSets, adaptive_scores, quantile
from bpcli.intervals.cross import CrossErrors, CrossSets, guaranteed

RNG = np.random.default_rng


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("sizes", [(5, 5, 4), (1,) * 19])
def test_the_ends_are_quantiles_of_all_networks_less_and_plus_errors(
    level: float, sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Barber et al. 2021, eq. 1.2 and sec. 3: with α = 1 - level, ranks ⌊α(n+1)⌋ and ⌈(1-α)(n+1)⌉.

    The second case, folds of one row, is the jackknife+.
    """
    monkeypatch.setattr("bpcli.intervals.cross._NUMBERS_AT_ONCE", 40)  # in several pieces
    rng, n = RNG(0), sum(sizes)
    errors = tuple(np.abs(rng.normal(size=(size, 2))) for size in sizes)
    by_fold = rng.normal(size=(7, len(sizes), 2))
    found = CrossErrors(errors, level).bounds(by_fold.reshape(7, -1), np.zeros((7, 2)))
    exact = Fraction(repr(level))
    for row in range(7):
        for target in range(2):
            pairs = [
                (by_fold[row, k, target], error[target])
                for k, fold in enumerate(errors)
                for error in fold
            ]
            low = sorted(f - error for f, error in pairs)[floor((1 - exact) * (n + 1)) - 1]
            high = sorted(f + error for f, error in pairs)[ceil(exact * (n + 1)) - 1]
            assert (found.low[row, target], found.high[row, target]) == (low, high)


def test_a_set_has_the_classes_that_are_not_stranger_than_too_many_rows() -> None:
    """Romano, Sesia & Candès 2020, algorithm 2, row by row."""
    rng = RNG(1)
    scores = tuple(np.sort(rng.random(size)) for size in (8, 7, 9))
    p = rng.dirichlet([1.0, 1, 1], size=(30, 3))
    found = CrossSets(scores, 0.8).sets(p.reshape(30, -1))
    for row in range(30):
        for label in range(3):
            smaller = sum(
                int((fold < adaptive_scores(p[row, [k]])[0, label]).sum())
                for k, fold in enumerate(scores)
            )
            assert found[row, label] == (smaller < Fraction("0.8") * 25)
    assert 0 < found.mean() < 1


def test_equal_networks_give_the_sets_and_intervals_of_split_conformal_prediction() -> None:
    rng = RNG(2)
    p, labels = rng.dirichlet([1.0, 1, 1], size=60), rng.integers(3, size=60)
    scores = adaptive_scores(p)[np.arange(60), labels]
    folds = tuple(np.sort(each) for each in np.split(scores, 3))
    one = AdaptiveSets.fit(p, labels, 0.9).sets(p)
    assert (CrossSets(folds, 0.9).sets(np.hstack([p] * 3)) == one).all()


def test_the_guarantee_is_that_of_the_theorem() -> None:
    """Barber et al. 2021: 1 - 2α for the jackknife+ (theorem 1), less for K folds (theorem 4)."""
    assert guaranteed(0.9, 100, 100) == pytest.approx(0.8)
    assert guaranteed(0.9, 500, 5) == pytest.approx(0.8 - 1.6 / 101)
    assert guaranteed(0.9, 20, 10) == pytest.approx(0.8 - 0.5 / 11)
    assert guaranteed(0.5, 20, 2) == 0


def test_too_few_rows_are_refused() -> None:
    errors = CrossErrors((np.zeros((4, 1)), np.zeros((4, 1))), 0.9)
    with pytest.raises(DataError, match="at least 9 calibration rows, and there are 8"):
        errors.bounds(np.zeros((1, 2)), np.zeros((1, 1)))


def test_the_coverage_is_about_the_level_where_errors_on_training_rows_are_too_small() -> None:
    """Least squares with a coefficient for every four rows: their errors cover three quarters."""
    rng, inside, by_own = RNG(3), [], []
    for _ in range(100):
        X = rng.normal(size=(80, 8))
        y = X[:, 0] + rng.normal(size=80)
        folds = np.arange(40) % 5
        fits = [np.linalg.lstsq(X[:40][folds != k], y[:40][folds != k])[0] for k in range(5)]
        errors = tuple(np.abs(y[:40] - X[:40] @ f)[folds == k, None] for k, f in enumerate(fits))
        outputs = X[40:] @ np.transpose(fits)
        low, high = CrossErrors(errors, 0.8).bounds(outputs, outputs[:, :1])
        inside.append(((low[:, 0] <= y[40:]) & (y[40:] <= high[:, 0])).mean())
        all_rows = np.linalg.lstsq(X[:40], y[:40])[0]
        half = quantile(np.abs(y[:40] - X[:40] @ all_rows), 0.8)
        by_own.append((np.abs(y[40:] - X[40:] @ all_rows) <= half).mean())
    assert 0.8 <= np.mean(inside) <= 0.86
    assert np.mean(by_own) < 0.75
