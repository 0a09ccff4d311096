"""Tests and intervals of the difference between two predictors on the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.metrics.bootstrap import bootstrap_intervals
from bpcli.metrics.metrics import Sample, mean_of
from bpcli.metrics.paired import PairedTest, difference_of, mcnemar, wilcoxon

RNG = np.random.default_rng

MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48.0])
"""Darwin's 15 differences in height between cross- and self-fertilised maize, in eighths of an
inch (1876; Fisher 1935, The Design of Experiments, sec. 17)."""


def right(*counts: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows on which both, the first alone, the second alone and neither are right."""
    first = np.repeat([True, True, False, False], counts)
    return first, np.repeat([True, False, True, False], counts)


@pytest.mark.parametrize(
    ("counts", "p", "better"),
    [
        ((81, 9, 0, 0), 2 / 2**9, "first"),
        ((10, 0, 9, 3), 2 / 2**9, "second"),
        ((0, 5, 1, 0), 2 * (1 + 6) / 2**6, "neither"),
        ((4, 3, 3, 4), 1, "neither"),
        ((7, 0, 0, 2), 1, "neither"),
    ],
)
def test_mcnemar_is_the_tail_of_the_binomial(
    counts: tuple[int, ...], p: float, better: str
) -> None:
    both, first, second, neither = counts
    found = mcnemar(*right(*counts))
    assert found == ("mcnemar", first, second, both + neither, pytest.approx(p, rel=1e-12), better)


def test_wilcoxon_on_darwins_maize() -> None:
    """Rank sum 24 of the negative differences: p = 1352 / 2^15, counted over all signs."""
    signs = 1 - 2 * ((np.arange(2**15)[:, np.newaxis] >> np.arange(15)) & 1)
    ranks = np.abs(MAIZE).argsort().argsort() + 1
    sums = (ranks * (signs < 0)).sum(axis=1)
    negative = ranks[MAIZE < 0].sum()
    assert negative == 24
    expected = 2 * (sums <= negative).mean()
    found = wilcoxon(MAIZE.clip(0), (-MAIZE).clip(0))
    assert found == ("wilcoxon", 2, 13, 0, pytest.approx(expected, rel=1e-12), "second")
    assert found.p == pytest.approx(0.0413, abs=5e-5)
    other = wilcoxon((-MAIZE).clip(0), MAIZE.clip(0))
    assert (other.first, other.second, other.better) == (13, 2, "first")
    assert other.p == found.p


def test_wilcoxon_follows_the_ranks_not_the_numbers_of_rows() -> None:
    """Twelve small errors less weigh less than eleven large ones."""
    first = np.r_[np.zeros(12), np.full(11, 9.0) + np.arange(11)]
    second = np.r_[0.1 + np.arange(12) / 100, np.zeros(11)]
    found = wilcoxon(first, second)
    assert (found.first, found.second) == (12, 11)
    assert wilcoxon(first[9:], second[9:]).better == "second"
    assert found.p < 0.1


def test_equal_errors_are_no_difference() -> None:
    same = RNG(0).random(20)
    assert wilcoxon(same, same) == PairedTest("wilcoxon", 0, 0, 20, 1.0, "neither")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [1, 2, 60, 5000])
def test_the_share_of_false_alarms_is_at_most_that_of_p(rows: int) -> None:
    rng, trials = RNG(rows), 200 if rows < 1000 else 20
    ps = [wilcoxon(rng.random(rows), rng.random(rows)).p for _ in range(trials)]
    ps += [mcnemar(rng.random(rows) < 0.7, rng.random(rows) < 0.7).p for _ in range(trials)]
    assert np.mean(np.array(ps) < 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(ps))


def test_the_interval_of_a_difference_is_that_of_the_paired_rows() -> None:
    """What both find difficult cancels: the width is that of the differences, not of each."""
    rng, rows = RNG(0), 2500
    difficult = rng.normal(0, 5, rows)
    first, second = (difficult + rng.normal(mean, 0.5, rows) for mean in (0.3, 0.0))
    sample = difference_of(*(Sample(each[np.newaxis], mean_of) for each in (first, second)))
    interval = bootstrap_intervals({"mean": sample}, RNG(1))["mean"]
    assert interval is not None
    differences = first - second
    half = 1.96 * differences.std() / np.sqrt(rows)
    assert interval.low == pytest.approx(differences.mean() - half, abs=0.1 * half)
    assert interval.high == pytest.approx(differences.mean() + half, abs=0.1 * half)
