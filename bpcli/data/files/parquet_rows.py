"""The rows of numbers in a Parquet file, decoded whenever they are used.

A Parquet file is decoded by groups of rows, of which each thread keeps the one that it read last.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.data.files.parquet import open_parquet
from bpcli.data.files.regular import damaged
from bpcli.data.stored_rows import RowSource
from bpcli.errors import DataError
from bpcli.nn.arrays import Array
from bpcli.system import Stamp, stamp_of


@dataclass(frozen=True)
class ParquetHeader:
    """What a Parquet file says about its columns and groups of rows."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    groups: tuple[int, ...]
    bytes: tuple[int, ...]
    """The compressed bytes of each column."""

    @classmethod
    def of(cls, path: Path) -> ParquetHeader:
        """Raises `DataError` if the file is none."""
        with open_parquet(path) as file:
            schema, facts = file.schema_arrow, file.metadata
            groups = [facts.row_group(k) for k in range(facts.num_row_groups)]
            is_flat = len(schema) == facts.num_columns
            sizes = [
                sum(group.column(j).total_compressed_size for group in groups) if is_flat else 0
                for j in range(len(schema))
            ]
            return cls(
                tuple(map(str, schema.names)),
                tuple(map(str, schema.types)),
                tuple(group.num_rows for group in groups),
                tuple(sizes),
            )

    @property
    def rows(self) -> int:
        return sum(self.groups)


_NUMBERS = {
    **{f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "halffloat": "float16", "float": "float32", "double": "float64", "bool": "bool",
}  # fmt: skip


def type_of(stored: str) -> np.dtype | None:
    """The type of the numbers or booleans in a column; None for anything else."""
    return np.dtype(_NUMBERS[stored]) if stored in _NUMBERS else None


@dataclass(frozen=True)
class ParquetRows(RowSource):
    """Columns of numbers and booleans in double precision; a missing value is NaN."""

    path: Path
    header: ParquetHeader
    names: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return self._starts[-1], len(self.names)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float64)

    @property
    def bytes(self) -> int:
        return sum(self.header.bytes[self.header.names.index(name)] for name in self.names)

    @property
    def buffer_bytes(self) -> int:
        return max(self.header.groups) * len(self.names) * self.dtype.itemsize

    def at(self, index: Array) -> Array:
        rows = np.empty((len(index), len(self.names)))
        groups = np.searchsorted(self._starts, index, "right") - 1
        for group in np.flatnonzero(np.bincount(groups)).tolist():
            wanted = groups == group
            rows_of_group = index[wanted] - self._starts[group]
            rows[wanted] = np.stack(
                [column[rows_of_group] for column in self._group(group)], axis=1
            )
        return rows

    def between(self, start: int, stop: int) -> Array:
        rows = np.empty((stop - start, len(self.names)))
        for group, (first, end) in enumerate(zip(self._starts, self._starts[1:], strict=False)):
            low, high = max(start, first), min(stop, end)
            if low < high:
                for j, column in enumerate(self._group(group)):
                    rows[low - start : high - start, j] = column[low - first : high - first]
        return rows

    @cached_property
    def _starts(self) -> list[int]:
        """The first row of each group; and the number of all rows."""
        return list(accumulate(self.header.groups, initial=0))

    def _group(self, group: int) -> list[Array]:
        """The columns of a group of rows, in their own types."""
        latest = self._latest
        if getattr(latest, "group", None) != group:
            latest.columns = latest.group = None  # before the next ones take memory
            latest.columns, latest.group = self._decoded(group), group
        columns: list[Array] = latest.columns
        return columns

    def _decoded(self, group: int) -> list[Array]:
        try:
            stamp = self._stamp
            with self._reading() as file:
                table = file.read_row_group(group, columns=list(self.names), use_threads=False)
            has_changed = stamp_of(self.path) != stamp
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}", "file") from None
        if has_changed or table.num_rows != self.header.groups[group]:
            raise DataError(f"{self.path} has changed while it was being read", "file")
        return [table.column(name).to_numpy() for name in self.names]

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        """The file, opened by this thread of this process."""
        latest = self._latest
        if getattr(latest, "process", None) != os.getpid():
            latest.opened = open_parquet(self.path)
            latest.file, latest.process = latest.opened.__enter__(), os.getpid()
        try:
            yield latest.file
        except Exception as error:  # also for the JSON and the text in it
            raise damaged("Parquet", error) from None

    @cached_property
    def _stamp(self) -> Stamp:
        """The stamp of the file when it was first read here, or by the process that was forked."""
        return stamp_of(self.path)

    @cached_property
    def _latest(self) -> threading.local:
        return threading.local()

    def __getstate__(self) -> dict[str, object]:
        # Absolute: the process that reads it next may have another current folder.
        return {"path": self.path.resolve(), "header": self.header, "names": self.names}
