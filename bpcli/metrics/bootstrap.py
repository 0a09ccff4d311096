"""Intervals of metrics by the bootstrap: their uncertainty from the limited number of rows.

The rows are drawn again, with replacement, many times. Metrics are functions of means over rows,
so a resample needs only the count of each row, and one product gives the means of many resamples.
Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13: the percentile interval.

A metric that counts rows, such as the accuracy, has the exact interval of a share instead: if all
rows are right, so are those of every resample, and the bootstrap would claim to be certain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from bpcli.metrics.metrics import Sample, mean_of
from bpcli.nn.arrays import Array

RESAMPLES = 1000
LEVEL = 0.95
_NUMBERS_AT_ONCE = 2**20


class Interval(NamedTuple):
    """The (1 - LEVEL) / 2 and the (1 + LEVEL) / 2 quantile of the resamples."""

    low: float
    high: float


def bootstrap_intervals(
    samples: Mapping[str, Sample], rng: np.random.Generator
) -> dict[str, Interval | None]:
    """The interval of each metric, all from the same resamples of the rows.

    None if the metric is undefined in a resample, or there is a single row.
    """
    if not samples:
        return {}
    statistics = [sample.statistics for sample in samples.values()]
    if statistics[0].shape[1] == 1:
        return dict.fromkeys(samples)
    means = _resampled_means(np.concatenate(statistics), rng)
    pieces = np.split(means, np.cumsum([len(each) for each in statistics])[:-1], axis=1)
    return {
        name: share_interval(sample.statistics[0])
        if _is_share(sample)
        else _interval(sample.value(piece))
        for (name, sample), piece in zip(samples.items(), pieces, strict=True)
    }


def _is_share(sample: Sample) -> bool:
    """Whether a metric is the share of the rows that have something."""
    is_mean = sample.value is mean_of and len(sample.statistics) == 1
    return is_mean and bool(np.isin(sample.statistics, (0, 1)).all())


def share_interval(has_it: Array) -> Interval:
    """The exact interval of a share of rows (n,) (Clopper & Pearson 1934, Biometrika 26, 404)."""
    from scipy.special import betaincinv

    rows, count = len(has_it), int(has_it.sum())
    low, high = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    return Interval(
        float(betaincinv(count, rows - count + 1, low)) if count else 0.0,
        float(betaincinv(count + 1, rows - count, high)) if count < rows else 1.0,
    )


def _interval(values: Array) -> Interval | None:
    if not np.isfinite(values).all():
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def _resampled_means(statistics: Array, rng: np.random.Generator) -> Array:
    """The means (RESAMPLES, m) of statistics (m, n)."""
    rows = statistics.shape[1]
    return np.concatenate([counts @ statistics.T / rows for counts in _counts(rows, rng)])


def _counts(rows: int, rng: np.random.Generator) -> Iterator[Array]:
    """The count of each row in each resample: (resamples, rows), a few megabytes at a time."""
    at_once = max(1, _NUMBERS_AT_ONCE // rows)
    for start in range(0, RESAMPLES, at_once):
        resamples = min(at_once, RESAMPLES - start)
        drawn = rng.integers(rows, size=(resamples, rows))
        drawn += rows * np.arange(resamples)[:, np.newaxis]
        counts = np.bincount(drawn.ravel(), minlength=resamples * rows)
        yield counts.reshape(resamples, rows).astype(np.float64)
