"""The least-squares line through predicted against true values, and their correlation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Array


class FittedLine(NamedTuple):
    """The line y ≈ slope · x + intercept, and Pearson's correlation r of the pairs."""

    slope: float
    intercept: float
    r: float


def fitted_line(x: Array, y: Array) -> FittedLine | None:
    """The line of least squares through pairs (n,); None if x or y does not vary, or is infinite.

    slope = Σ dx dy / Σ dx² and r = Σ dx dy / √(Σ dx² Σ dy²), with the deviations dx and dy from the
    means. Numbers vary if their range is not 0; the standard deviation of equal ones can be 1e-17.
    """
    if not all(np.isfinite(each).all() and np.ptp(each) > 0 for each in (x, y)):
        return None
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx))
    r = float(dx @ dy / np.sqrt(dx @ dx) / np.sqrt(dy @ dy))
    return FittedLine(slope, float(y.mean() - slope * x.mean()), r)
