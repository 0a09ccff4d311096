"""Values of a formula, at random inputs, with noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, doc

from bpcli.data.drawn import normal_rows, row_blocks
from bpcli.data.generators.base import (
    Features,
    Generator,
    High,
    Intercept,
    Low,
    Noise,
    Samples,
    Targets,
    class_table,
    value_table,
)
from bpcli.data.table import Table
from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class Plane(Generator):
    """y = intercept + slope1 x1 + slope2 x2 + N(0, noise), x uniform on [low, high]²."""

    n_samples: Samples = 100
    noise: Noise = 0.5
    intercept: Intercept = 1.5
    slope1: Annotated[float, doc("What x1 is multiplied by.")] = 2.0
    slope2: Annotated[float, doc("What x2 is multiplied by.")] = 5.0
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

    frequency: Annotated[float, Gt(0), doc("Periods in an interval of 1.")] = 1.0

    def _height(self, x: Array) -> Array:
        return np.sin(2 * np.pi * self.frequency * x)


@dataclass(frozen=True)
class Sinc(_Curve):
    """y = sin(x)/x + N(0, noise), and 1 at 0, x uniform on [low, high].

    A usual test of regression, as in Vapnik, Golowich & Smola 1996, NIPS 9, 281.
    """

    low: Low = -10.0
    high: High = 10.0

    def _height(self, x: Array) -> Array:
        return np.sinc(x / np.pi)


def _check_interval(low: float, high: float) -> None:
    if low > high:
        raise ValueError(f"`low` ({low:g}) to be at most `high` ({high:g})")
    if math.isinf(high - low):
        raise ValueError("`low` and `high` less far apart")


@dataclass(frozen=True)
class Teacher(Generator):
    """What a random tanh network answers: y = tanh(x A / √n_features) B / √n_hidden + N(0, noise).

    x, A (n_features, n_hidden) and B (n_hidden, n_targets) are drawn from N(0, 1), in this order.
    With `n_classes`, B has a column for each class, and the class is the largest y's.
    """

    n_samples: Samples = 100
    n_features: Features = 10
    n_hidden: Annotated[int, Ge(1), doc("Hidden units of the teacher.")] = 10
    n_targets: Targets = 1
    n_classes: Annotated[
        Annotated[int, Ge(2)] | None, doc("So many classes, the largest y's, in place of values.")
    ] = None
    noise: Noise = 0.1

    def __post_init__(self) -> None:
        if self.n_classes is not None and self.n_targets != 1:
            raise ValueError("`n_targets` to be left out where there are `n_classes`")

    @property
    def numbers(self) -> int:
        return self.n_samples * (self.n_classes or self.n_targets)  # large inputs are not kept

    def table(self, rng: np.random.Generator) -> Table:
        X = normal_rows(rng, (self.n_samples, self.n_features))
        A = rng.standard_normal((self.n_features, self.n_hidden))
        B = rng.standard_normal((self.n_hidden, self.n_classes or self.n_targets))
        Y = np.empty((len(X), B.shape[1]))
        for some in row_blocks(X.shape):  # all rows, or hidden units, at once would be large
            Y[some] = np.tanh(X[some] @ A / math.sqrt(self.n_features)) @ B
        Y /= math.sqrt(self.n_hidden)
        Y += rng.normal(0, self.noise, Y.shape)
        return (
            value_table(X, Y)
            if self.n_classes is None
            else class_table(X, Y.argmax(1), self.n_classes)
        )
