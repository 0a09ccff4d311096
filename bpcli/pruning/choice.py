"""Which network of a path of ever smaller ones to keep: the one-standard-error rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Vector


class Estimate(NamedTuple):
    """A mean over rows, and its standard error."""

    mean: float
    error: float


def estimate(losses: Vector, weight: Vector | None) -> Estimate:
    """The mean of the losses of at least 2 rows, m = Σ w l / Σ w, and its standard error.

        √(n/(n - 1) Σ w² (l - m)²) / Σ w

    It is s/√n for equal weights.
    """
    losses = losses.astype(np.float64)
    weight = np.ones(len(losses)) if weight is None else weight
    total = weight.sum()
    mean = float(weight @ losses / total)
    squares = float(np.square(weight * (losses - mean)).sum())
    correction = len(losses) / (len(losses) - 1)
    return Estimate(mean, float(np.sqrt(correction * squares) / total))


def best(path: Sequence[Estimate]) -> int:
    """The index of the lowest mean; of equal ones, of the last."""
    return max(range(len(path)), key=lambda index: (-path[index].mean, index))


def limit(path: Sequence[Estimate]) -> float:
    """The lowest mean plus its standard error."""
    return path[best(path)].mean + path[best(path)].error


def smallest(path: Sequence[Estimate]) -> int:
    """The index of the last mean within the limit.

    The smallest of the networks that are at most one standard error worse than the best (Breiman,
    Friedman, Olshen & Stone 1984, Classification and Regression Trees, sec. 3.4.3).
    """
    return max(index for index, point in enumerate(path) if point.mean <= limit(path))


def is_at_its_end(path: Sequence[Estimate], patience: int) -> bool:
    """Whether the last `patience` means all exceed the limit."""
    return len(path) - 1 - smallest(path) >= patience
