"""The rows of a part as the kernel reads them, and how they are cut up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.nn.network import Network
from bpcli.nn.propagation import with_ones


class Block(NamedTuple):
    """Some rows as columns: inputs (inputs [+1], samples), targets (outputs, samples), weights."""

    inputs: Array
    targets: Array
    weight: Array | None


@dataclass(frozen=True)
class Rows:
    """The data as it is stored: inputs (n, inputs [+1]), targets (outputs, n), weights (n,)."""

    inputs: Array
    targets: Array
    weight: Array | None = None

    @classmethod
    def of(
        cls, network: Network, X: Array, Y: Array, dtype: np.dtype, weight: Array | None = None
    ) -> Rows:
        """From X (n, inputs), Y (n, outputs) and, unless all are 1, row weights (n,)."""
        rows = cls.filled(network, [(X, Y)], len(X), dtype)
        return rows if weight is None else replace(rows, weight=np.asarray(weight, dtype))

    @classmethod
    def filled(
        cls, network: Network, blocks: Iterable[tuple[Array, Array]], count: int, dtype: np.dtype
    ) -> Rows:
        """From blocks of X and Y that have `count` rows in all."""
        inputs = np.empty((count, network.layers[0].columns), dtype)
        targets = np.empty((network.outputs, count), dtype)
        stop = 0
        for X, Y in blocks:
            start, stop = stop, stop + len(X)
            inputs[start:stop] = with_ones(network, X, dtype)
            targets[:, start:stop] = Y.T
        return cls(inputs, targets)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def dtype(self) -> np.dtype:
        return self.inputs.dtype

    def take(self, index: Array) -> Rows:
        """The rows at `index`, in that order."""
        return Rows(
            self.inputs[index],
            self.targets[:, index],
            None if self.weight is None else self.weight[index],
        )

    def copy_to(self, rows: Rows, index: Array) -> None:
        """Put the rows at `index` in the place of `rows`."""
        np.take(self.inputs, index, axis=0, out=rows.inputs, mode="clip")
        np.take(self.targets, index, axis=1, out=rows.targets, mode="clip")
        if self.weight is not None and rows.weight is not None:
            np.take(self.weight, index, out=rows.weight, mode="clip")

    def block(self, start: int, stop: int) -> Block:
        """The rows [start, stop); no copy."""
        weight = None if self.weight is None else self.weight[start:stop]
        return Block(self.inputs[start:stop].T, self.targets[:, start:stop], weight)

    @cached_property
    def total_weight(self) -> float:
        """Σ_i w_i: the number of rows where all weights are 1."""
        return len(self) if self.weight is None else float(self.weight.sum(dtype=np.float64))
