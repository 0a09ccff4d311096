"""The ends of intervals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Array


class Bounds(NamedTuple):
    """The ends of the intervals (n, targets), in original units."""

    low: Array
    high: Array

    @property
    def columns(self) -> Array:
        """Low and high of each target in turn (n, 2 targets), as `end_names` names them."""
        columns: Array = np.stack(self, axis=2).reshape(len(self.low), 2 * self.low.shape[1])
        return columns


def end_names(output_names: Iterable[str]) -> tuple[str, ...]:
    """The names of the ends of each output: predicted y low, predicted y high."""
    return tuple(f"{name} {end}" for name in output_names for end in Bounds._fields)
