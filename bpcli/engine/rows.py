"""The rows of a split as the kernel reads them: blocks of columns, in memory or read on demand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from bpcli.nn.arrays import CACHE_LINE, Array, aligned_zeros
from bpcli.nn.network import Network
from bpcli.nn.propagation import block_size
from bpcli.nn.units import rows_to_look_at


class Block(NamedTuple):
    """Some rows as columns: inputs (inputs [+1], samples), targets (outputs, samples), weights.

    `start` is the number of its first row in the data set.
    """

    inputs: Array
    targets: Array
    weight: Array | None
    start: int = 0

    @property
    def samples(self) -> int:
        samples: int = self.inputs.shape[1]
        return samples

    @property
    def arrays(self) -> list[Array]:
        """Inputs, targets, and the weights if there are any."""
        return [self.inputs, self.targets, *([] if self.weight is None else [self.weight])]


class RowBlocks(ABC):
    """Rows in blocks of `block_size`, the last of which may be shorter.

    A block has samples as columns, and its inputs include the row of ones for the biases.
    """

    @abstractmethod
    def __len__(self) -> int:
        """The number of rows."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype:
        """The precision of the training."""

    @property
    @abstractmethod
    def block_size(self) -> int:
        """Rows per block."""

    @property
    @abstractmethod
    def weight(self) -> Array | None:
        """The weight of each row (n,); None if all are 1."""

    @abstractmethod
    def block(self, start: int, stop: int) -> Block:
        """The rows from `start` to `stop`, all of one block."""

    @abstractmethod
    def empty_block(self, samples: int) -> Block:
        """A block of zeros for `samples` rows."""

    @abstractmethod
    def gather(self, index: Array, block: Block) -> None:
        """Copy the rows at `index` into a block."""

    def take(self, index: Array) -> Rows:
        """The rows at `index`, in that order, in memory."""
        count, size = len(index), equal_size(len(index), self.block_size, self.dtype)
        inputs, targets = (
            aligned_zeros((-(-count // size), len(array), size), self.dtype)
            for array in self.empty_block(1)[:2]
        )
        weight = None if self.weight is None else self.weight[index]
        taken = Rows(inputs, targets, count, weight)
        for start in range(0, count, size):
            stop = min(count, start + size)
            self.gather(index[start:stop], taken.block(start, stop))
        return taken

    def some(self) -> Block:
        """At most 1,000 of the rows, evenly spaced, as copies."""
        index = rows_to_look_at(len(self))
        block = self.empty_block(len(index))
        self.gather(index, block)
        return block

    def blocks(self) -> Iterator[Block]:
        """All rows, block by block."""
        for start in range(0, len(self), self.block_size):
            yield self.block(start, min(start + self.block_size, len(self)))

    @property
    def columns(self) -> tuple[Array, Array]:
        """All inputs (inputs [+1], n) and targets (outputs, n), as copies."""
        blocks = list(self.blocks())
        inputs = np.concatenate([block.inputs for block in blocks], axis=1)
        return inputs, np.concatenate([block.targets for block in blocks], axis=1)

    @cached_property
    def total_weight(self) -> float:
        """Σ_i w_i: the number of rows where all weights are 1."""
        return len(self) if self.weight is None else float(self.weight.sum(dtype=np.float64))


@dataclass(frozen=True)
class Rows(RowBlocks):
    """`count` rows in memory, in blocks of b.

    Block k is inputs[k] (inputs [+1], b) and targets[k] (outputs, b). A block is contiguous: with
    10 to 20 inputs its products are up to 3 times as fast as those of transposed rows, or of one
    wide array.
    """

    inputs: Array
    targets: Array
    count: int
    weight: Array | None = None

    @classmethod
    def of(
        cls, network: Network, X: Array, Y: Array, dtype: np.dtype, weight: Array | None = None
    ) -> Rows:
        """From X (n, inputs), Y (n, outputs) and, unless all are 1, row weights (n,)."""
        return cls.filled(network, [(X, Y)], len(X), dtype, weight)

    @classmethod
    def filled(
        cls,
        network: Network,
        pieces: Iterable[tuple[Array, Array]],
        count: int,
        dtype: np.dtype,
        weight: Array | None = None,
    ) -> Rows:
        """From pieces of X and Y with `count` rows in total."""
        first = network.layers[0]
        block = equal_size(count, block_size(network, dtype), dtype)
        blocks = -(-count // block)
        inputs = aligned_zeros((blocks, first.columns, block), dtype)
        targets = aligned_zeros((blocks, network.outputs, block), dtype)
        inputs[:, first.inputs :] = 1
        row = 0
        for X, Y in pieces:
            done = 0
            while done < len(X):
                k, at = divmod(row, block)
                taken = min(block - at, len(X) - done)
                inputs[k, : first.inputs, at : at + taken] = X[done : done + taken].T
                targets[k, :, at : at + taken] = Y[done : done + taken].T
                row, done = row + taken, done + taken
        return cls(inputs, targets, count, None if weight is None else np.asarray(weight, dtype))

    def __len__(self) -> int:
        return self.count

    @property
    def dtype(self) -> np.dtype:
        return self.inputs.dtype

    @property
    def block_size(self) -> int:
        size: int = self.inputs.shape[2]
        return size

    def block(self, start: int, stop: int) -> Block:
        """A view of the rows from `start` to `stop`, all of one block."""
        k, first = divmod(start, self.block_size)
        where = slice(first, first + stop - start)
        weight = None if self.weight is None else self.weight[start:stop]
        return Block(self.inputs[k, :, where], self.targets[k, :, where], weight, start)

    def empty_block(self, samples: int) -> Block:
        """A block of zeros for `samples` rows."""
        return Block(
            aligned_zeros((self.inputs.shape[1], samples), self.dtype),
            aligned_zeros((self.targets.shape[1], samples), self.dtype),
            None if self.weight is None else np.zeros(samples, self.dtype),
        )

    def gather(self, index: Array, block: Block) -> None:
        """Copy the rows at `index` into a block."""
        k, at = np.divmod(index, self.block_size)
        block.inputs[...] = self.inputs[k, :, at].T
        block.targets[...] = self.targets[k, :, at].T
        if self.weight is not None and block.weight is not None:
            block.weight[...] = self.weight[index]


class RowReader(Protocol):
    """Reads rows: inputs (n, inputs) and targets (n, outputs). Workers copy or pickle it."""

    def read(self, start: int, stop: int) -> tuple[Array, Array]:
        """The rows from `start` to `stop`, before they are prepared."""

    def read_at(self, index: Array) -> tuple[Array, Array]:
        """The rows at an ascending index without repetitions, before they are prepared."""

    def prepare(self, inputs: Array, targets: Array, X: Array, Y: Array) -> None:
        """Write prepared rows as columns of X (inputs, n) and Y (outputs, n)."""


@dataclass(frozen=True)
class StreamedRows(RowBlocks):
    """`count` rows that are read whenever they are needed; no more than a few megabytes are kept.

    They are in the blocks of `Rows`, and a block is laid out as there, so that results have the
    same bits. Rows have no weights.
    """

    reader: RowReader
    inputs: int
    outputs: int
    has_ones: bool
    count: int
    precision: np.dtype
    rows_per_block: int

    weight = None

    @classmethod
    def of(cls, network: Network, reader: RowReader, count: int, dtype: np.dtype) -> StreamedRows:
        first = network.layers[0]
        size = equal_size(count, block_size(network, dtype), dtype)
        has_ones = first.columns > first.inputs
        return cls(reader, first.inputs, network.outputs, has_ones, count, dtype, size)

    def __len__(self) -> int:
        return self.count

    @property
    def dtype(self) -> np.dtype:
        return self.precision

    @property
    def block_size(self) -> int:
        return self.rows_per_block

    def block(self, start: int, stop: int) -> Block:
        """The rows from `start` to `stop`, all of one block, in new memory."""
        block = self.part_of_block(stop - start)._replace(start=start)
        self.fill(block, *self.reader.read(start, stop))
        return block

    def fill(self, block: Block, inputs: Array, targets: Array) -> None:
        """Write rows, which are prepared now, into a block of their number."""
        self.reader.prepare(inputs, targets, block.inputs[: self.inputs], block.targets)

    def empty_block(self, samples: int) -> Block:
        inputs = aligned_zeros((self.inputs + self.has_ones, samples), self.dtype)
        inputs[self.inputs :] = 1
        return Block(inputs, aligned_zeros((self.outputs, samples), self.dtype), None)

    def part_of_block(self, samples: int) -> Block:
        """The first samples of an empty block, for rows that are the last block of the data.

        So BLAS gets the strides that they have in memory, on which the bits of products depend.
        """
        inputs, targets, *_ = self.empty_block(self.block_size)
        return Block(inputs[:, :samples], targets[:, :samples], None)

    def gather(self, index: Array, block: Block) -> None:
        ascending, order = np.unique(index, return_inverse=True)
        inputs, targets = self.reader.read_at(ascending)
        block.inputs[self.inputs :] = 1
        self.fill(block, inputs[order], targets[order])


class PieceReader:
    """Reads streamed rows in pieces of several blocks.

    Reading single blocks took half as long again for a network of 20-50-1, because of the calls.
    """

    def __init__(self, data: StreamedRows) -> None:
        self.data = data
        blocks = _NUMBERS_PER_PIECE // (data.block_size * (data.inputs + data.outputs))
        self._rows = max(1, blocks) * data.block_size
        self._start, self._stop = 0, 0

    def load(self, start: int, stop: int, block: Block) -> None:
        """Fill a block with the rows from `start` to `stop`; the next ones may be read with it."""
        if not self._start <= start < stop <= self._stop:
            last = min(len(self.data), start + self._rows)
            self._inputs, self._targets = self.data.reader.read(start, last)
            self._start, self._stop = start, last  # not before: reading may fail
        first, end = start - self._start, stop - self._start
        self.data.fill(block, self._inputs[first:end], self._targets[first:end])


_NUMBERS_PER_PIECE = 2**17
"""One megabyte in double precision, which the second-level cache holds."""


def equal_size(count: int, most: int, dtype: np.dtype) -> int:
    """The block size that gives the fewest blocks of at most `most` rows, as equal as possible.

    If there are more than two blocks, their number is a multiple of four, so that two or four
    workers get the same number. With several blocks, the samples of one input fill an odd number of
    cache lines: with a power of two, products take up to 1.35 times as long, since the inputs evict
    each other from the cache.
    """
    blocks = max(1, -(-count // most))
    if blocks == 1:
        return max(1, count)
    if blocks > 2:
        blocks += -blocks % 4
    line = CACHE_LINE // dtype.itemsize
    lines = -(-count // (blocks * line))
    return min(most, (lines + (lines % 2 == 0)) * line)
