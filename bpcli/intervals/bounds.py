"""The ends of intervals."""

from __future__ import annotations

from typing import NamedTuple

from bpcli.nn.arrays import Array


class Bounds(NamedTuple):
    """The ends of the intervals (n, targets), in original units."""

    low: Array
    high: Array
