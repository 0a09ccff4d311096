"""Effects of two columns of numbers together, and how far these are more than their sum.

Second-order accumulated local effects (Apley & Zhu 2020, J. R. Statist. Soc. B 82, 1059, eq. 17 and
18): in each cell of a grid, the mean over its rows of the second difference of f over the cell is
accumulated along both axes; what depends on one axis alone is subtracted. A cell without rows has
the second difference of the nearest cell that has some.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bpcli.explanation.columns import Column
from bpcli.explanation.draws import Outputs
from bpcli.explanation.effects import Curve, bin_of, edges_of
from bpcli.nn.arrays import Array, Vector

CELLS = 10
"""The most cells along an axis."""

_ROWS_PER_CELL = 5
"""The mean number of rows in a cell: with fewer, many cells have none."""


@dataclass(frozen=True)
class Surface:
    """The joint effect `values` (p, q, K) on each output at the edges x (p,) and y (q,).

    `counts` (p - 1, q - 1) are the rows in each cell. `strength` (K,) is the standard deviation
    over the rows of the interaction: of what is not the sum of the two curves.
    """

    x: Vector
    y: Vector
    values: Array
    counts: Array
    strength: Vector

    @property
    def empty(self) -> float:
        """The share of cells without rows, where the network extrapolates."""
        return float((self.counts == 0).mean())


@dataclass(frozen=True)
class Interaction:
    """The interaction (p, q, K) at the edges of a grid, and the rows in its cells."""

    x: Vector
    y: Vector
    values: Array
    counts: Array

    @property
    def strength(self) -> Vector:
        """Its standard deviation over the rows (K,)."""
        return np.sqrt(_mean_over_rows(cell_means(self.values) ** 2, self.counts))

    def joined(self, first: Curve, second: Curve) -> Surface:
        """The joint effect: the curve of each column and the interaction."""
        sums = _on(first, self.x)[:, np.newaxis] + _on(second, self.y) + self.values
        return Surface(self.x, self.y, sums, self.counts, self.strength)


def interaction(first: Column, second: Column, X: Array, outputs: Outputs) -> Interaction | None:
    """The interaction of two columns in rows that have both; None if one is constant."""
    u, v = first.numbers(X), second.numbers(X)
    cells = int(np.clip(np.sqrt(len(X) / _ROWS_PER_CELL), 2, CELLS))
    x, y = edges_of(u, cells), edges_of(v, cells)
    if len(x) < 2 or len(y) < 2:
        return None
    i, j = bin_of(u, x), bin_of(v, y)

    def corner(a: int, b: int) -> Array:
        return outputs(second.set_value(first.set_value(X, x[i + a]), y[j + b]))

    change = corner(1, 1) - corner(0, 1) - corner(1, 0) + corner(0, 0)
    counts, sums = (
        np.zeros((len(x) - 1, len(y) - 1)),
        np.zeros((len(x) - 1, len(y) - 1, change.shape[1])),
    )
    np.add.at(counts, (i, j), 1)
    np.add.at(sums, (i, j), change)
    steps = _nearest(sums / np.maximum(counts, 1)[..., np.newaxis], counts)
    return Interaction(x, y, pure(np.cumsum(np.cumsum(steps, axis=0), axis=1), counts), counts)


def pure(accumulated: Array, counts: Array) -> Array:
    """The interaction (p, q, K) from accumulated steps (p - 1, q - 1, K).

    Along each axis, the accumulated effect of that axis alone is subtracted; then the mean.
    """
    g = np.pad(accumulated, ((1, 0), (1, 0), (0, 0)))
    g = g - _along(g, counts)[:, np.newaxis] - _along(g.swapaxes(0, 1), counts.T)
    centred: Array = g - _mean_over_rows(cell_means(g), counts)
    return centred


def _along(g: Array, counts: Array) -> Array:
    """The accumulated effect (p, K) of the first axis of g (p, q, K) alone."""
    steps = np.diff(g, axis=0)
    steps = (steps[:, 1:] + steps[:, :-1]) / 2
    means = (counts[..., np.newaxis] * steps).sum(axis=1) / counts.sum(axis=1, keepdims=True)
    accumulated: Array = np.pad(np.cumsum(means, axis=0), ((1, 0), (0, 0)))
    return accumulated


def cell_means(g: Array) -> Array:
    """The mean (p - 1, q - 1, K) of the four corners of each cell."""
    means: Array = (g[1:, 1:] + g[:-1, 1:] + g[1:, :-1] + g[:-1, :-1]) / 4
    return means


def _mean_over_rows(cells: Array, counts: Array) -> Vector:
    mean: Vector = (counts[..., np.newaxis] * cells).sum(axis=(0, 1)) / counts.sum()
    return mean


def _nearest(steps: Array, counts: Array) -> Array:
    """The steps, those of cells without rows from the nearest cell with some."""
    full, empty = np.argwhere(counts > 0), np.argwhere(counts == 0)
    steps = steps.copy()
    for cell in empty:
        steps[tuple(cell)] = steps[tuple(full[((full - cell) ** 2).sum(axis=1).argmin()])]
    return steps


def _on(curve: Curve, at: Vector) -> Array:
    """The values (len(at), K) of a curve at other places."""
    return np.stack([np.interp(at, curve.at, each) for each in curve.values.T], axis=1)


def dependence_surface(
    first: Column, second: Column, grid: Interaction, X: Array, outputs: Outputs
) -> Surface:
    """The partial dependence on two columns at the edges of a grid, minus its mean over rows."""
    moved = [[second.set_value(first.set_value(X, a), b) for b in grid.y] for a in grid.x]
    g = np.array([[outputs(rows).mean(axis=0) for rows in line] for line in moved])
    values = g - _mean_over_rows(cell_means(g), grid.counts)
    return Surface(grid.x, grid.y, values, grid.counts, grid.strength)
