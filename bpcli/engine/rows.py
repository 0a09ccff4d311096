"""The rows of a split as the kernel reads them: blocks of columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

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


@dataclass(frozen=True)
class Rows:
    """`count` rows in blocks of b, the last of which may be partly filled.

    Block k is inputs[k] (inputs [+1], b) and targets[k] (outputs, b); the inputs include the row of
    ones for the biases. A block is contiguous: with 10 to 20 inputs its products are up to 3 times
    as fast as those of transposed rows, or of one wide array.
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
        """Rows per block."""
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

    def take(self, index: Array) -> Rows:
        """The rows at `index`, in that order."""
        count, size = len(index), equal_size(len(index), self.block_size, self.dtype)
        inputs, targets = (
            aligned_zeros((-(-count // size), array.shape[1], size), self.dtype)
            for array in (self.inputs, self.targets)
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
        """All rows as views, block by block."""
        for start in range(0, len(self), self.block_size):
            yield self.block(start, min(start + self.block_size, len(self)))

    @property
    def columns(self) -> tuple[Array, Array]:
        """All inputs (inputs [+1], n) and targets (outputs, n), as copies."""
        inputs, targets = (
            np.concatenate(list(array), axis=1)[:, : self.count]
            for array in (self.inputs, self.targets)
        )
        return inputs, targets

    @cached_property
    def total_weight(self) -> float:
        """Σ_i w_i: the number of rows where all weights are 1."""
        return len(self) if self.weight is None else float(self.weight.sum(dtype=np.float64))


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
