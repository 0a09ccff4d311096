"""JᵀJ and Jᵀr over all rows, J the Jacobian of the residuals r, computed by the pool.

For some rows at a time, the factors of JᵀJ are written to shared memory, and their products are
added to JᵀJ strip by strip. A task writes the factors for some of these rows, or computes a strip.
Its result does not depend on the worker, and no worker needs its own JᵀJ. So several workers also
help with few rows and many parameters, where shards of rows would leave all but one worker idle.

The factors are J itself (`dense_jacobian`), or smaller ones for each pair of layers
(`layer_pairs`), whichever is estimated to take less time.
"""

from __future__ import annotations

import threading
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np

from bpcli.engine.dense_jacobian import DenseJacobian
from bpcli.engine.layer_pairs import LayerPairs
from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.rows import Block, RowBlocks
from bpcli.engine.shards import SERIAL_BELOW_SECONDS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.jacobian import OutputSweep, sweep_output
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, forward

_MOST_AT_ONCE = 1000
_FEWEST_AT_ONCE = 200
"""Rows at once: with 200, adding a product to JᵀJ takes a tenth of its time, with 1000 2 %."""

_BYTES_AT_ONCE = 20 * 2**20
"""The size of the factors of these rows, unless there are fewer than `_FEWEST_AT_ONCE`."""

_MOST_BYTES = 2**28
"""The largest size of the factors, however few rows that is."""

_MOST_IN_A_PIECE = 500
"""Rows per task that writes factors: fewer cost more calls than other workers save."""


class Sums(NamedTuple):
    """Σ_i w_i J_iᵀ J_i, (n_params, n_params), and Σ_i w_i J_iᵀ r_i, (n_params,)."""

    JTJ: Array
    JTr: Vector


class Factors(Protocol):
    """The factors of JᵀJ and Jᵀr for some rows, and the sums of their products."""

    @property
    def strips(self) -> int:
        """The number of tasks that multiply the factors."""

    def clear(self) -> None:
        """Begin new sums."""

    def write(self, work: Workspace, block: Block, where: slice, sweep: OutputSweep) -> None:
        """Write the factors of a block after its forward pass, as the samples `where`."""

    def multiply(self, strip: int, samples: int) -> None:
        """Add a strip of the products over the first `samples` samples to the sums."""

    def totals(self) -> tuple[Array, Vector]:
        """JᵀJ and Jᵀr; the next sums overwrite them."""


def gauss_newton_tasks(rows: int, network: Network) -> int:
    """The largest number of workers that can share one JᵀJ; 1 if there is too little work."""
    factors = factors_of(network, rows)
    is_little = factors.seconds(network, rows) < SERIAL_BELOW_SECONDS
    return 1 if is_little else factors.strips_of(network)


def factors_of(network: Network, rows: int) -> type[DenseJacobian] | type[LayerPairs]:
    """The factors that are estimated to take less time."""
    is_less = LayerPairs.seconds(network, rows) < DenseJacobian.seconds(network, rows)
    return LayerPairs if is_less else DenseJacobian


def factor_bytes(network: Network, rows: int, dtype: np.dtype) -> int:
    """The memory of the factors of some of the rows at once."""
    at_once = min(rows, _most_at_once(network, rows, dtype))
    return at_once * _bytes_per_row(network, rows, dtype)


def _bytes_per_row(network: Network, rows: int, dtype: np.dtype) -> int:
    return factors_of(network, rows).entries_per_row(network) * dtype.itemsize


def _most_at_once(network: Network, rows: int, dtype: np.dtype) -> int:
    each = _bytes_per_row(network, rows, dtype)
    wanted = max(_FEWEST_AT_ONCE, min(_MOST_AT_ONCE, _BYTES_AT_ONCE // each))
    return max(1, min(wanted, _MOST_BYTES // each))


Chunk: TypeAlias = list[tuple[int, int]]
"""Rows whose factors are in memory at one time: pieces (start, stop), each of one block."""


def _chunks(network: Network, data: RowBlocks) -> list[Chunk]:
    """All rows; a worker writes the factors of a piece. Too little work to share has no pieces."""
    most, size = _most_at_once(network, len(data), data.dtype), data.block_size
    is_shared = gauss_newton_tasks(len(data), network) > 1
    parts = -(-size // min(most, _MOST_IN_A_PIECE if is_shared else most))
    length = -(-size // parts)
    chunks: list[Chunk] = []
    for block in range(0, len(data), size):
        end = min(block + size, len(data))
        for start in range(block, end, length):
            stop = min(start + length, end)
            if not chunks or stop - chunks[-1][0][0] > most:
                chunks.append([])
            chunks[-1].append((start, stop))
    return chunks


class _Local(threading.local):
    """A workspace per thread; a forked worker has its own copy anyway."""

    def __init__(self, network: Network, params: Vector) -> None:
        self.work = Workspace(network, params)


class GaussNewtonSums:
    """The sums over the rows of one data set, at parameters of its dtype."""

    def __init__(
        self, network: Network, data: RowBlocks, pool: WorkerPool, sweep: OutputSweep = sweep_output
    ) -> None:
        self._data = data
        self._sweep = sweep
        self.chunks = _chunks(network, data)
        at_once = max(chunk[-1][1] - chunk[0][0] for chunk in self.chunks)
        factors = factors_of(network, len(data))
        self._factors: Factors = factors(network, at_once, data.dtype, pool)
        self._params = pool.allocate_shared((network.n_params,), data.dtype)
        self._number = pool.allocate_shared((1,), np.int64)
        self._local = _Local(network, self._params)
        self._write_pieces = pool.register(self._do_piece)
        self._multiply_strips = pool.register(self._do_strip)

    def at(self, params: Vector) -> Sums:
        """The sums at these parameters; the next call overwrites them."""
        self._params[...] = params
        self._factors.clear()
        for number, chunk in enumerate(self.chunks):
            self._number[0] = number
            self._write_pieces(len(chunk))
            self._multiply_strips(self._factors.strips)
        return Sums(*self._factors.totals())

    @property
    def _chunk(self) -> Chunk:
        return self.chunks[int(self._number[0])]

    def _do_piece(self, number: int) -> None:
        """Write the factors of a piece of the current rows."""
        chunk = self._chunk
        first, (start, stop) = chunk[0][0], chunk[number]
        work, block = self._local.work, self._data.block(start, stop)
        work.fit(block.samples)
        forward(work, block.inputs)
        self._factors.write(work, block, slice(start - first, stop - first), self._sweep)

    def _do_strip(self, number: int) -> None:
        chunk = self._chunk
        self._factors.multiply(number, chunk[-1][1] - chunk[0][0])
