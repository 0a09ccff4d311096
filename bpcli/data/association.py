"""Association of two columns: a number from 0 to 1 (Pearson's r from -1). Pure numpy.

Rows where either value is missing are ignored. The association with a constant column is None.
"""

from __future__ import annotations

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.arrays import Array, Vector


def pearsons(rows: Array, y: Array) -> Vector:
    """Pearson's r of y (n,) and each of many columns, which are rows (d, n); NaN if undefined.

    r = Σ(x - x̄)(y - ȳ) / √(Σ(x - x̄)² Σ(y - ȳ)²), over the rows in which both are finite.
    """
    both = np.isfinite(rows) & np.isfinite(y)
    X, Y = _centred(rows, both), _centred(y, both)
    spread = np.sqrt((X * X).sum(axis=1)) * np.sqrt((Y * Y).sum(axis=1))
    r: Vector = np.clip(_ratio((X * Y).sum(axis=1), spread), -1, 1)
    return r


def correlation_ratio(labels: Labels, y: Array) -> float | None:
    """The correlation ratio η = √(Σ n_k (ȳ_k - ȳ)² / Σ(y - ȳ)²) of numbers y in groups k.

    `labels` number the groups, -1 for missing. η² is the fraction of the variance of y that lies
    between the groups (K. Pearson, 1905); it does not depend on the order of the groups.
    """
    known = (labels >= 0) & np.isfinite(y)
    return _one(correlation_ratios(labels[known], y[np.newaxis, known]))


def correlation_ratios(labels: Labels, rows: Array) -> Vector:
    """The correlation ratio of many columns of numbers, which are rows (d, n); NaN if undefined."""
    known = (labels >= 0) & np.isfinite(rows)
    Y, groups = _centred(rows, known), int(labels.max(initial=0)) + 1
    cells = np.where(known, labels, 0) + groups * np.arange(len(rows))[:, np.newaxis]

    def sums(weights: Array) -> Array:
        flat = np.bincount(cells.ravel(), weights.ravel(), groups * len(rows))
        return flat.reshape(len(rows), groups)

    between = (sums(Y) ** 2 / np.maximum(sums(known), 1)).sum(axis=1)
    return np.sqrt(np.minimum(1, _ratio(between, (Y * Y).sum(axis=1))))


def cramers_v(a: Labels, b: Labels) -> float | None:
    """Cramér's V = √(χ² / (n (min(r, c) - 1))) of two columns of r and c categories.

    χ²/n = Σ n_ij² / (n_i n_j) - 1 over the cells that have rows (H. Cramér, 1946, §21.9).
    """
    known = (a >= 0) & (b >= 0)
    a, b = a[known], b[known]
    if not len(a):
        return None
    rows_a, rows_b = np.bincount(a), np.bincount(b)
    smaller = min(np.count_nonzero(rows_a), np.count_nonzero(rows_b))
    if smaller < 2:
        return None
    cells, counts = np.unique(a * len(rows_b) + b, return_counts=True)
    i, j = np.divmod(cells, len(rows_b))
    phi_squared = (counts / rows_a[i] * (counts / rows_b[j])).sum() - 1
    return float(np.sqrt(np.clip(phi_squared / (smaller - 1), 0, 1)))


def _centred(values: Array, known: Array) -> Array:
    """Subtract means and divide by the largest sizes: squares neither over- nor underflow.

    Unknown values become 0, and so do rows that are constant except for rounding error.
    """
    values = np.where(known, values, 0.0)
    values /= _largest(values) + (_largest(values) == 0)
    means = values.sum(axis=1, keepdims=True) / np.maximum(1, known.sum(axis=1, keepdims=True))
    centred = np.where(known, values - means, 0.0)
    largest = _largest(centred)
    rounding = 10 * np.finfo(np.float64).eps
    return centred / np.where(largest > rounding, largest, np.inf)


def _largest(rows: Array) -> Array:
    largest: Array = np.abs(rows).max(axis=1, initial=0, keepdims=True)
    return largest


def _ratio(of: Vector, to: Vector) -> Vector:
    """NaN where the divisor is 0."""
    ratio: Vector = np.divide(of, to, out=np.full(len(of), np.nan), where=to > 0)
    return ratio


def _one(values: Vector) -> float | None:
    return None if np.isnan(values[0]) else float(values[0])
