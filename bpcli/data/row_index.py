"""The rows of a split of a large table, without an array of their numbers.

An index reads like an ascending array (n,) of row numbers: it has a length, and gives the numbers
of a slice, or at some positions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.arrays import Array

_CHUNK = 2**12
"""The rows whose codes are counted together."""

_PIECE = 2**17


@dataclass(frozen=True, eq=False)
class Span:
    """The rows from `start` to `stop`."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, where: slice | Array) -> Labels:
        if not isinstance(where, slice):
            return _checked(where, len(self)) + self.start
        some = range(self.start, self.stop)[where]
        return np.arange(some.start, some.stop, some.step)


@dataclass(frozen=True, eq=False)
class Coded:
    """The rows that have a certain code among the codes (rows,) of all rows, one byte each."""

    codes: Array
    code: int

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, where: slice | Array) -> Labels:
        if not isinstance(where, slice):
            return self._at(_checked(where, len(self)))
        start, stop, step = where.indices(len(self))
        if step != 1:
            return self._at(np.arange(start, stop, step))
        if start >= stop:
            return np.empty(0, np.intp)
        first = int(np.searchsorted(self._ends, start, "right"))
        last = int(np.searchsorted(self._ends, stop, "left"))
        before = int(self._ends[first - 1]) if first else 0
        rows = self._rows(first, last + 1)
        return rows[start - before : stop - before]

    def _at(self, where: Array) -> Labels:
        """The rows at any positions."""
        chunks = np.searchsorted(self._ends, where, "right")
        rows = np.empty(len(where), np.intp)
        for chunk in np.flatnonzero(np.bincount(chunks)).tolist():
            is_in_chunk = chunks == chunk
            before = int(self._ends[chunk - 1]) if chunk else 0
            rows[is_in_chunk] = self._rows(chunk, chunk + 1)[where[is_in_chunk] - before]
        return rows

    def _rows(self, first: int, stop: int) -> Labels:
        """The rows in some chunks."""
        start = first * _CHUNK
        rows: Labels = np.flatnonzero(self.codes[start : stop * _CHUNK] == self.code) + start
        return rows

    @cached_property
    def _ends(self) -> Labels:
        """The number of rows up to the end of each chunk."""
        starts = range(0, len(self.codes), _CHUNK)
        counts = [
            np.count_nonzero(self.codes[start : start + _CHUNK] == self.code) for start in starts
        ]
        ends: Labels = np.cumsum(counts)
        return ends


RowIndex: TypeAlias = Labels | Span | Coded
"""The rows of a split, ascending: an array (n,) of their numbers, or what reads like one."""


def same_rows(first: RowIndex, second: RowIndex) -> bool:
    """Whether two splits have the same rows."""
    pieces = zip(index_pieces(first), index_pieces(second), strict=False)
    return len(first) == len(second) and all(np.array_equal(*both) for both in pieces)


def digest_of_rows(index: RowIndex) -> bytes:
    """The SHA-256 of the row numbers as whole numbers of 8 bytes."""
    digest = hashlib.sha256()
    for rows in index_pieces(index):
        digest.update(np.ascontiguousarray(rows, "<i8").data)
    return digest.digest()


def index_pieces(index: RowIndex, size: int = _PIECE) -> Iterator[Labels]:
    """The row numbers, `size` at a time."""
    for start in range(0, len(index), size):
        yield index[start : start + size]


def _checked(where: Array, count: int) -> Labels:
    """Positions below `count`; nothing is counted from the end."""
    places = np.asarray(where, np.intp)
    assert not places.size or 0 <= places.min() <= places.max() < count, "there are no such rows"
    return places
