"""The division of a split's rows into shards, the units of work that are summed in order.

The plan depends only on the data and the network, never on the number of workers or on a timer, so
that any number of workers gives the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from bpcli.engine.rows import RowBlocks
from bpcli.nn.arrays import Array
from bpcli.nn.network import Network

SECONDS_PER_FLOP = 3e-11
SECONDS_PER_ENTRY = 1e-9
"""Of one elementwise product or copy."""

_SECONDS_PER_ELEMENT = 6e-9
SERIAL_BELOW_SECONDS = 1e-3
_SHARD_SECONDS = 2.5e-4
_MOST_SHARDS = 64
_PARTIALS_BYTES = 32 * 2**20
_MOST_PARTIALS_BYTES = 128 * 2**20
_FEWEST_IN_A_SLICE = 2**14
"""The fewest parameters per task when partial gradients are added up: 64 KiB in float32."""

_MOST_SLICES = 64
_FEW_SHARDS = 8
"""Up to this many shards may take `_MOST_PARTIALS_BYTES` for their gradients."""


@dataclass(frozen=True)
class ShardPlan:
    """Row ranges of the shards, and the rows per block."""

    shards: tuple[tuple[int, int], ...]
    block: int

    @classmethod
    def of(cls, rows: int, data: RowBlocks, network: Network) -> ShardPlan:
        """The plan for `rows` rows: one shard for little work, else up to 64 of whole blocks.

        The memory of their gradients also limits their number.
        """
        block = data.block_size
        count = shards_needed(rows, network, data.dtype, block)
        edges = [block * (-(-rows // block) * i // count) for i in range(count)] + [rows]
        return cls(tuple(pairwise(edges)), block)

    def blocks_of(self, shard: int) -> Iterator[tuple[int, int]]:
        """The row ranges of the blocks of a shard, in the order in which their sums are added."""
        return _blocks(*self.shards[shard], self.block)


@dataclass(frozen=True)
class TallyPlan:
    """Pieces of whole blocks, for which tallies are summed, and groups of them for the workers.

    Like shards they depend only on the data. A piece has about 8,000 rows, if a block has fewer:
    the metrics of a piece take hardly longer than those of a block.
    """

    pieces: tuple[tuple[int, int], ...]
    groups: tuple[tuple[int, int], ...]
    block: int

    @classmethod
    def of(cls, data: RowBlocks) -> TallyPlan:
        rows, block = len(data), data.block_size
        size = max(1, _ROWS_OF_A_PIECE // block) * block
        edges = [*range(0, rows, size), rows]
        pieces = tuple(pairwise(edges))
        count = min(_MOST_SHARDS, len(pieces))
        ends = [len(pieces) * i // count for i in range(count + 1)] if count else [0]
        return cls(pieces, tuple(pairwise(ends)), block)

    def blocks_of(self, piece: int) -> Iterator[tuple[int, int]]:
        """The row ranges of the blocks of a piece."""
        return _blocks(*self.pieces[piece], self.block)

    @cached_property
    def piece_rows(self) -> int:
        """The rows of the largest piece."""
        return max((stop - start for start, stop in self.pieces), default=0)


_ROWS_OF_A_PIECE = 2**13


def _blocks(first: int, end: int, block: int) -> Iterator[tuple[int, int]]:
    return ((start, min(end, start + block)) for start in range(first, end, block))


def slices_of(n_params: int) -> list[slice]:
    """The parts of a gradient, each of which is added up over the shards by itself.

    numpy adds the numbers of a part with a single column in another order than those of wider ones,
    so the parts too must be the same for the same bits.
    """
    size = max(_FEWEST_IN_A_SLICE, -(-n_params // _MOST_SLICES))
    return [slice(start, start + size) for start in range(0, n_params, size)]


def add_up(grads: Array, part: slice) -> None:
    """Write the sum of gradients (shards, n_params), in their order, over a part of the first."""
    grads[0, part] = np.add.reduce(grads[:, part], axis=0)


def shards_needed(rows: int, network: Network, dtype: np.dtype, block: int) -> int:
    """The number of shards, each with its own gradient, for `rows` rows in blocks of `block`."""
    seconds = estimated_seconds(rows, network)
    if seconds < SERIAL_BELOW_SECONDS:
        return 1
    partial = network.n_params * dtype.itemsize
    by_memory = max(_PARTIALS_BYTES // partial, min(_FEW_SHARDS, _MOST_PARTIALS_BYTES // partial))
    by_blocks = -(-rows // block)
    most = max(1, min(_MOST_SHARDS, int(seconds / _SHARD_SECONDS), by_memory, by_blocks))
    # With an odd number, or unequal ones, two workers would wait for the last.
    equal = (n for n in range(most, most // 2, -1) if by_blocks % n == 0 and n % 2 == 0)
    return next(equal, most - most % 2 if most > 2 else most)


def estimated_seconds(rows: int, network: Network) -> float:
    """The time of one value and gradient over `rows` rows on one core, as an order of magnitude.

    Counts six floating-point operations per parameter and row, and every unit's elementwise work.
    """
    elements = sum(layer.rows for layer in network.layers)
    return rows * (6 * network.n_params * SECONDS_PER_FLOP + elements * _SECONDS_PER_ELEMENT)
