"""Conformal intervals and sets: ranks, coverage, and the definition by brute force."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from bpcli.errors import DataError
from bpcli.intervals.conformal import AbsoluteErrors, AdaptiveSets, fewest_rows, quantile

RNG = np.random.default_rng
NO_INPUTS = np.empty((0, 0))


@pytest.mark.parametrize(
    ("level", "fewest"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99), (0.999, 999)]
)
def test_the_fewest_rows_are_those_whose_largest_score_is_enough(level: float, fewest: int) -> None:
    """n / (n + 1) >= level."""
    assert fewest_rows(level) == fewest
    assert Fraction(fewest, fewest + 1) >= Fraction(repr(level))
    scores = np.arange(fewest, dtype=float)
    assert quantile(scores, level) == fewest - 1
    if fewest > 1:
        with pytest.raises(DataError, match=f"needs at least {fewest:,} calibration rows, and"):
            quantile(scores[1:], level)


@pytest.mark.parametrize("rows", [9, 10, 18, 19, 20, 99, 100, 199])
@pytest.mark.parametrize("level", [0.5, 0.7, 0.9])
def test_the_quantile_is_the_smallest_score_that_enough_are_below(rows: int, level: float) -> None:
    scores = RNG(rows).permutation(rows) + 1.0
    chosen = float(quantile(scores, level))
    assert Fraction(int(chosen), rows + 1) >= Fraction(repr(level))
    assert Fraction(int(chosen) - 1, rows + 1) < Fraction(repr(level))


def test_of_all_orders_of_rows_the_level_is_covered_exactly() -> None:
    """The last of 5 rows is at most the 4th smallest of the others in 4 of 5 orders."""
    rows = np.array([0.3, 1.0, 2.5, 2.6, 9.0])
    covered = [abs(rows[last]) <= quantile(np.abs(np.delete(rows, last)), 0.8) for last in range(5)]
    assert sum(covered) == 4


def test_each_target_has_its_own_half_width() -> None:
    targets = np.column_stack([np.arange(9.0), 10 * np.arange(9.0)])
    fitted = AbsoluteErrors.fit(np.zeros((9, 2)), -targets, 0.9)
    assert fitted.half.tolist() == [8, 80]
    low, high = fitted.bounds(NO_INPUTS, np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert low.tolist() == [[-7, -78], [-5, -76]]
    assert high.tolist() == [[9, 82], [11, 84]]


NOISES = {
    "normal": lambda rng, x: rng.normal(0, 1, len(x)),
    "skewed": lambda rng, x: rng.exponential(1, len(x)),
    "growing": lambda rng, x: rng.normal(0, np.abs(x) + 0.1),
    "heavy tails": lambda rng, x: rng.standard_cauchy(len(x)),
}


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize(("rows", "level"), [(39, 0.9), (60, 0.8), (200, 0.95)])
def test_the_coverage_is_the_level_whatever_the_noise(noise: str, rows: int, level: float) -> None:
    """A wrong prediction, 2x for x, is covered as often: between the level and 1/(n + 1) more."""
    rng, shares = RNG(rows), []
    for _ in range(400):
        x = rng.normal(size=rows + 200)
        y = (x + NOISES[noise](rng, x))[:, np.newaxis]
        outputs = 2 * x[:, np.newaxis]
        low, high = AbsoluteErrors.fit(outputs[:rows], y[:rows], level).bounds(
            NO_INPUTS, outputs[rows:]
        )
        shares.append(((low <= y[rows:]) & (y[rows:] <= high)).mean())
    error = 3 * np.std(shares) / np.sqrt(len(shares))
    assert level - error <= np.mean(shares) <= level + 1 / (rows + 1) + error


def drawn(rng: np.random.Generator, rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and classes that are not drawn from them: a network may be overconfident."""
    z = rng.normal(size=(rows, classes))
    true, said = np.exp(z), np.exp(3 * z)
    true, said = (each / each.sum(axis=1, keepdims=True) for each in (true, said))
    return said, (rng.random((rows, 1)) > true.cumsum(axis=1)[:, :-1]).sum(axis=1)


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize(("rows", "level"), [(39, 0.9), (200, 0.8)])
def test_sets_have_the_level_however_confident_the_network_is(
    classes: int, rows: int, level: float
) -> None:
    rng, shares = RNG(rows), []
    for _ in range(300):
        p, labels = drawn(rng, rows + 200, classes)
        sets = AdaptiveSets.fit(p[:rows], labels[:rows], level).sets(p[rows:])
        shares.append(sets[np.arange(200), labels[rows:]].mean())
    error = 3 * np.std(shares) / np.sqrt(len(shares))
    assert level - error <= np.mean(shares) <= level + 1 / (rows + 1) + error


def test_a_set_has_the_most_probable_classes() -> None:
    p, labels = drawn(RNG(0), 500, 5)
    sets = AdaptiveSets.fit(p, labels, 0.9).sets(p)
    for row, inside in zip(p, sets, strict=True):
        order = np.argsort(-row)
        size = inside.sum()
        assert inside[order[:size]].all()
    sizes = sets.sum(axis=1)
    assert {*sizes.tolist()} > {1, 2}


def test_a_score_lies_between_the_sums_of_probabilities() -> None:
    """With u in [0, 1), it is between the sum before the class and the sum with it."""
    p, _ = drawn(RNG(1), 300, 4)
    for threshold in (0.3, 0.6, 0.9):
        sets = AdaptiveSets(threshold).sets(p)
        for row, inside in zip(p, sets, strict=True):
            for k, value in enumerate(row):
                before = row[row > value].sum()
                if before + value <= threshold:
                    assert inside[k]
                if before > threshold + 1e-12:
                    assert not inside[k]


def test_the_last_class_is_drawn_with_the_probability_that_is_left() -> None:
    """Rows with nearly equal probabilities ½, 0.3, 0.2: at 0.65, the second is in half of them."""
    rows = np.array([0.5, 0.3, 0.2]) + 1e-9 * RNG(2).normal(size=(40_000, 3))
    sets = AdaptiveSets(0.65).sets(rows)
    assert sets[:, 0].all()
    assert not sets[:, 2].any()
    assert sets[:, 1].mean() == pytest.approx(0.5, abs=4 * 0.5 / 200)
    halves = [sets[:, 1][RNG(seed).permutation(40_000)[:20_000]].mean() for seed in range(3)]
    assert halves == pytest.approx([0.5] * 3, abs=4 * 0.5 / 141)


def test_equal_rows_have_equal_sets_in_any_order() -> None:
    p, labels = drawn(RNG(3), 100, 3)
    fitted = AdaptiveSets.fit(p, labels, 0.7)
    order = RNG(4).permutation(100)
    assert (fitted.sets(p)[order] == fitted.sets(p[order])).all()
    assert (fitted.sets(np.asfortranarray(p)) == fitted.sets(p)).all()
    assert (np.concatenate([fitted.sets(row[np.newaxis]) for row in p]) == fitted.sets(p)).all()


def test_an_uncertain_row_may_have_all_classes_and_a_surprising_one_none() -> None:
    flat, sure = np.full((1, 4), 0.25), np.array([[1.0, 0, 0, 0]])
    assert AdaptiveSets(1.0).sets(flat).all()
    sizes = {
        int(AdaptiveSets(0.5).sets(sure + scale * np.array([[-1.0, 1, 0, 0]])).sum())
        for scale in 1e-6 * np.arange(1, 60)
    }
    assert sizes == {0, 1}
