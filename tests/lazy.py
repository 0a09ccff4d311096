"""Arrays that are read only where they are asked for, and remember which rows were."""

from __future__ import annotations

import numpy as np


class LazyArray:
    """Supports what a table needs of columns on disk: len, shape, dtype, slices, ascending rows.

    `reads` has the row numbers of each read.
    """

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape = array.shape
        self.dtype = array.dtype
        self.reads: list[list[int]] = []

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        assert isinstance(rows, slice | np.ndarray), "no single rows"
        number = np.arange(len(self))[rows]
        assert (np.diff(number) > 0).all()
        self.reads.append(number.tolist())
        return self._array[number]


class LazyIndex:
    """Row numbers that support len and slices alone."""

    def __init__(self, index: np.ndarray) -> None:
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, positions: slice) -> np.ndarray:
        assert isinstance(positions, slice)
        return self._index[positions].copy()
