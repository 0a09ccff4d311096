"""Exact medians of columns that are not in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bpcli.data.column_statistics import Pieces
from bpcli.nn.arrays import Array, Vector

_SAMPLE = 2**14
_WIDTH = 4.0
"""The bracket around the middle of the sample, in standard errors of its rank."""


def medians(pieces: Pieces) -> Vector:
    """The median of each column, in two readings, or a few more.

    The middle rows are between two numbers of a sample of the rows, with some margin. Of all rows,
    those below are counted, and those between are kept; a margin that was too small is widened.
    """
    rows = pieces.shape[0]
    middle = ((rows - 1) // 2, rows // 2)
    sample = np.sort(_sample(pieces), axis=0)
    brackets = [_Bracket(column, middle) for column in sample.T]
    while any(bracket.is_open for bracket in brackets):
        for bracket in brackets:
            bracket.begin()
        for _, piece in pieces:
            for bracket, column in zip(brackets, piece.T, strict=True):
                bracket.add(column)
        for bracket in brackets:
            bracket.end()
    return np.array([bracket.median for bracket in brackets])


def _sample(pieces: Pieces) -> Array:
    """At most `_SAMPLE` rows, evenly spaced."""
    step = -(-pieces.shape[0] // _SAMPLE)
    return np.concatenate([rows[-where.start % step :: step] for where, rows in pieces])


@dataclass
class _Bracket:
    """The numbers of a column between two bounds, with their counts; and those below, counted."""

    sample: Vector
    middle: tuple[int, int]
    median: float | None = None
    _width: float = _WIDTH
    _parts: list[tuple[Vector, Vector]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.median is None

    def begin(self) -> None:
        count = len(self.sample)
        margin = int(self._width * np.sqrt(count) / 2) + 1
        first, last = (count - 1) // 2 - margin, count // 2 + margin
        self._low = self.sample[first] if first >= 0 else -np.inf
        self._high = self.sample[last] if last < count else np.inf
        self._below, self._parts, self._kept = 0, [], 0

    def add(self, numbers: Vector) -> None:
        if not self.is_open:
            return
        self._below += int(np.count_nonzero(numbers < self._low))
        inside = numbers[(numbers >= self._low) & (numbers <= self._high)]
        self._parts.append(np.unique(inside, return_counts=True))
        if len(self._parts) > _MOST_PARTS:
            self._parts = [_merged(self._parts)]

    def end(self) -> None:
        """Find the median, or widen the bracket."""
        if not self.is_open:
            return
        values, counts = _merged(self._parts)
        ends = self._below + np.cumsum(counts)
        if self._below <= self.middle[0] and len(ends) and self.middle[1] < ends[-1]:
            both = values[np.searchsorted(ends, self.middle, "right")]
            self.median = float(np.median(both))
        self._width *= _WIDTH


_MOST_PARTS = 64


def _merged(parts: list[tuple[Vector, Vector]]) -> tuple[Vector, Vector]:
    """Unique values with their counts, from several such pairs."""
    values, places = np.unique(np.concatenate([part[0] for part in parts]), return_inverse=True)
    counts = np.concatenate([part[1] for part in parts])
    return values, np.bincount(places, counts, len(values)).astype(np.intp)
