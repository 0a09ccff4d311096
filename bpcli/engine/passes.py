"""The passes over blocks of rows: forward, and backward for the gradient summed over the block.

A block in memory is read where it is; other rows are copied into a block of their own first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeAlias

import numpy as np

from bpcli.engine.recording import Recorded, Tape, moved
from bpcli.engine.rows import Block, PieceReader, RowBlocks, StreamedRows
from bpcli.engine.shards import TallyPlan
from bpcli.nn import propagation
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, bytes_per_sample, loss_sum

BackwardPass: TypeAlias = Callable[[Workspace, Array, Array | None], None]

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


class BlockPasses(threading.local):
    """The passes of each thread; a forked worker has its own copies anyway."""

    def __init__(
        self, network: Network, params: Vector, data: RowBlocks, backward: BackwardPass
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
        self._reader = PieceReader(data) if isinstance(data, StreamedRows) else None

    def over(self, start: int, stop: int) -> Pass:
        """The pass over a block of the data; without a copy if they are in memory."""
        if self._reader is not None:
            return self._streamed(self._reader, start, stop)
        size = stop - start if self._records else 0  # only a recorded pass has a fixed size
        if start not in self._blocks:
            block = self._blocks[start] = self._data.block(start, stop)
            if size not in self._in_place:
                self._in_place[size] = self._made(block)
        block_pass = self._in_place[size]
        block_pass.move_to(self._blocks[start])
        return block_pass

    def _streamed(self, reader: PieceReader, start: int, stop: int) -> Pass:
        """The pass over a block of streamed rows, which are read into the same memory again."""
        samples = stop - start
        if samples not in self._in_place:
            self._in_place[samples] = self._made(reader.data.part_of_block(samples))
        block_pass = self._in_place[samples]
        reader.load(start, stop, block_pass.block)
        # Not by `move_to`: only the number of its first row is another one.
        block_pass.block = block_pass.block._replace(start=start)
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


class Tally(Protocol):
    """Sums over rows of what depends on the network's outputs, such as terms of metrics."""

    @property
    def width(self) -> int:
        """The number of sums."""

    def sums(self, start: int, stop: int, Z: Array) -> Vector:
        """The sums (width,) over the rows from `start` to `stop`; Z is (outputs' rows, samples)."""


def tally_group(
    tally: Tally, group: tuple[int, int], plan: TallyPlan, passes: BlockPasses, Z: Array
) -> Iterator[tuple[int, Vector]]:
    """The number of each piece of a group, and the sums of a tally over it.

    `Z` (rows of outputs, rows of a piece) is overwritten.
    """
    for number in range(*group):
        start, stop = plan.pieces[number]
        for first, end in plan.blocks_of(number):
            block_pass = passes.over(first, end)
            block_pass.forward()
            Z[:, first - start : end - start] = block_pass.Z
        yield number, tally.sums(start, stop, Z[:, : stop - start])


def sum_blocks(
    passes: Iterable[Pass],
    *,
    grad: Vector | None,
    loss: bool,
    look: Callable[[Pass], None] | None = None,
) -> complex | float:
    """Make the passes in order; return their summed loss, or 0 without `loss`.

    Writes the sum of their gradients into `grad`; without it, the passes are only forward. `look`
    sees each pass after it was made.
    """
    total: complex | float = 0.0
    for number, block_pass in enumerate(passes):
        if grad is None:
            block_pass.forward()
        elif number == 0:
            grad[...] = block_pass.grad()
        else:
            np.add(grad, block_pass.grad(), grad)
        if look is not None:
            look(block_pass)
        if loss:
            total += block_pass.loss()
    return total
