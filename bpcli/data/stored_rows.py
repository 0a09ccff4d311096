"""Rows that read like an array, but are read from their file each time that they are used.

Whatever is computed from the columns of one file has the same `RowSource`, so that inputs and
targets are read together. Everything here is small and can be pickled: each process opens the file
itself, when it first reads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from bpcli.data.row_blocks import row_blocks
from bpcli.nn.arrays import Array


class RowSource(ABC):
    """A file of rows: `source[index]` reads the columns that anybody needs, each row once."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and of columns."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype:
        """The data type of all columns."""

    @property
    @abstractmethod
    def bytes(self) -> int:
        """The bytes that are read with all rows."""

    @property
    @abstractmethod
    def buffer_bytes(self) -> int:
        """The memory that each process needs to read some rows."""

    def __getitem__(self, index: Array | slice | range) -> Array:
        """The rows (m, columns) of a slice or a range, or at the indices (m,)."""
        if isinstance(index, slice):
            index = range(len(self))[index]
        if not isinstance(index, range):
            return self.at(index)
        if index.step == 1:
            return self.between(index.start, index.start + len(index))
        return self.at(np.arange(index.start, index.stop, index.step))

    @abstractmethod
    def between(self, start: int, stop: int) -> Array:
        """The rows from `start` to before `stop`."""

    @abstractmethod
    def at(self, index: Array) -> Array:
        """The rows at the indices (m,)."""

    def __len__(self) -> int:
        return self.shape[0]


@dataclass(frozen=True, eq=False)
class StoredRows(ABC):
    """An array with one row for each row of a source, such as some of its columns."""

    source: RowSource

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of all rows."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype:
        """The data type of `of`."""

    @abstractmethod
    def of(self, raw: Array) -> Array:
        """The rows of this array, for rows (m, columns) as the source has them."""

    def __getitem__(self, index: Array | slice) -> Array:
        """These rows; the other columns of the source are in memory for some of them at a time."""
        wanted = range(len(self))[index] if isinstance(index, slice) else index
        blocks = [*row_blocks((len(wanted), self.source.shape[1]))]
        if len(blocks) <= 1:
            return self.of(self.source[wanted])
        rows = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        for block in blocks:
            rows[block] = self.of(self.source[wanted[block]])
        return rows

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, eq=False)
class StoredColumns(StoredRows):
    """Some columns of a source (n, k), in its data type.

    `is_by_column` says that the numbers of a column would follow each other if all rows were in
    memory: the last bits of sums over a few rows depend on that.
    """

    columns: tuple[int, ...]
    is_by_column: bool = field(default=False, kw_only=True)

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.source), len(self.columns)

    @property
    def dtype(self) -> np.dtype:
        return self.source.dtype

    def of(self, raw: Array) -> Array:
        first, last = self.columns[0], self.columns[-1]
        if self.columns == tuple(range(first, last + 1)):
            return raw[:, first : last + 1]
        return np.take(raw, self.columns, axis=1)


@dataclass(frozen=True, eq=False)
class StoredFloats(StoredColumns):
    """Some columns (n, k) in double precision."""

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float64)

    def of(self, raw: Array) -> Array:
        return super().of(raw).astype(np.float64)


@dataclass(frozen=True, eq=False)
class StoredFlags(StoredFloats):
    """1 where a column has its value in `ones` (k,), else 0: (n, k)."""

    ones: Array

    def of(self, raw: Array) -> Array:
        return np.equal(super().of(raw), self.ones).astype(np.float64)


@dataclass(frozen=True, eq=False)
class _StoredLabels(StoredRows):
    """Labels (n,)."""

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.source),)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.intp)


@dataclass(frozen=True, eq=False)
class StoredCodes(_StoredLabels):
    """Labels (n,): the one in `codes` for each of the sorted unique `values` of a column."""

    column: int
    values: Array
    codes: Array

    def of(self, raw: Array) -> Array:
        labels: Array = self.codes[np.searchsorted(self.values, raw[:, self.column])]
        return labels


@dataclass(frozen=True, eq=False)
class StoredPlaces(_StoredLabels):
    """Labels (n,): the place of the 1 in one-hot columns."""

    columns: tuple[int, ...]

    def of(self, raw: Array) -> Array:
        places: Array = raw[:, list(self.columns)].argmax(axis=1)
        return places


def lazily(rows: StoredRows) -> Array:
    """The same as an array, for what only uses the length, the shape, and some rows at a time."""
    return cast("Array", rows)


def read_together(first: object, second: object, index: Array | slice) -> tuple[Array, Array]:
    """first[index] and second[index] of the same file, which is read once."""
    assert isinstance(first, StoredRows)
    assert isinstance(second, StoredRows)
    raw = first.source[index]
    return first.of(raw), second.of(raw)
