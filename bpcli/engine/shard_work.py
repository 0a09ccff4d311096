"""The work on single shards, for a process that shares no memory with the one that adds them up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bpcli.engine.passes import BlockPasses, Tally, sum_blocks, tally_group
from bpcli.engine.rows import RowBlocks
from bpcli.engine.shards import ShardPlan, TallyPlan
from bpcli.nn import propagation
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network


class ShardSums(NamedTuple):
    """Sums over the rows of a shard; None or 0 for what was not asked for."""

    loss: complex | float
    grad: Vector | None


@dataclass(frozen=True)
class ShardWork:
    """Computes the sums of single shards, with the bits that `RowSums` gives them.

    It can be pickled: buffers and passes are made where they are used.
    """

    network: Network
    data: RowBlocks
    dtype: np.dtype
    tallies: tuple[Tally, ...] = ()

    @cached_property
    def plan(self) -> ShardPlan:
        """The shards of all rows."""
        return ShardPlan.of(len(self.data), self.data, self.network)

    def digest(self) -> str:
        """A digest of some of the rows, by which two processes see that they read the same ones."""
        some = self.data.some()
        sha256 = hashlib.sha256()
        for array in some.arrays:
            sha256.update(np.ascontiguousarray(array).data)
        return sha256.hexdigest()

    def sums(self, number: int, params: Vector, *, loss: bool, grad: bool) -> ShardSums:
        """The sums of shard `number` of the plan at these parameters, as new arrays."""
        self._params[...] = params
        passes = (self._passes.over(*block) for block in self.plan.blocks_of(number))
        total = np.empty(self.network.n_params, self.dtype) if grad else None
        return ShardSums(sum_blocks(passes, grad=total, loss=loss), total)

    def counts(self, group: int, params: Vector, tally: int) -> Array:
        """The sums of a tally over each piece of a group: (pieces, width), as a new array.

        `tally` is the number of one of the tallies, from 0.
        """
        self._params[...] = params
        plan = self.tally_plan
        Z = np.empty((self.network.layers[-1].rows, plan.piece_rows), self.dtype)
        pieces = tally_group(self.tallies[tally], plan.groups[group], plan, self._passes, Z)
        return np.stack([sums for _, sums in pieces])

    @cached_property
    def tally_plan(self) -> TallyPlan:
        """The pieces for which tallies are summed."""
        return TallyPlan.of(self.data)

    @cached_property
    def _params(self) -> Vector:
        return np.zeros(self.network.n_params, self.dtype)

    @cached_property
    def _passes(self) -> BlockPasses:
        return BlockPasses(self.network, self._params, self.data, propagation.backward)

    def __getstate__(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in fields(self)}
