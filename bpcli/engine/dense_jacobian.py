"""JᵀJ and Jᵀr as one product of J with itself, for networks of few parameters or awkward shapes.

With J as it is stored here, (n_params, residuals), and the residuals as one more row,

    [J; rᵀ] [J; rᵀ]ᵀ = [J Jᵀ, J r; (J r)ᵀ, rᵀr]

Elsewhere J has a row for each residual: there this is JᵀJ and Jᵀr.
"""

from __future__ import annotations

import numpy as np

from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.rows import Block
from bpcli.engine.shards import SECONDS_PER_ENTRY, SECONDS_PER_FLOP
from bpcli.engine.strips import strip_height
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.jacobian import OutputSweep, weighted_residuals, write_products
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace


class DenseJacobian:
    """The factor J of some rows, with the residuals, and the sum of its products."""

    def __init__(self, network: Network, samples: int, dtype: np.dtype, pool: WorkerPool) -> None:
        rows = network.n_params + 1
        self._outputs = network.outputs
        self._J = pool.allocate_shared((network.outputs, rows, samples), dtype)
        self._total = pool.allocate_shared((rows, rows), dtype)
        self.strips = self.strips_of(network)
        self._height = strip_height(rows)

    @staticmethod
    def strips_of(network: Network) -> int:
        """The number of tasks that multiply the factors."""
        rows = network.n_params + 1
        return -(-rows // strip_height(rows))

    @staticmethod
    def entries_per_row(network: Network) -> int:
        """The size of the factors of a row."""
        return network.outputs * (network.n_params + 1)

    @staticmethod
    def seconds(network: Network, rows: int) -> float:
        """The estimated time to write and multiply the factors of some rows."""
        P = network.n_params
        return rows * network.outputs * (P * SECONDS_PER_ENTRY + P * P * SECONDS_PER_FLOP)

    def clear(self) -> None:
        self._total[...] = 0

    def write(self, work: Workspace, block: Block, where: slice, sweep: OutputSweep) -> None:
        residuals, root = weighted_residuals(work, block.targets, block.weight)
        for k in range(self._outputs):
            sweep(work, k, root)
            write_products(work, self._J[k, :-1, where])
            self._J[k, -1, where] = residuals[k]

    def multiply(self, strip: int, samples: int) -> None:
        rows, before = self._strip(strip)
        for J in self._J[:, :, :samples]:
            some = J[rows]
            self._total[rows, rows] += some.dot(some.T)  # symmetric, for half of the work
            if before.stop:
                self._total[rows, before] += some.dot(J[before].T)

    def _strip(self, number: int) -> tuple[slice, slice]:
        """The rows of a strip, and those before it; the longest strip comes first."""
        stop = len(self._total) - number * self._height
        start = max(0, stop - self._height)
        return slice(start, stop), slice(0, start)

    def totals(self) -> tuple[Array, Vector]:
        for strip in range(self.strips):
            rows, before = self._strip(strip)
            self._total[before, rows] = self._total[rows, before].T
        return self._total[:-1, :-1], self._total[-1, :-1]
