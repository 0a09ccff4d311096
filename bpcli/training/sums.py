"""Sums over rows: of the loss, and of its gradient. The objective scales them.

Three ways lead to the same sums, and which one is taken depends on the data and the network alone:
one block, whose pass is recorded and repeated; one shard, block by block; several shards, for as
many workers as there are. Partial sums are added in a fixed order, so that the number of workers
changes no bit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np

from bpcli.nn import propagation
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, equal_blocks, loss_sum
from bpcli.nn.recording import Operation, Tape
from bpcli.training.rows import Block, Rows
from bpcli.training.shards import ShardPlan
from bpcli.training.workers import Crew

BackwardPass: TypeAlias = Callable[[Workspace, Array, Array | None], None]

_SLICE = 2**14
"""Parameters a task when partial gradients are added up: 64 KiB in float32."""


class RecordedPass:
    """The forward and the backward pass over one block that stays where it is."""

    def __init__(self, network: Network, params: Vector, block: Block) -> None:
        tape = Tape()
        self.block = block
        self._work = work = Workspace(network, tape.watch(params), tape.empty)
        work.fit(block.inputs.shape[1])
        propagation.forward(work, tape.watch(block.inputs))
        self._forward = list(tape.operations)
        propagation.backward(work, tape.watch(block.targets), block.weight)
        self._forward_and_backward = tape.close()
        self._grad = np.asarray(work.grad)

    @property
    def operations(self) -> list[Operation]:
        """All that a forward and a backward pass does, in order."""
        return self._forward_and_backward

    def grad(self) -> Vector:
        """The gradient summed over the samples, in memory that the next call overwrites."""
        for operation in self._forward_and_backward:
            operation()
        return self._grad

    def loss(self) -> complex | float:
        """The loss summed over the samples."""
        for operation in self._forward:
            operation()
        return self.loss_so_far()

    def loss_so_far(self) -> complex | float:
        """The loss of the latest forward pass."""
        return loss_sum(self._work, self.block.targets, self.block.weight)

    @property
    def Z(self) -> Array:  # noqa: N802  # a matrix
        """The output layer's z of the latest forward pass: (rows, samples)."""
        return np.asarray(self._work.layers[-1].z)


class _Asked(NamedTuple):
    """What the workers are to do, in numbers that all of them see."""

    rows: int
    some: bool
    loss: bool
    grad: bool
    keep: bool


class _Own(threading.local):
    """Each thread's own workspace; a forked worker has a copy of its own anyway."""

    def __init__(self, network: Network, params: Vector) -> None:
        self.workspace = Workspace(network, params)


class RowSums:
    """The sums over the rows of one data set, or over some of them, at parameters of one dtype.

    A gradient that is returned lies in memory that the next evaluation overwrites.
    """

    def __init__(
        self,
        network: Network,
        data: Rows,
        dtype: np.dtype,
        crew: Crew,
        backward: BackwardPass = propagation.backward,
    ) -> None:
        self.plan = ShardPlan.of(len(data), network, data.dtype)
        self._network = network
        self._data = data
        self._backward = backward
        self._plans = {len(data): self.plan}
        self._batches: dict[int, tuple[Rows, RecordedPass]] = {}
        most_shards, n_params = len(self.plan.shards), network.n_params
        self._params = crew.share((n_params,), dtype)
        self._grads = crew.share((most_shards, n_params), dtype)
        self._grad = crew.share((n_params,), dtype)
        self._losses = crew.share((most_shards,), np.result_type(dtype, np.float64))
        self._Z = crew.share((network.layers[-1].rows, len(data)), dtype)
        self._index = crew.share((len(data),), np.intp)
        self._asked = crew.share((len(_Asked._fields),), np.int64)
        self._own = _Own(network, self._params)
        self._pass_over_shards = crew.prepare(self._do_shard)
        self._add_up_slices = crew.prepare(self._do_slice)

    def loss(self, params: Vector, index: Array | None = None) -> complex | float:
        """Σ_i w_i loss_i."""
        recorded = self._load(params, index)
        if recorded is not None:
            return recorded.loss()
        self._over_shards(index, loss=True)
        return self._total_loss()

    def grad(self, params: Vector, index: Array | None = None) -> Vector:
        """Σ_i w_i ∂loss_i/∂params."""
        recorded = self._load(params, index)
        if recorded is not None:
            return recorded.grad()
        self._over_shards(index, grad=True)
        return self._total_grad()

    def loss_and_grad(
        self, params: Vector, index: Array | None = None
    ) -> tuple[complex | float, Vector]:
        """Both, from one forward pass."""
        recorded = self._load(params, index)
        if recorded is not None:
            grad = recorded.grad()
            return recorded.loss_so_far(), grad
        self._over_shards(index, loss=True, grad=True)
        return self._total_loss(), self._total_grad()

    def Z(self, params: Vector) -> Array:  # noqa: N802  # a matrix
        """The output layer's z of all rows: (outputs' rows, n), overwritten by the next call."""
        recorded = self._load(params, None)
        if recorded is not None:
            recorded.loss()
            return recorded.Z
        self._over_shards(None, keep=True)
        return self._Z

    # One block, recorded.

    def _load(self, params: Vector, index: Array | None) -> RecordedPass | None:
        """Bring in the parameters; the recorded pass over the rows, where they are one block."""
        self._params[...] = params  # a third of the time of `copyto`
        return self._whole if index is None else self._batch(index)

    @cached_property
    def _whole(self) -> RecordedPass | None:
        if not self._is_one_block(len(self._data)):
            return None
        inputs, targets, weight = self._data.block(0, len(self._data))
        columns = np.ascontiguousarray(inputs)  # a third less time for the smallest products
        return RecordedPass(self._network, self._params, Block(columns, targets, weight))

    def _batch(self, index: Array) -> RecordedPass | None:
        """The pass over a mini-batch; its rows are copied to where the pass reads them."""
        if not self._is_one_block(len(index)):
            return None
        if len(index) not in self._batches:
            rows = self._data.take(index)
            block = rows.block(0, len(index))
            self._batches[len(index)] = rows, RecordedPass(self._network, self._params, block)
        rows, recorded = self._batches[len(index)]
        self._data.copy_to(rows, index)
        return recorded

    def _is_one_block(self, rows: int) -> bool:
        plan = self._plan_of(rows)
        is_one = len(plan.shards) == 1 and rows <= plan.block
        return is_one and self._backward is propagation.backward  # others cannot be recorded

    def _plan_of(self, rows: int) -> ShardPlan:
        if rows not in self._plans:
            self._plans[rows] = ShardPlan.of(rows, self._network, self._data.dtype)
        return self._plans[rows]

    # Shards, by the crew.

    def _over_shards(
        self, index: Array | None, *, loss: bool = False, grad: bool = False, keep: bool = False
    ) -> None:
        """Have every shard's pass done."""
        rows = len(self._data)
        if index is not None:
            rows = len(index)
            self._index[:rows] = index
        self._asked[:] = _Asked(rows, index is not None, loss, grad, keep)
        self._pass_over_shards(len(self._plan_of(rows).shards))

    def _do_shard(self, number: int) -> None:
        asked = _Asked(*self._asked.tolist())
        plan = self._plan_of(asked.rows)
        work = self._own.workspace
        total: complex | float = 0.0
        grad = self._grads[number]
        for position, (start, stop) in enumerate(equal_blocks(*plan.shards[number], plan.block)):
            inputs, targets, weight = self._block(start, stop, asked)
            work.fit(stop - start)
            propagation.forward(work, inputs)
            if asked.keep:
                self._Z[:, start:stop] = work.layers[-1].z
            if asked.loss:
                total += loss_sum(work, targets, weight)
            if asked.grad:
                self._backward(work, targets, weight)
                grad[:] = work.grad if position == 0 else np.add(grad, work.grad, out=grad)
        self._losses[number] = total

    def _block(self, start: int, stop: int, asked: _Asked) -> Block:
        if asked.some:
            return self._data.take(self._index[start:stop]).block(0, stop - start)
        return self._data.block(start, stop)

    def _total_loss(self) -> complex | float:
        total: complex | float = sum(self._losses[: self._shards_asked].tolist())
        return total

    def _total_grad(self) -> Vector:
        """The shards' gradients, added up first to last, slice by slice of the parameters."""
        if self._shards_asked == 1:
            only: Vector = self._grads[0]
            return only
        self._add_up_slices(-(-len(self._grad) // _SLICE))
        return self._grad

    def _do_slice(self, number: int) -> None:
        where = slice(number * _SLICE, (number + 1) * _SLICE)
        shards = self._grads[: self._shards_asked, where]
        np.add.reduce(shards, axis=0, out=self._grad[where])

    @property
    def _shards_asked(self) -> int:
        return len(self._plan_of(int(self._asked[0])).shards)
