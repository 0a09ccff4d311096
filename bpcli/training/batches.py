"""The rows of each update of an epoch: all of them, or mini-batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.training.objective import NetworkObjective

Sampling: TypeAlias = Literal["shuffle", "in_order", "random"]


@dataclass(frozen=True)
class Batches:
    """Full batch if `size` is None; else ⌈rows_per_epoch / size⌉ updates per epoch.

    `shuffle` takes each row at most once per epoch, in a new order; `in_order` takes the rows as
    they stand; `random` draws rows with replacement.
    """

    size: int | None = None
    sampling: Sampling = "shuffle"
    rows_per_epoch: int | None = None

    @property
    def is_full(self) -> bool:
        return self.size is None

    def of_epoch(
        self, objective: NetworkObjective, rng: np.random.Generator
    ) -> Iterable[NetworkObjective]:
        """The objective of each update of one epoch."""
        if self.size is None:
            return (objective,)
        size, order = self.size, self._draw(objective.n_rows, rng)
        starts = range(0, len(order), size)
        return (objective.rows(order[start : start + size]) for start in starts)

    def _draw(self, rows: int, rng: np.random.Generator) -> Array:
        count = self.rows_per_epoch or rows
        if self.sampling == "random":
            return rng.integers(rows, size=count)
        order = np.arange(rows) if self.sampling == "in_order" else rng.permutation(rows)
        return order[:count]
