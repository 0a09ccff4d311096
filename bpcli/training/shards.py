"""How the rows of a part are cut into shards, the units of work that are summed in order.

The plan depends on the data and the network alone, never on the number of workers or on a timer:
that is what makes any number of workers give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bpcli.nn.network import Network
from bpcli.training.rows import Rows

SECONDS_A_FLOP = 3e-11
_SECONDS_AN_ELEMENT = 6e-9
SERIAL_BELOW_SECONDS = 1e-3
_SHARD_SECONDS = 2.5e-4
_MOST_SHARDS = 64
_MOST_PARTIALS_BYTES = 128 * 2**20


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
    by_memory = _MOST_PARTIALS_BYTES // (network.n_params * dtype.itemsize)
    by_blocks = -(-rows // block)
    count = max(1, min(_MOST_SHARDS, int(seconds / _SHARD_SECONDS), by_memory, by_blocks))
    return count - count % 2 if 2 < count < 8 else count  # five: two would wait for the last one


def estimated_seconds(rows: int, network: Network) -> float:
    """What one value and gradient over `rows` rows costs one core, to an order of magnitude.

    Six floating-point operations a parameter and row, and the elementwise work of every unit.
    """
    elements = sum(layer.rows for layer in network.layers)
    return rows * (6 * network.n_params * SECONDS_A_FLOP + elements * _SECONDS_AN_ELEMENT)
