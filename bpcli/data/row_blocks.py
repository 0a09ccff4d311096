"""Blocks of some megabytes of rows, for what looks at all rows of a large table."""

from __future__ import annotations

import math
from collections.abc import Iterator

_NUMBERS_PER_BLOCK = 2**18
_MOST_ROWS_PER_BLOCK = 2**14


def row_blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Slices of the rows of an array, some megabytes each."""
    size = rows_per_block(math.prod(shape[1:]))
    for start in range(0, shape[0], size):
        yield slice(start, min(start + size, shape[0]))


def rows_per_block(width: int) -> int:
    """The number of rows of this width in a block: 2 MB, or less for narrow rows."""
    return max(1, min(_MOST_ROWS_PER_BLOCK, _NUMBERS_PER_BLOCK // width))
