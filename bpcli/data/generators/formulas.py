"""Values of a formula, at random inputs, with noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt, doc

from bpcli.data.generators.base import Generator, High, Intercept, Low, Noise, Samples
from bpcli.data.table import Table, value_table
from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class Plane(Generator):
    """y = intercept + slope1 x1 + slope2 x2 + N(0, noise), x uniform on [low, high]²."""

    n_samples: Samples = 100
    noise: Noise = 0.5
    intercept: Intercept = 1.5
    slope1: Annotated[float, doc("The coefficient of x1.")] = 2.0
    slope2: Annotated[float, doc("The coefficient of x2.")] = 5.0
    low: Low = 0.0
    high: High = 10.0

    def __post_init__(self) -> None:
        _check_interval(self.low, self.high)

    def table(self, rng: np.random.Generator) -> Table:
        X = rng.uniform(self.low, self.high, (self.n_samples, 2))
        y = self.intercept + X @ [self.slope1, self.slope2]
        y += rng.normal(0, self.noise, self.n_samples)
        return value_table(X, y)


@dataclass(frozen=True)
class _Curve(Generator):
    n_samples: Samples = 100
    noise: Noise = 0.1
    low: Low = -1.0
    high: High = 1.0

    def __post_init__(self) -> None:
        _check_interval(self.low, self.high)

    def table(self, rng: np.random.Generator) -> Table:
        X = rng.uniform(self.low, self.high, (self.n_samples, 1))
        y = self._height(X[:, 0]) + rng.normal(0, self.noise, self.n_samples)
        return value_table(X, y)

    def _height(self, x: Array) -> Array:
        raise NotImplementedError


@dataclass(frozen=True)
class Sine(_Curve):
    """y = sin(2π frequency x) + N(0, noise), x uniform on [low, high]."""

    frequency: Annotated[float, Gt(0), doc("Number of periods per unit of x.")] = 1.0

    def _height(self, x: Array) -> Array:
        return np.sin(2 * np.pi * self.frequency * x)


@dataclass(frozen=True)
class Sinc(_Curve):
    """y = sin(x)/x + N(0, noise), and 1 at 0, x uniform on [low, high].

    A standard test of regression, as in Vapnik, Golowich & Smola 1996, NIPS 9, 281.
    """

    low: Low = -10.0
    high: High = 10.0

    def _height(self, x: Array) -> Array:
        return np.sinc(x / np.pi)


def _check_interval(low: float, high: float) -> None:
    if low > high:
        raise ValueError(f"`low` ({low:g}) must be at most `high` ({high:g})")
    if math.isinf(high - low):
        raise ValueError("`high` - `low` is too large for a float: choose a smaller interval")
