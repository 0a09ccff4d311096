"""Effect curves: how the outputs change with one column, and how certain this is.

Accumulated local effects (Apley & Zhu 2020, J. R. Statist. Soc. B 82, 1059, eq. 15 and 16): with
the edges x_0 < … < x_K of bins with equally many rows,

    g(x_k) = Σ_{l ≤ k} mean over the rows i of bin l of f(x_l, other_i) - f(x_{l-1}, other_i)

minus its mean over the rows. A row is moved within its bin only, so that hardly any combination is
computed that does not occur. Categories are put in order first (`category_order.py`), and a row is
moved to the neighbours of its category.

Partial dependence (Friedman 2001, Annals of Statistics 29, 1189, section 8.2) moves every row to
every value: g(x) = mean over all rows i of f(x, other_i), here minus its mean over the rows too.

Bands are pointwise 95 % intervals of the bootstrap over the rows; for an average of networks, they
are the range of the curves of these networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bpcli.data.types import Labels
from bpcli.explanation.columns import Column
from bpcli.explanation.draws import LEVEL, Outputs
from bpcli.nn.arrays import Array, Vector

BINS = 20
_ROWS_PER_BIN = 5


@dataclass(frozen=True)
class Curve:
    """Values (m, K) of the effect on each output at m places, minus their mean over the rows.

    `at` (m,) are numbers, days, or the indices of levels. `rows` (m,) tell how many rows lie at or
    near each place. `low` and `high` (m, K) bound the band.
    """

    at: Vector
    rows: Vector
    values: Array
    low: Array
    high: Array

    @property
    def ranges(self) -> Vector:
        """How far the effect on each output (K,) goes."""
        span: Vector = self.values.max(axis=0) - self.values.min(axis=0)
        return span


@dataclass(frozen=True)
class Steps:
    """What curves are averaged from: steps of rows between places, or values of rows at places.

    Entry e is a row `row[e]` that changes the outputs by `change[e]` (K,) from place `step[e]` to
    the next one. `near` (n, m) says how much of each row counts as near each place.
    """

    at: Vector
    near: Array
    row: Labels
    step: Labels
    change: Array

    def curves(self, counts: Array) -> Array:
        """The curves (B, m, K) if row i is there `counts[b, i]` times."""
        m, outputs = len(self.at), self.change.shape[1]
        member = np.zeros((len(self.row), m - 1))
        member[np.arange(len(self.row)), self.step] = 1
        own = counts[:, self.row]
        total, curves = own @ member, np.zeros((len(counts), m, outputs))
        for k in range(outputs):
            sums = own @ (member * self.change[:, k : k + 1])
            curves[:, 1:, k] = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
        curves = curves.cumsum(axis=1)
        return curves - _means(curves, counts @ self.near)


def _means(curves: Array, weights: Array) -> Array:
    """The mean (B, 1, K) of curves (B, m, K) with weights (B, m) of their places."""
    shares = weights / weights.sum(axis=1, keepdims=True)
    means: Array = np.einsum("bm,bmk->bk", shares, curves)[:, np.newaxis]
    return means


@dataclass(frozen=True)
class Levels:
    """The outputs (m, n, K) of all rows at every place, for partial dependence."""

    at: Vector
    near: Array
    outputs: Array

    def curves(self, counts: Array) -> Array:
        shares = counts / counts.sum(axis=1, keepdims=True)
        curves = np.stack([shares @ at for at in self.outputs], axis=1)
        return curves - _means(curves, counts @ self.near)


def effect(steps: Steps | Levels, counts: Array) -> Curve:
    """The curve with its band, from the counts (B, n) of the rows in resamples."""
    n = len(steps.near)
    values = steps.curves(np.ones((1, n)))[0]
    tails = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    low, high = values, values
    if n > 1:
        low, high = np.quantile(steps.curves(counts), tails, axis=0)
    return Curve(steps.at, steps.near.sum(axis=0), values, low, high)


def effect_of_members(steps: Steps | Levels, members: Sequence[Steps | Levels]) -> Curve:
    """The curve of an average of networks, with the range of its members' curves as its band."""
    once = np.ones((1, len(steps.near)))
    curves = np.stack([each.curves(once)[0] for each in members])
    rows = steps.near.sum(axis=0)
    return Curve(steps.at, rows, steps.curves(once)[0], curves.min(axis=0), curves.max(axis=0))


# The places of a column.


def edges_of(values: Vector, bins: int = BINS) -> Vector:
    """The edges of bins with about equally many rows; each is the value of a row.

    A value with more than its share of the rows is an edge of its own, and the bins are made of the
    other rows: else nine zeros of ten rows would leave two bins.
    """
    distinct, counts = np.unique(values, return_counts=True)
    frequent = distinct[counts * bins >= len(values)]
    rest = values[~np.isin(values, frequent)]
    most = min(bins - len(frequent), len(rest) // _ROWS_PER_BIN)
    shares = np.linspace(0, 1, max(most, 1) + 1)
    others = np.quantile(rest, shares, method="inverted_cdf") if len(rest) else rest
    edges: Vector = np.union1d(frequent, others)
    return edges


def bin_of(values: Vector, edges: Vector) -> Labels:
    """The bin (x_{k-1}, x_k] of each number, from 0; the first one has its lower edge too."""
    bins: Labels = np.searchsorted(edges[1:], values, side="left")
    return bins


def number_steps(column: Column, X: Array, outputs: Outputs) -> Steps | None:
    """The steps of a column of numbers, for rows X that all have one; None if it is constant."""
    values = column.numbers(X)
    edges = edges_of(values)
    if len(edges) < 2:
        return None
    index = bin_of(values, edges)
    rows = np.arange(len(X))
    above = outputs(column.set_value(X, edges[index + 1]))
    change = above - outputs(column.set_value(X, edges[index]))
    near = np.zeros((len(X), len(edges)))
    near[rows, index] = near[rows, index + 1] = 0.5
    return Steps(edges, near, rows, index, change)


def level_steps(column: Column, order: Labels, X: Array, outputs: Outputs) -> Steps | None:
    """The steps between neighbouring levels, for rows X that all have one of them.

    `order` are the levels that occur; None if there is one only.
    """
    if len(order) < 2:
        return None
    place_of = np.full(len(column.levels), -1)
    place_of[order] = np.arange(len(order))
    position = place_of[column.codes(X)]
    rows = np.arange(len(X))
    as_it_is = outputs(X)
    up, down = rows[position < len(order) - 1], rows[position > 0]
    above = outputs(column.set_level(X[up], order[position[up] + 1])) - as_it_is[up]
    below = as_it_is[down] - outputs(column.set_level(X[down], order[position[down] - 1]))
    near = np.zeros((len(X), len(order)))
    near[rows, position] = 1
    return Steps(
        order.astype(np.float64),
        near,
        np.concatenate([up, down]),
        np.concatenate([position[up], position[down] - 1]),
        np.concatenate([above, below]),
    )


def dependence(column: Column, X: Array, outputs: Outputs) -> Levels | None:
    """The outputs of all rows at each place of a column; None if it is constant."""
    rows = np.arange(len(X))
    if column.levels:
        codes = column.codes(X)
        at = np.unique(codes)
        near = (codes[:, np.newaxis] == at).astype(np.float64)
        moved = [column.set_level(X, int(level)) for level in at]
    else:
        values = column.numbers(X)
        at = edges_of(values)
        if len(at) < 2:
            return None
        near, index = np.zeros((len(X), len(at))), bin_of(values, at)
        near[rows, index] = near[rows, index + 1] = 0.5
        moved = [column.set_value(X, value) for value in at]
    if len(at) < 2:
        return None
    return Levels(at.astype(np.float64), near, np.stack([outputs(each) for each in moved]))


def in_order_of_levels(curve: Curve) -> Curve:
    """The curve of categories in the order of the training, instead of that of its steps."""
    order = np.argsort(curve.at)
    return replace(
        curve,
        at=curve.at[order],
        rows=curve.rows[order],
        values=curve.values[order],
        low=curve.low[order],
        high=curve.high[order],
    )
