"""JᵀJ of the residuals' Jacobian J over rows, computed by the pool; the objective scales it.

For some rows at a time, J is written to shared memory, and its product is added to JᵀJ strip by
strip. A task writes the columns of J for some rows, or computes a strip of rows of JᵀJ. Its result
does not depend on the worker, and no worker needs its own JᵀJ. So several workers also help with
few rows and many parameters, where shards of rows would leave all but one worker idle.
"""

from __future__ import annotations

import threading

import numpy as np

from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.rows import Rows
from bpcli.engine.shards import SECONDS_PER_FLOP, SERIAL_BELOW_SECONDS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.jacobian import JacobianPass, samples_at_once, write_jacobian
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, forward

_PIECES = 8
_FEWEST_SAMPLES = 32
_LOWEST_STRIP = 64
_MOST_STRIPS = 128


def gauss_newton_tasks(rows: int, network: Network) -> int:
    """The largest number of workers that can share one JᵀJ; 1 if there is too little work to share.

    Its cost is a multiplication and an addition for half the entries, every row and every output.
    """
    seconds = rows * network.outputs * network.n_params**2 * SECONDS_PER_FLOP
    return 1 if seconds < SERIAL_BELOW_SECONDS else _strips(network)


def _strips(network: Network) -> int:
    return -(-network.n_params // _strip_height(network))


def _strip_height(network: Network) -> int:
    return max(_LOWEST_STRIP, -(-network.n_params // _MOST_STRIPS))


class _Local(threading.local):
    """A workspace per thread; a forked worker has its own copy anyway."""

    def __init__(self, network: Network, params: Vector) -> None:
        self.work = Workspace(network, params)


class JacobianProducts:
    """Σ_i w_i Σ_k (∂r_ki/∂params) (∂r_ki/∂params)ᵀ over rows i and outputs k."""

    def __init__(
        self, network: Network, data: Rows, pool: WorkerPool, write: JacobianPass = write_jacobian
    ) -> None:
        n_params, dtype = network.n_params, data.dtype
        self._data = data
        self._write = write
        self._outputs = network.outputs
        self._at_once = min(len(data), samples_at_once(network, dtype))
        self._piece = max(_FEWEST_SAMPLES, -(-self._at_once // _PIECES))
        self._height, self._strips = _strip_height(network), _strips(network)
        self._params = pool.allocate_shared((n_params,), dtype)
        self._index = pool.allocate_shared((self._at_once,), np.intp)
        self._count = pool.allocate_shared((1,), np.int64)
        self._store = pool.allocate_shared((n_params * self._outputs * self._at_once,), dtype)
        self._JTJ = pool.allocate_shared((n_params, n_params), dtype)
        self._local = _Local(network, self._params)
        self._write_pieces = pool.register(self._do_piece)
        self._multiply_strips = pool.register(self._do_strip)

    def JTJ(self, params: Vector, index: Array | None = None) -> Array:  # noqa: N802  # a matrix
        """JᵀJ over all rows or those at `index`: (n_params, n_params); the next call overwrites it.

        Its memory grows with the square of the number of parameters, not with the number of rows.
        """
        self._params[...] = params
        self._JTJ[...] = 0
        rows = np.arange(len(self._data)) if index is None else index
        for start in range(0, len(rows), self._at_once):
            self._add(rows[start : start + self._at_once])
        _mirror(self._JTJ, self._height)
        return self._JTJ

    def _add(self, rows: Array) -> None:
        self._count[0] = len(rows)
        self._index[: len(rows)] = rows
        self._write_pieces(-(-len(rows) // self._piece))
        self._multiply_strips(self._strips)

    def _do_piece(self, number: int) -> None:
        """Write the Jacobian of some of the current rows."""
        start = number * self._piece
        rows = self._index[start : min(start + self._piece, self._count[0])]
        block, work = self._data.empty_block(len(rows)), self._local.work
        self._data.gather(rows, block)
        work.fit(len(rows))
        forward(work, block.inputs)
        self._write(work, block.weight, self._J[:, :, start : start + len(rows)])

    def _do_strip(self, number: int) -> None:
        """Add to a strip of JᵀJ, up to its diagonal; the longest strip comes first."""
        stop = len(self._params) - number * self._height
        strip = slice(max(0, stop - self._height), stop)
        J = self._J.reshape(len(self._params), -1)
        self._JTJ[strip, :stop] += J[strip].dot(J[:stop].T)

    @property
    def _J(self) -> Array:  # noqa: N802  # a matrix
        """The Jacobian of the current rows, contiguous: (n_params, outputs, rows)."""
        shape = (len(self._params), self._outputs, int(self._count[0]))
        return self._store[: np.prod(shape)].reshape(shape)


def _mirror(matrix: Array, height: int) -> None:
    """Copy the lower triangle to the upper, so that the matrix is symmetric to the bit."""
    for start in range(0, len(matrix), height):
        stop = min(len(matrix), start + height)
        square = matrix[start:stop, start:stop]
        square[...] = np.tril(square) + np.tril(square, -1).T
        matrix[start:stop, stop:] = matrix[stop:, start:stop].T
