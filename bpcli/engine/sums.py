"""Sums over rows: of the loss, and of its gradient. The objective scales them.

Rows are in blocks, blocks in shards. The passes over the blocks, and the order in which their sums
are added up, depend only on the data and the network, so any number of workers gives the same bits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np

from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.recording import Recorded, Tape, moved
from bpcli.engine.rows import Block, Rows
from bpcli.engine.shards import ShardPlan
from bpcli.nn import propagation
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, bytes_per_sample, loss_sum

BackwardPass: TypeAlias = Callable[[Workspace, Array, Array | None], None]

_FEWEST_IN_A_SLICE = 2**14
"""The fewest parameters per task when partial gradients are added up: 64 KiB in float32."""

_MOST_SLICES = 64

_RECORDED_BYTES = 4 * 2**20
"""The largest workspace of a recorded pass, in bytes. A smaller last block needs a second
workspace; for larger networks, that memory matters more than the microseconds between calls."""


class Pass:
    """The forward and the backward pass over a block, by calling the kernel's functions."""

    def __init__(
        self, network: Network, params: Vector, block: Block, backward: BackwardPass
    ) -> None:
        # A wrong backward pass may read what the right one has overwritten.
        self._work = Workspace(network, params, in_place=backward is propagation.backward)
        self._backward = backward
        self.move_to(block)

    def move_to(self, block: Block) -> None:
        """Use this block from now on."""
        self.block = block
        self._work.fit(block.samples)

    def forward(self) -> None:
        """Fill z and a."""
        propagation.forward(self._work, self.block.inputs)

    def grad(self) -> Vector:
        """The gradient summed over the samples; the next call overwrites it."""
        self.forward()
        self._backward(self._work, self.block.targets, self.block.weight)
        return self._work.grad

    def loss(self) -> complex | float:
        """The loss of the latest forward pass, summed over the samples."""
        return loss_sum(self._work, self.block.targets, self.block.weight)

    @property
    def Z(self) -> Array:  # noqa: N802  # a matrix
        """The output layer's z of the latest forward pass: (rows, samples)."""
        return np.asarray(self._work.layers[-1].z)


class RecordedPass(Pass):
    """The same passes, recorded over one block and repeated over any block of its size."""

    def __init__(self, network: Network, params: Vector, block: Block) -> None:
        tape = Tape()
        self.params = params
        self.block = block
        self._work = work = Workspace(network, tape.trace(params), tape.zeros, in_place=True)
        work.fit(block.samples)
        propagation.forward(work, tape.trace(block.inputs))
        self._forwards = len(tape.operations)
        propagation.backward(work, tape.trace(block.targets), block.weight)
        self.operations = tape.close()
        self._moved = {block.start: self.operations}
        self._grad = np.asarray(work.grad)
        top = work.layers[-1]  # `loss` reads plain arrays: it need not be recorded
        top.z, top.a = np.asarray(top.z), np.asarray(top.a)

    def move_to(self, block: Block) -> None:
        if block.start not in self._moved:
            self._moved[block.start] = self._moved_to(block)
        self.operations = self._moved[block.start]
        self.block = block

    def _moved_to(self, block: Block) -> list[Recorded]:
        """The operations over another block: the three or four that read the block change."""
        operations = self.operations
        for old, new in zip(self.block.arrays, block.arrays, strict=True):
            operations = [moved(operation, old, new) for operation in operations]
        return operations

    def forward(self) -> None:
        for func, args in self.operations[: self._forwards]:
            func(*args)

    def grad(self) -> Vector:
        for func, args in self.operations:
            func(*args)
        return self._grad


class _Passes(threading.local):
    """The passes of each thread; a forked worker has its own copies anyway."""

    def __init__(
        self, network: Network, params: Vector, data: Rows, backward: BackwardPass
    ) -> None:
        self._network = network
        self._params = params
        self._data = data
        self._backward = backward
        workspace = data.block_size * bytes_per_sample(network, data.dtype)
        # A wrong backward pass may use operations that a tape cannot record.
        self._records = backward is propagation.backward and workspace <= _RECORDED_BYTES
        self._blocks: dict[int, Block] = {}
        self._in_place: dict[int, Pass] = {}
        self._copied: dict[int, Pass] = {}

    def over(self, start: int, stop: int) -> Pass:
        """The pass over a block of the data, without a copy."""
        size = stop - start if self._records else 0  # only a recorded pass has a fixed size
        if start not in self._blocks:
            block = self._blocks[start] = self._data.block(start, stop)
            if size not in self._in_place:
                self._in_place[size] = self._made(block)
        block_pass = self._in_place[size]
        block_pass.move_to(self._blocks[start])
        return block_pass

    def over_copies(self, samples: int) -> Pass:
        """The pass over a block that is filled with rows before each pass."""
        if samples not in self._copied:
            self._copied[samples] = self._made(self._data.empty_block(samples))
        return self._copied[samples]

    def _made(self, block: Block) -> Pass:
        if self._records:
            return RecordedPass(self._network, self._params, block)
        return Pass(self._network, self._params, block, self._backward)


class _Asked(NamedTuple):
    """The request to the workers, as numbers in shared memory."""

    rows: int
    some: bool
    loss: bool
    grad: bool
    keep: bool


class RowSums:
    """The sums over the rows of one data set, or over some of them, at parameters of one dtype.

    A gradient that is returned lies in memory that the next evaluation overwrites.
    """

    def __init__(
        self,
        network: Network,
        data: Rows,
        dtype: np.dtype,
        pool: WorkerPool,
        backward: BackwardPass = propagation.backward,
    ) -> None:
        self._network = network
        self._data = data
        self._plans: dict[int, ShardPlan] = {}
        self.plan = self._plan_of(len(data))
        most_shards, n_params = len(self.plan.shards), network.n_params
        self._slice = max(_FEWEST_IN_A_SLICE, -(-n_params // _MOST_SLICES))
        self._params = pool.allocate_shared((n_params,), dtype)
        self._grads = pool.allocate_shared((most_shards, n_params), dtype)
        self._losses = pool.allocate_shared((most_shards,), np.result_type(dtype, np.float64))
        self._Z = pool.allocate_shared((network.layers[-1].rows, len(data)), dtype)
        self._Z_at: Vector | None = None
        self._index = pool.allocate_shared((len(data),), np.intp)
        self._asked = pool.allocate_shared((len(_Asked._fields),), np.int64)
        self._passes = _Passes(network, self._params, data, backward)
        self._pass_over_shards = pool.register(self._do_shard)
        self._add_up_slices = pool.register(self._do_slice)

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
        if self._Z_at is not params:
            only = self._load(params, None)
            if only is not None:
                only.forward()
                self._Z_at = params
            else:
                self._over_shards(params, None)
        return self._Z if self._whole is None else self._whole.Z

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
        """The pass over all rows, without a copy, if they are one block."""
        if len(self._data) > self._data.block_size:
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
        plan, grad = self._plan_of(asked.rows), self._grads[number]
        total: complex | float = 0.0
        first, end = plan.shards[number]
        for start in range(first, end, plan.block):
            stop = min(end, start + plan.block)
            block_pass = self._pass_over(start, stop, asked)
            if not asked.grad:
                block_pass.forward()
            elif start == first:
                grad[...] = block_pass.grad()
            else:
                np.add(grad, block_pass.grad(), grad)
            if asked.keep:
                self._Z[:, start:stop] = block_pass.Z
            if asked.loss:
                total += block_pass.loss()
        self._losses[number] = total

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
            self._add_up_slices(-(-len(total) // self._slice))
        return total

    def _do_slice(self, number: int) -> None:
        where = slice(number * self._slice, (number + 1) * self._slice)
        self._grads[0, where] = np.add.reduce(self._grads[: self._shards_asked, where], axis=0)

    @property
    def _shards_asked(self) -> int:
        return len(self._plan_of(int(self._asked[0])).shards)
