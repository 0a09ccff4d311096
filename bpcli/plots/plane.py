"""A window onto one or two inputs: the range of the data, and a grid over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bpcli.nn.arrays import Array

MAP = "cividis"
"""The colours of values: from dark to light, also for colour-blind readers and in grey."""

_MOST_UNEQUAL = 2.2
"""Ranges of inputs that differ by more than this factor are drawn equally long."""

_MARGIN = 0.12
"""The margin at each end, as a fraction of the data's range."""


def widened(values: Array) -> tuple[float, float]:
    """The range of some numbers with a margin; for a single number, proportional to its size."""
    low, high = float(values.min()), float(values.max())
    half = high / 2 - low / 2  # does not overflow
    margin = 2 * _MARGIN * half if half > 0 else max(abs(low), 1.0) / 2
    return low - margin, high + margin


@dataclass(frozen=True)
class Window:
    """A rectangle of a plane, and a regular grid over it."""

    x1: Array
    x2: Array

    @classmethod
    def around(cls, points: Array, across: int) -> Window:
        """A window around points (n, 2), with a grid of across × across."""
        return cls(*(np.linspace(*widened(column), across) for column in points.T))

    @property
    def grid(self) -> Array:
        """The points of the grid (across², 2); the first coordinate varies fastest."""
        return np.stack([axis.ravel() for axis in np.meshgrid(self.x1, self.x2)], axis=1)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top."""
        return self.x1[0], self.x1[-1], self.x2[0], self.x2[-1]

    @property
    def shape(self) -> float:
        """Height by width of its drawing: true to scale, or 1 if the ranges differ much."""
        left, right, bottom, top = self.extent
        ratio = (top / 2 - bottom / 2) / (right / 2 - left / 2)  # does not overflow
        return ratio if 1 / _MOST_UNEQUAL <= ratio <= _MOST_UNEQUAL else 1.0

    def image(self, values: Array) -> Array:
        """The values at `grid` as an image (across, across), one row per x2."""
        return values.reshape(len(self.x2), len(self.x1))


def leads(values: Array) -> Array:
    """The lead of each row of (k, n) over the largest of the others: 0 where two are equal."""
    ordered = np.sort(values, axis=0)
    others: Array = np.where(values == ordered[-1], ordered[-2], ordered[-1])
    return values - others
