"""The rows of a .npy file, read from the file whenever they are used.

They are read into buffers, not mapped into memory: the pages of a mapped file count as memory of
the process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bpcli.data.files.regular import damaged, require_regular
from bpcli.data.long_double import in_double, read_dtype
from bpcli.data.stored_rows import RowSource
from bpcli.errors import DataError
from bpcli.nn.arrays import Array
from bpcli.system import FileChangedError, OpenFile

_GAP_BYTES = 2**15
"""A gap of fewer bytes between two rows is read too: that takes less time than another read."""

_BYTES_AT_ONCE = 2**22
_MOST_BYTES_KEPT = 2**22
"""Rows that were read at once are kept if they are no more."""


@dataclass(frozen=True)
class NpyHeader:
    """What a .npy file says about its array, and where its numbers begin."""

    shape: tuple[int, ...]
    is_by_column: bool
    dtype: np.dtype
    offset: int

    @classmethod
    def of(cls, path: Path) -> NpyHeader:
        """Raises `DataError` if the file is none, or has fewer numbers than it says."""
        require_regular(path)
        try:
            with path.open("rb") as file:
                version = np.lib.format.read_magic(file)
                read = _READERS[version]
                header = cls(*read(file), file.tell())
            if not all(type(size) is int and size >= 0 for size in header.shape):
                raise ValueError(f"a shape of {header.shape}")
        except Exception as error:  # the parser raises many types for damaged files
            raise damaged(".npy", error) from None
        if path.stat().st_size < header.offset + header.bytes:
            raise DataError(
                f"the file is shorter than its {' × '.join(map(str, header.shape))} "
                f"{header.dtype}: copy it again",
                "file",
            )
        return header

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class NpyRows(RowSource):
    """A row-major array in a .npy file; an image is a row of numbers."""

    path: Path
    header: NpyHeader

    @cached_property
    def shape(self) -> tuple[int, int]:
        rows, *others = self.header.shape
        return rows, math.prod(others)

    @property
    def dtype(self) -> np.dtype:
        return read_dtype(self.header.dtype)

    @property
    def bytes(self) -> int:
        return self.header.bytes

    @property
    def buffer_bytes(self) -> int:
        return _BYTES_AT_ONCE

    def at(self, index: Array) -> Array:
        if len(index) < 2:
            return self._near(index)
        distances = np.diff(index)
        if distances.min() < 1:
            ascending, order = np.unique(index, return_inverse=True)
            return self.at(ascending)[order]
        if distances.max() <= self._longest_gap:
            return self._near(index)
        ends = [*(np.flatnonzero(distances > self._longest_gap) + 1).tolist(), len(index)]
        starts = [0, *ends[:-1]]
        return np.concatenate(
            [self._near(index[start:end]) for start, end in zip(starts, ends, strict=True)]
        )

    @cached_property
    def _longest_gap(self) -> int:
        """The distance of two rows that are read together."""
        return 1 + _GAP_BYTES // self._row_bytes

    def _near(self, index: Array) -> Array:
        """The rows at an ascending index without long gaps, some megabytes of the file at a time.

        Rows of whole pieces are not copied.
        """
        if not len(index):
            return self.between(0, 0)
        first, end = int(index[0]), int(index[-1]) + 1
        step = max(1, _BYTES_AT_ONCE // self._row_bytes)
        pieces = []
        for start in range(first, end, step):
            stop = min(start + step, end)
            low, high = np.searchsorted(index, (start, stop))
            rows = self.between(start, stop)
            is_whole = high - low == stop - start
            pieces.append(rows if is_whole else rows.take(index[low:high] - start, axis=0))
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def between(self, start: int, stop: int) -> Array:
        """The rows from `start` to before `stop`.

        The rows that were read last are kept: metrics need the targets of the rows that have just
        gone through the network.
        """
        first, end, kept = self._latest
        if not first <= start <= stop <= end:
            first, end, kept = start, stop, self._read(start, stop)
            if kept.nbytes <= _MOST_BYTES_KEPT:
                self.__dict__["_latest"] = (first, end, kept)
        return kept[start - first : stop - first]

    @cached_property
    def _latest(self) -> tuple[int, int, Array]:
        return 0, 0, self._read(0, 0)

    def _read(self, start: int, stop: int) -> Array:
        rows = np.empty((stop - start, self.shape[1]), self.header.dtype)
        if not rows.size:
            return in_double(rows)
        try:
            offset = self.header.offset + start * self._row_bytes
            self._file.read(offset, rows.reshape(-1).view(np.uint8).data)
        except FileChangedError:
            message = f"{self.path} has changed while it was being read"
            raise DataError(message, "file") from None
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}", "file") from None
        return in_double(rows, start)

    @cached_property
    def _row_bytes(self) -> int:
        return self.shape[1] * self.header.dtype.itemsize

    @cached_property
    def _file(self) -> OpenFile:
        return OpenFile(self.path)

    def __getstate__(self) -> dict[str, object]:
        # Absolute: the process that reads it next may have another current folder.
        return {"path": self.path.resolve(), "header": self.header}
