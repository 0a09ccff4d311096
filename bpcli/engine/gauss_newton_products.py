"""Products of the Gauss-Newton matrix and a vector, JᵀJ v, over rows, without JᵀJ.

A product takes 1.6 to 1.9 times as long as a gradient: 5 matrix products per layer instead of 3. A
fifth of it, for narrow layers up to a half, is the forward pass, which is repeated for every vector
at the same parameters, so that memory does not grow with the rows.
"""

from __future__ import annotations

import threading

from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.rows import RowBlocks
from bpcli.engine.sums import RowSums
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace
from bpcli.nn.tangents import gauss_newton_backward, tangent_storage


class _Local(threading.local):
    """The tangents of each thread; a forked worker has its own copy anyway."""

    def __init__(self, network: Network, data: RowBlocks) -> None:
        self.storage = tangent_storage(network, data.block_size, data.dtype)


class GaussNewtonProducts:
    """v ↦ Σ_i w_i J_iᵀ J_i v over rows i, with J_i the Jacobian of the outputs of row i."""

    def __init__(self, network: Network, data: RowBlocks, pool: WorkerPool) -> None:
        self._direction = pool.allocate_shared((network.n_params,), data.dtype)
        self._matrices = network.matrices(self._direction)
        self._local = _Local(network, data)
        self._sums = RowSums(network, data, data.dtype, pool, self._backward)

    def product(self, params: Vector, direction: Vector, index: Array | None = None) -> Vector:
        """Over all rows or those at `index`: (n_params,); the next call overwrites it."""
        self._direction[...] = direction
        return self._sums.grad(params, index)

    def _backward(self, work: Workspace, y: Array, row_weight: Array | None) -> None:
        gauss_newton_backward(work, self._matrices, row_weight, self._local.storage)
