"""Large random inputs that are drawn again at every read instead of being stored.

The kernel stores the data once already; a stored table would be a second copy, in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from bpcli.data.row_blocks import row_blocks, rows_per_block
from bpcli.data.stored_rows import StoredRows
from bpcli.nn.arrays import Array

_MOST_NUMBERS_KEPT = 2**20


@dataclass(frozen=True)
class DrawnRows:
    """Rows of N(0, 1) numbers that read like an array: `rows[index]` draws them again.

    `states` are the generator's states (PCG64) before each block of rows.
    """

    shape: tuple[int, int]
    states: tuple[Any, ...]

    dtype: ClassVar = np.dtype(np.float64)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Array | slice) -> Array:
        """The rows at `index`; each of their blocks is drawn once."""
        index = np.arange(len(self))[index]
        rows = np.empty((len(index), self.shape[1]))
        blocks, offsets = np.divmod(index, rows_per_block(self.shape[1]))
        for block in np.flatnonzero(np.bincount(blocks)).tolist():
            wanted = blocks == block
            rows[wanted] = self._block(block)[offsets[wanted]]
        return rows

    def _block(self, number: int) -> Array:
        generator, (rows, width) = np.random.PCG64(0), self.shape
        generator.state = self.states[number]
        size = rows_per_block(width)
        size = min(size, rows - number * size)
        return np.random.Generator(generator).standard_normal((size, width))


Inputs: TypeAlias = Array | DrawnRows | StoredRows


def normal_rows(rng: np.random.Generator, shape: tuple[int, int]) -> Inputs:
    """`rng.standard_normal(shape)`, as `DrawnRows` if it is large."""
    if shape[0] * shape[1] <= _MOST_NUMBERS_KEPT:
        return rng.standard_normal(shape)
    states = []
    for some in row_blocks(shape):
        states.append(rng.bit_generator.state)
        rng.standard_normal((some.stop - some.start, shape[1]))
    return DrawnRows(shape, tuple(states))
