"""Association of two columns: a number from 0 to 1 (Pearson's r from -1). Pure numpy.

Rows where either value is missing are ignored. The association with a constant column is None.
"""

from __future__ import annotations

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.arrays import Array


def pearson(x: Array, y: Array) -> float | None:
    """Pearson's r = Σ(x - x̄)(y - ȳ) / √(Σ(x - x̄)² Σ(y - ȳ)²) of two columns of numbers (n,)."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = _centred(x[both]), _centred(y[both])
    spread = np.sqrt(x.dot(x)) * np.sqrt(y.dot(y))
    return float(np.clip(x.dot(y) / spread, -1, 1)) if spread else None


def correlation_ratio(labels: Labels, y: Array) -> float | None:
    """The correlation ratio η = √(Σ n_k (ȳ_k - ȳ)² / Σ(y - ȳ)²) of numbers y in groups k.

    `labels` number the groups, -1 for missing. η² is the fraction of the variance of y that lies
    between the groups (K. Pearson, 1905); it does not depend on the order of the groups.
    """
    known = (labels >= 0) & np.isfinite(y)
    labels, y = labels[known], _centred(y[known])
    total = y.dot(y)
    if not total:
        return None
    rows = np.bincount(labels)
    sums = np.bincount(labels, y)[rows > 0]
    return float(np.sqrt(min(1.0, (sums**2 / rows[rows > 0]).sum() / total)))


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


def _centred(values: Array) -> Array:
    """Subtract the mean and divide by the largest size: squares neither over- nor underflow."""
    if not len(values):
        return values
    values = values / (np.abs(values).max() or 1)
    centred: Array = values - values.mean()
    largest = np.abs(centred).max()
    rounding = 10 * np.finfo(np.float64).eps
    return centred / largest if largest > rounding else np.zeros(len(values))
