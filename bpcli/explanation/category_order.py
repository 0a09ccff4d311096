"""An order of categories in which neighbours are alike, for steps between them.

Two categories are alike if the other columns are distributed alike in their rows. The distance is
the sum over the other columns of the largest difference of the cumulative distributions (numbers)
or half the sum of the differences of the shares (categories). The first principal coordinate of
these distances is the order: Apley & Zhu 2020, J. R. Statist. Soc. B 82, 1059, appendix E.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.data.types import Labels
from bpcli.explanation.columns import Column
from bpcli.nn.arrays import Array, Vector

_PLACES = 50
"""At so many values of a column, its cumulative distributions are compared."""


def order_of_levels(column: Column, others: Sequence[Column], X: Array) -> Labels:
    """The levels of a column that occur in rows X, in an order of likeness."""
    codes = column.codes(X)
    levels = np.unique(codes[codes >= 0])
    if len(levels) < 3:
        return levels
    distance = np.zeros((len(levels), len(levels)))
    own = (codes[:, np.newaxis] == levels).astype(np.float64)
    for other in others:
        distance += distances(_profiles(other, X, own), is_cumulative=not other.levels)
    order: Labels = levels[np.argsort(first_coordinate(distance), kind="stable")]
    return order


def _profiles(other: Column, X: Array, own: Array) -> Array:
    """The distribution of another column in the rows of each level: (levels, places)."""
    if other.levels:
        flags = other.codes(X)[:, np.newaxis] == np.arange(len(other.levels))
    else:
        values = other.numbers(X)
        known = values[np.isfinite(values)]
        shares = np.linspace(0, 1, _PLACES if len(known) else 0)
        flags = values[:, np.newaxis] <= np.quantile(known, shares)
    profiles: Array = (own.T @ flags) / own.sum(axis=0)[:, np.newaxis]
    return profiles


def distances(profiles: Array, *, is_cumulative: bool) -> Array:
    """The distances (levels, levels) of distributions."""
    if not profiles.shape[1]:
        return np.zeros((len(profiles), len(profiles)))
    differences = [np.abs(profiles - each) for each in profiles]
    return np.array([d.max(axis=1) if is_cumulative else d.sum(axis=1) / 2 for d in differences])


def first_coordinate(distance: Array) -> Vector:
    """The first principal coordinate (m,) of distances (m, m): classical scaling to a line.

    Torgerson 1952, Psychometrika 17, 401. Its sign is the one with a positive first entry that is
    not 0, so that equal distances give equal orders.
    """
    squares = distance**2
    centred = squares - squares.mean(axis=0) - squares.mean(axis=1, keepdims=True) + squares.mean()
    _, vectors = np.linalg.eigh(-centred / 2)
    coordinate: Vector = np.round(vectors[:, -1], 9)
    signs = np.sign(coordinate[coordinate != 0])
    return coordinate * (signs[0] if len(signs) else 1)
