"""Statistics of the columns of many rows, which need not be in memory at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bpcli.data.row_blocks import row_blocks
from bpcli.nn.arrays import Array, Vector


@dataclass(frozen=True)
class Pieces:
    """Rows (n, d) that `read` gives piece by piece.

    Rows of one piece keep the arithmetic of numpy's functions for arrays; the sums over several are
    added in the order of the pieces, which are the same for any source. With `is_stored` no more
    than one column is in memory as a whole. With `is_by_column`, one piece is laid out by columns.
    """

    shape: tuple[int, int]
    read: Callable[[slice], Array]
    weight: Vector | None = None
    is_stored: bool = False
    is_by_column: bool = False

    @classmethod
    def of_array(cls, rows: Array, weight: Vector | None = None) -> Pieces:
        return cls((len(rows), rows.shape[1]), rows.__getitem__, weight)

    @property
    def whole(self) -> Array:
        """All rows; booleans, and numbers with a fraction, in double precision."""
        rows = self.read(slice(0, self.shape[0]))
        if self.is_by_column:
            rows = np.asfortranarray(rows)
        return rows.astype(np.float64, copy=False) if rows.dtype.kind in "fb" else rows

    @property
    def is_one(self) -> bool:
        """Whether all rows are one piece."""
        first: slice = next(row_blocks(self.shape))
        return bool(first.stop == self.shape[0])

    def __iter__(self) -> Iterator[tuple[slice, Array]]:
        for where in row_blocks(self.shape):
            yield where, np.ascontiguousarray(self.read(where), np.float64)

    def column(self, j: int) -> Array:
        """All rows of one column (n, 1)."""
        return np.concatenate([rows[:, [j]] for _, rows in self])


def ends(pieces: Pieces) -> tuple[Vector, Vector]:
    """The least and the largest number of each column."""
    if pieces.is_one:
        rows = pieces.whole
        return rows.min(axis=0), rows.max(axis=0)
    ranges = [(rows.min(axis=0), rows.max(axis=0)) for _, rows in pieces]
    low, high = zip(*ranges, strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)


def mean_and_deviation(pieces: Pieces) -> tuple[Vector, Vector, Vector]:
    """The mean, the standard deviation, and the largest absolute number of each column."""
    if pieces.is_one:
        rows = pieces.whole
        return *_of_array(rows, pieces.weight), np.abs(rows).max(axis=0)
    largest = np.zeros(pieces.shape[1])

    def seen(rows: Array) -> Array:
        np.maximum(largest, np.abs(rows).max(axis=0), out=largest)
        return rows

    mean = _mean(pieces, seen)
    return mean, np.sqrt(_mean(pieces, lambda rows: (rows - mean) ** 2)), largest


def _of_array(rows: Array, weight: Vector | None) -> tuple[Vector, Vector]:
    if weight is None:
        return rows.mean(axis=0), rows.std(axis=0)
    mean = np.average(rows, axis=0, weights=weight)
    return mean, np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weight))


def _mean(pieces: Pieces, of: Callable[[Array], Array]) -> Vector:
    """Σ_i w_i f(x_i) / Σ_i w_i of each column."""
    total, count = np.zeros(pieces.shape[1]), 0.0
    for where, rows in pieces:
        weight = None if pieces.weight is None else pieces.weight[where]
        total += of(rows).sum(axis=0) if weight is None else weight @ of(rows)
        count += len(rows) if weight is None else float(weight.sum())
    return total / count


def quartiles(pieces: Pieces) -> Array:
    """The quartiles (3, d) of each column; of stored rows, one column after the other."""
    if not pieces.is_stored:
        return _quartiles(pieces.whole, pieces.weight)
    columns = [_quartiles(pieces.column(j), pieces.weight) for j in range(pieces.shape[1])]
    return np.concatenate(columns, axis=1)


def _quartiles(columns: Array, weight: Array | None) -> Array:
    """The quartiles (3, d) of each column.

    With n = Σ weight, the value at position (n - 1) p lies between the two sorted rows whose
    cumulative weights contain the whole positions around it.
    """
    shares = np.array([0.25, 0.5, 0.75])
    if weight is None:
        quartiles: Array = np.quantile(columns, shares, axis=0)
        return quartiles
    order = np.argsort(columns, axis=0, kind="stable")
    ends = np.cumsum(weight[order], axis=0)
    position = (weight.sum() - 1).clip(min=0) * shares
    below = np.floor(position)
    values = np.take_along_axis(columns, order, axis=0)
    by_column = [
        [
            values[np.searchsorted(ends[:, j], whole, "right").clip(max=len(values) - 1), j]
            for j in range(columns.shape[1])
        ]
        for whole in (below, below + 1)
    ]
    low, high = np.transpose(by_column, (0, 2, 1))
    between: Array = low + (high - low) * (position - below)[:, np.newaxis]
    return between
