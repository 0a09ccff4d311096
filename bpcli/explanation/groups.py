"""Columns with nearly the same information: the association of all pairs, and groups of them.

Of two columns of numbers, the association is |Spearman's rho|; of a number and a category, the
correlation ratio of the ranks; of two categories, Cramér's V. `data/association.py` has formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from bpcli.data.association import correlation_ratios, cramers_v, pearsons
from bpcli.explanation.columns import Column
from bpcli.nn.arrays import Array, Vector

THRESHOLD = 0.7
"""Columns with a stronger association are permuted together too."""

MOST_CATEGORIES = 60
"""So many columns of categories are compared with each other: 1,770 pairs take about a second."""


def associations(columns: Sequence[Column], X: Array) -> Array:
    """The association of each pair of columns over rows X (n, d): (columns, columns), 0 to 1.

    0 with a constant column, and of a column with itself.
    """
    strengths = np.zeros((len(columns), len(columns)))
    numbers = [at for at, column in enumerate(columns) if not column.levels]
    others = [at for at, column in enumerate(columns) if column.levels]
    ranked = np.array([ranks(columns[at].numbers(X)) for at in numbers]).reshape(-1, len(X))
    codes = {at: columns[at].codes(X) for at in others}
    for row, at in enumerate(numbers[:-1]):
        strengths[at, numbers[row + 1 :]] = np.abs(pearsons(ranked[row + 1 :], ranked[row]))
    for at in others if numbers else ():
        strengths[at, numbers] = correlation_ratios(codes[at], ranked)
    for a, b in combinations(others[:MOST_CATEGORIES], 2):
        strengths[a, b] = cramers_v(codes[a], codes[b]) or 0.0
    strengths = np.nan_to_num(strengths)
    return np.maximum(strengths, strengths.T)


def ranks(values: Vector) -> Vector:
    """The ranks from 0 of numbers (n,), equal ones with their mean rank; NaN stays NaN."""
    known = np.isfinite(values)
    _, inverse, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    ranked = np.full(len(values), np.nan)
    ranked[known] = (np.cumsum(counts) - (counts + 1) / 2)[inverse]
    return ranked


def correlated_groups(association: Array) -> list[list[int]]:
    """Groups of two columns or more that are connected by associations above `THRESHOLD`."""
    group = np.arange(len(association))
    for a, b in zip(*np.nonzero(np.triu(association > THRESHOLD)), strict=True):
        group[group == group[b]] = group[a]
    members = [np.flatnonzero(group == number).tolist() for number in dict.fromkeys(group.tolist())]
    return [each for each in members if len(each) > 1]
