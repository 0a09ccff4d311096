"""How the rows of a part are cut into shards, the units of work that are summed in order.

The plan depends on the data and the network alone, never on the number of workers or on a timer:
that is what makes any number of workers give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bpcli.nn.network import Network
from bpcli.nn.propagation import block_size, equal_blocks

_SECONDS_A_FLOP = 3e-11
_SECONDS_AN_ELEMENT = 6e-9
_SERIAL_BELOW_SECONDS = 1e-3
_SHARD_SECONDS = 2.5e-4
_MOST_SHARDS = 64
# Products over fewer columns lose their speed: 29 shards of 6 rows took 6 times as long as one.
_FEWEST_ROWS = 500
_MOST_PARTIALS_BYTES = 128 * 2**20


@dataclass(frozen=True)
class ShardPlan:
    """Row ranges of the shards, and the largest block within one."""

    shards: tuple[tuple[int, int], ...]
    block: int

    @classmethod
    def of(cls, rows: int, network: Network, dtype: np.dtype) -> ShardPlan:
        """One shard for small work, else up to 64, each of a few hundred rows at least.

        Their number is also bounded by the memory that their gradients take.
        """
        seconds = estimated_seconds(rows, network)
        count = 1
        if seconds >= _SERIAL_BELOW_SECONDS:
            by_memory = _MOST_PARTIALS_BYTES // (network.n_params * dtype.itemsize)
            by_rows = rows // _FEWEST_ROWS
            count = max(1, min(_MOST_SHARDS, int(seconds / _SHARD_SECONDS), by_memory, by_rows))
        largest = -(-rows // count) if rows else 1
        return cls(tuple(equal_blocks(0, rows, largest)), block_size(network))


def estimated_seconds(rows: int, network: Network) -> float:
    """What one value and gradient over `rows` rows costs one core, to an order of magnitude.

    Six floating-point operations a parameter and row, and the elementwise work of every unit.
    """
    elements = sum(layer.rows for layer in network.layers)
    return rows * (6 * network.n_params * _SECONDS_A_FLOP + elements * _SECONDS_AN_ELEMENT)
