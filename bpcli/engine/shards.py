"""How the rows of a split are cut into shards, the units of work that are summed in order.

The plan depends on the data and the network alone, never on the number of workers or on a timer:
that is what makes any number of workers give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bpcli.engine.rows import Rows
from bpcli.nn.network import Network

SECONDS_A_FLOP = 3e-11
_SECONDS_AN_ELEMENT = 6e-9
SERIAL_BELOW_SECONDS = 1e-3
_SHARD_SECONDS = 2.5e-4
_MOST_SHARDS = 64
_PARTIALS_BYTES = 32 * 2**20
_MOST_PARTIALS_BYTES = 128 * 2**20
_FEW_SHARDS = 8
"""So many may take up to `_MOST_PARTIALS_BYTES` for their gradients, more of them less."""


@dataclass(frozen=True)
class ShardPlan:
    """Row ranges of the shards, and how many rows make a block."""

    shards: tuple[tuple[int, int], ...]
    block: int

    @classmethod
    def of(cls, rows: int, data: Rows, network: Network) -> ShardPlan:
        """For so many rows of the data: one shard for small work, else up to 64, of whole blocks.

        Their number is also bounded by the memory that their gradients take.
        """
        block = data.block_size
        count = shards_needed(rows, network, data.dtype, block)
        edges = [block * (-(-rows // block) * i // count) for i in range(count)] + [rows]
        return cls(tuple(pairwise(edges)), block)


def shards_needed(rows: int, network: Network, dtype: np.dtype, block: int) -> int:
    """How many shards so many rows are cut into, in blocks of `block`: each has a gradient."""
    seconds = estimated_seconds(rows, network)
    if seconds < SERIAL_BELOW_SECONDS:
        return 1
    partial = network.n_params * dtype.itemsize
    by_memory = max(_PARTIALS_BYTES // partial, min(_FEW_SHARDS, _MOST_PARTIALS_BYTES // partial))
    by_blocks = -(-rows // block)
    most = max(1, min(_MOST_SHARDS, int(seconds / _SHARD_SECONDS), by_memory, by_blocks))
    # Of five, or of unequal ones, two workers would wait for the last.
    equal = (n for n in range(most, most // 2, -1) if by_blocks % n == 0 and n % 2 == 0)
    return next(equal, most - most % 2 if most > 2 else most)


def estimated_seconds(rows: int, network: Network) -> float:
    """What one value and gradient over `rows` rows costs one core, to an order of magnitude.

    Six floating-point operations a parameter and row, and the elementwise work of every unit.
    """
    elements = sum(layer.rows for layer in network.layers)
    return rows * (6 * network.n_params * SECONDS_A_FLOP + elements * _SECONDS_AN_ELEMENT)
