"""Sums over rows: of the loss, and of its gradient. The objective scales them.

Rows are in blocks, blocks in shards. The passes over the blocks, and the order in which their sums
are added up, depend only on the data and the network, so any number of workers gives the same bits.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from bpcli.engine.passes import BackwardPass, BlockPasses, Pass, Tally, sum_blocks, tally_group
from bpcli.engine.pool.base import SerialPool, WorkerPool
from bpcli.engine.rows import RowBlocks, StreamedRows
from bpcli.engine.shards import ShardPlan, TallyPlan, add_up, slices_of
from bpcli.nn import propagation
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network


class _Asked(NamedTuple):
    """The request to the workers, as numbers in shared memory."""

    rows: int
    some: bool = False
    loss: bool = False
    grad: bool = False
    keep: bool = False
    tally: int = 0


class Sums(Protocol):
    """Sums over the rows of one data set, or over those at an index."""

    @property
    def plan(self) -> ShardPlan:
        """The shards of all rows."""

    def loss(self, params: Vector, index: Array | None = None) -> complex | float:
        """Σ_i w_i loss_i."""

    def grad(self, params: Vector, index: Array | None = None) -> Vector:
        """Σ_i w_i ∂loss_i/∂params; the next evaluation may overwrite it."""

    def loss_and_grad(
        self, params: Vector, index: Array | None = None
    ) -> tuple[complex | float, Vector]:
        """`loss` and `grad`, from one forward pass."""

    def Z(self, params: Vector) -> Array:  # noqa: N802  # a matrix
        """The output layer's z (outputs' rows, n) of all rows, if they are in memory."""

    def tally(self, params: Vector, number: int) -> Vector:
        """The sums of one of the tallies over all rows, if they are streamed."""


class RemotePool(SerialPool):
    """Workers that share no memory with this process, such as those of a cluster.

    They compute the sums of streamed rows, and the process itself does all other tasks.
    """

    @abstractmethod
    def sums(
        self, network: Network, data: StreamedRows, dtype: np.dtype, tallies: Sequence[Tally]
    ) -> Sums:
        """The sums of rows that the workers read, with the bits of `RowSums`."""


def sums_of(
    network: Network,
    data: RowBlocks,
    pool: WorkerPool,
    backward: BackwardPass = propagation.backward,
    tallies: Sequence[Tally] = (),
) -> Sums:
    """The sums of a data set in its own dtype, computed by the workers of a pool."""
    if isinstance(pool, RemotePool) and isinstance(data, StreamedRows):
        return pool.sums(network, data, data.dtype, tallies)
    return RowSums(network, data, data.dtype, pool, backward, tallies)


class RowSums:
    """The sums over the rows of one data set, or over some of them, at parameters of one dtype.

    A gradient that is returned lies in memory that the next evaluation overwrites. Rows in memory
    have `Z`. Nothing as long as the data is kept of streamed rows: they have `tallies` instead.
    """

    def __init__(
        self,
        network: Network,
        data: RowBlocks,
        dtype: np.dtype,
        pool: WorkerPool,
        backward: BackwardPass = propagation.backward,
        tallies: Sequence[Tally] = (),
    ) -> None:
        self._network = network
        self._data = data
        self._tallies = tallies
        self._is_streamed = isinstance(data, StreamedRows)
        self._plans: dict[int, ShardPlan] = {}
        self.plan = self._plan_of(len(data))
        most_shards, n_params = len(self.plan.shards), network.n_params
        self._slices = slices_of(n_params)
        self._params = pool.allocate_shared((n_params,), dtype)
        self._grads = pool.allocate_shared((most_shards, n_params), dtype)
        self._losses = pool.allocate_shared((most_shards,), np.result_type(dtype, np.float64))
        widest = max((tally.width for tally in tallies), default=0)
        count = len(self._tally_plan.pieces) if tallies else 0
        self._counts = pool.allocate_shared((count, widest), np.float64)
        kept = 0 if self._is_streamed else len(data)
        self._Z = pool.allocate_shared((network.layers[-1].rows, kept), dtype)
        self._Z_at: Vector | None = None
        self._index = pool.allocate_shared((len(data),), np.intp)
        self._asked = pool.allocate_shared((len(_Asked._fields),), np.int64)
        self._passes = BlockPasses(network, self._params, data, backward)
        self._pass_over_shards = pool.register(self._do_shard)
        self._add_up_slices = pool.register(self._do_slice)
        self._tally_groups = pool.register(self._do_group)

    def loss(self, params: Vector, index: Array | None = None) -> complex | float:
        """Σ_i w_i loss_i."""
        only = self._load(params, index)
        if only is not None:
            only.forward()
            if index is None:
                self._Z_at = params
            return only.loss()
        self._over_shards(params, index, loss=True)
        return self._total_loss()

    def grad(self, params: Vector, index: Array | None = None) -> Vector:
        """Σ_i w_i ∂loss_i/∂params."""
        only = self._load(params, index)
        if only is not None:
            self._Z_at = None  # the pass has another z from here on
            return only.grad()
        self._over_shards(params, index, grad=True)
        return self._total_grad()

    def loss_and_grad(
        self, params: Vector, index: Array | None = None
    ) -> tuple[complex | float, Vector]:
        """`loss` and `grad`, from one forward pass."""
        only = self._load(params, index)
        if only is not None:
            self._Z_at = None
            grad = only.grad()
            return only.loss(), grad
        self._over_shards(params, index, loss=True, grad=True)
        return self._total_loss(), self._total_grad()

    def Z(self, params: Vector) -> Array:  # noqa: N802  # a matrix
        """The output layer's z of all rows: (outputs' rows, n), overwritten by the next call.

        It is kept from the last loss over all rows, if `params` is the array of that call.
        """
        assert not self._is_streamed, "streamed rows have tallies"
        if self._Z_at is not params:
            only = self._load(params, None)
            if only is not None:
                only.forward()
                self._Z_at = params
            else:
                self._over_shards(params, None)
        return self._Z if self._whole is None else self._whole.Z

    def tally(self, params: Vector, number: int) -> Vector:
        """The sums of one of the tallies over all rows, added in the order of the pieces."""
        self._params[...] = params
        self._asked[:] = _Asked(len(self._data), tally=number)
        self._tally_groups(len(self._tally_plan.groups))
        # Of the same layout as with rows in memory: the order in which numpy adds depends on it.
        counts = np.ascontiguousarray(self._counts[:, : self._tallies[number].width])
        total: Vector = np.add.reduce(counts, axis=0)
        return total

    @cached_property
    def _tally_plan(self) -> TallyPlan:
        return TallyPlan.of(self._data)

    def _do_group(self, number: int) -> None:
        tally, plan = self._tallies[_Asked(*self._asked.tolist()).tally], self._tally_plan
        Z = np.empty((self._network.layers[-1].rows, plan.piece_rows), self._params.dtype)
        for piece, sums in tally_group(tally, plan.groups[number], plan, self._passes, Z):
            self._counts[piece, : tally.width] = sums

    # One block.

    def _load(self, params: Vector, index: Array | None) -> Pass | None:
        """Copy the parameters; return the pass over the rows if they are one block."""
        self._params[...] = params  # a third of the time of `copyto`
        if index is None:
            return self._whole
        if len(index) > self._data.block_size:
            return None
        batch = self._passes.over_copies(len(index))
        self._data.gather(index, batch.block)
        return batch

    @cached_property
    def _whole(self) -> Pass | None:
        """The pass over all rows, if they are one block in memory."""
        if self._is_streamed or len(self._data) > self._data.block_size:
            return None
        return self._passes.over(0, len(self._data))

    # Shards, by the pool.

    def _plan_of(self, rows: int) -> ShardPlan:
        if rows not in self._plans:
            self._plans[rows] = ShardPlan.of(rows, self._data, self._network)
        return self._plans[rows]

    def _over_shards(
        self, params: Vector, index: Array | None, *, loss: bool = False, grad: bool = False
    ) -> None:
        """Make the passes of every shard.

        Keeps z of all rows, which metrics need, unless only the gradient is requested: then no
        metrics are computed from this pass.
        """
        rows, keep = len(self._data), index is None and (loss or not grad)
        keep = keep and not self._is_streamed
        if index is not None:
            rows = len(index)
            self._index[:rows] = index
        if keep:
            self._Z_at = None  # until it is complete
        self._asked[:] = _Asked(rows, index is not None, loss, grad, keep)
        self._pass_over_shards(len(self._plan_of(rows).shards))
        if keep:
            self._Z_at = params

    def _do_shard(self, number: int) -> None:
        asked = _Asked(*self._asked.tolist())
        blocks = self._plan_of(asked.rows).blocks_of(number)
        passes = (self._pass_over(start, stop, asked) for start, stop in blocks)
        grad = self._grads[number] if asked.grad else None
        look = self._keep if asked.keep else None
        self._losses[number] = sum_blocks(passes, grad=grad, loss=asked.loss, look=look)

    def _keep(self, block_pass: Pass) -> None:
        """Keep z of a block."""
        start, samples = block_pass.block.start, block_pass.block.samples
        self._Z[:, start : start + samples] = block_pass.Z

    def _pass_over(self, start: int, stop: int, asked: _Asked) -> Pass:
        if not asked.some:
            return self._passes.over(start, stop)
        batch = self._passes.over_copies(stop - start)
        self._data.gather(self._index[start:stop], batch.block)
        return batch

    def _total_loss(self) -> complex | float:
        total: complex | float = sum(self._losses[: self._shards_asked].tolist())
        return total

    def _total_grad(self) -> Vector:
        """The sum of the shards' gradients in order, slice by slice, written over the first."""
        total: Vector = self._grads[0]
        if self._shards_asked > 1:
            self._add_up_slices(len(self._slices))
        return total

    def _do_slice(self, number: int) -> None:
        add_up(self._grads[: self._shards_asked], self._slices[number])

    @property
    def _shards_asked(self) -> int:
        return len(self._plan_of(int(self._asked[0])).shards)
