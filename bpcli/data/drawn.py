"""Large inputs that are drawn again whenever they are read, and so need not be kept.

Beside what the kernel stores they would be the data a second time, in float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from bpcli.nn.arrays import Array

_NUMBERS_A_BLOCK = 2**18
_MOST_ROWS_A_BLOCK = 2**14
_MOST_NUMBERS_KEPT = 2**20


@dataclass(frozen=True)
class DrawnRows:
    """Rows of numbers from N(0, 1), to be read as an array: `rows[index]` draws them again.

    `states` are those of the generator (a PCG64) before each block of rows.
    """

    shape: tuple[int, int]
    states: tuple[Any, ...]

    dtype: ClassVar = np.dtype(np.float64)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Array | slice) -> Array:
        """The rows at `index`; each block they are in is drawn once."""
        index = np.arange(len(self))[index]
        rows = np.empty((len(index), self.shape[1]))
        numbers, places = np.divmod(index, rows_a_block(self.shape[1]))
        for number in np.flatnonzero(np.bincount(numbers)).tolist():
            wanted = numbers == number
            rows[wanted] = self._block(number)[places[wanted]]
        return rows

    def _block(self, number: int) -> Array:
        generator, (rows, width) = np.random.PCG64(0), self.shape
        generator.state = self.states[number]
        size = rows_a_block(width)
        size = min(size, rows - number * size)
        return np.random.Generator(generator).standard_normal((size, width))


Inputs: TypeAlias = Array | DrawnRows


def normal_rows(rng: np.random.Generator, shape: tuple[int, int]) -> Inputs:
    """`rng.standard_normal(shape)`, which is not kept where it is large."""
    if shape[0] * shape[1] <= _MOST_NUMBERS_KEPT:
        return rng.standard_normal(shape)
    states = []
    for some in row_blocks(shape):
        states.append(rng.bit_generator.state)
        rng.standard_normal((some.stop - some.start, shape[1]))
    return DrawnRows(shape, tuple(states))


def row_blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """The rows of an array of that shape, some megabytes at a time."""
    size = rows_a_block(math.prod(shape[1:]))
    for start in range(0, shape[0], size):
        yield slice(start, min(start + size, shape[0]))


def rows_a_block(width: int) -> int:
    """How many rows of so many numbers are read at a time: 2 MB, or less of narrow ones."""
    return max(1, min(_MOST_ROWS_A_BLOCK, _NUMBERS_A_BLOCK // width))
