"""A window onto one or two inputs: where the data lie, and a grid over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bpcli.nn.arrays import Array

MAP = "cividis"
"""Colours of values: from dark to light for colour-blind readers and in grey alike."""

_MARGIN = 0.12
"""How much of the data's range is shown beyond each end of it."""


def widened(values: Array) -> tuple[float, float]:
    """The range of some numbers with a margin; around a single number, as wide as it is large."""
    low, high = float(values.min()), float(values.max())
    half = high / 2 - low / 2  # which does not overflow
    margin = 2 * _MARGIN * half if half > 0 else max(abs(low), 1.0) / 2
    return low - margin, high + margin


@dataclass(frozen=True)
class Window:
    """A rectangle of a plane, and a regular grid over it."""

    x1: Array
    x2: Array

    @classmethod
    def around(cls, points: Array, across: int) -> Window:
        """Around points (n, 2), with a grid of across × across."""
        return cls(*(np.linspace(*widened(column), across) for column in points.T))

    @property
    def grid(self) -> Array:
        """The points of the grid (across², 2), the first coordinate running fastest."""
        return np.stack([axis.ravel() for axis in np.meshgrid(self.x1, self.x2)], axis=1)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top."""
        return self.x1[0], self.x1[-1], self.x2[0], self.x2[-1]

    def image(self, values: Array) -> Array:
        """The values at `grid`, an image (across, across) with a row for each x2."""
        return values.reshape(len(self.x2), len(self.x1))


def leads(values: Array) -> Array:
    """By how much each row of (k, n) is above the largest of the others: 0 where two are equal."""
    ordered = np.sort(values, axis=0)
    others: Array = np.where(values == ordered[-1], ordered[-2], ordered[-1])
    return values - others
