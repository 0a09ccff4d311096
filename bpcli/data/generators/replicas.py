"""scikit-learn's moons, circles, blobs and regressions, bit for bit, without importing it.

The import takes a second, and these are a few lines each. They draw from numpy's `RandomState`,
whose stream is frozen (NEP 19). scikit-learn is the reference: the tests compare bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le, Lt, doc

from bpcli.data.generators.base import (
    MOST_ROWS,
    Features,
    Generator,
    Intercept,
    Noise,
    Samples,
    Targets,
    class_table,
)
from bpcli.data.table import Table, value_table
from bpcli.nn.arrays import Array


def legacy_seed(rng: np.random.Generator) -> int:
    """A seed for scikit-learn's random numbers, which numpy's `RandomState` draws."""
    return int(rng.integers(2**31))


def _legacy_random(rng: np.random.Generator) -> np.random.RandomState:
    return np.random.RandomState(legacy_seed(rng))


@dataclass(frozen=True)
class _TwoCurves(Generator):
    """The first half of the rows on one curve, class 0, and the others on a second, class 1."""

    n_samples: Annotated[int, Ge(2), Le(MOST_ROWS), doc("Rows.")] = 100
    noise: Noise = 0.0

    def _curves(self, outer: int, inner: int) -> tuple[Array, Array]:
        """The points of both curves, (2, outer) and (2, inner)."""
        raise NotImplementedError

    def table(self, rng: np.random.Generator) -> Table:
        random, outer = _legacy_random(rng), self.n_samples // 2
        points = np.hstack(self._curves(outer, self.n_samples - outer)).T
        order = _shuffled(self.n_samples, random)
        X = points[order]
        X += random.normal(scale=self.noise, size=X.shape)
        return class_table(X, order >= outer, count=2)


@dataclass(frozen=True)
class Moons(_TwoCurves):
    """Two interleaving half circles (make_moons)."""

    def _curves(self, outer: int, inner: int) -> tuple[Array, Array]:
        upper, lower = (np.linspace(0, np.pi, count) for count in (outer, inner))
        return (
            np.stack([np.cos(upper), np.sin(upper)]),
            np.stack([1 - np.cos(lower), 1 - np.sin(lower) - 0.5]),
        )


@dataclass(frozen=True)
class Circles(_TwoCurves):
    """A circle within a circle (make_circles)."""

    factor: Annotated[float, Ge(0), Lt(1), doc("The inner radius relative to the outer.")] = 0.8

    def _curves(self, outer: int, inner: int) -> tuple[Array, Array]:
        first, second = (
            np.linspace(0, 2 * np.pi, count, endpoint=False) for count in (outer, inner)
        )
        return (
            np.stack([np.cos(first), np.sin(first)]),
            np.stack([np.cos(second), np.sin(second)]) * self.factor,
        )


@dataclass(frozen=True)
class Blobs(Generator):
    """Isotropic normal clusters, one per class (make_blobs)."""

    n_samples: Samples = 100
    n_features: Features = 2
    centers: Annotated[int, Ge(2), doc("Number of clusters, one per class.")] = 3
    cluster_std: Annotated[float, Ge(0), doc("Standard deviation of a cluster.")] = 1.0

    def table(self, rng: np.random.Generator) -> Table:
        random = _legacy_random(rng)
        centers = random.uniform(-10, 10, (self.centers, self.n_features))
        rows, more = divmod(self.n_samples, self.centers)
        counts = [rows + (number < more) for number in range(self.centers)]
        X = np.vstack([
            random.normal(center, self.cluster_std, (count, self.n_features))
            for center, count in zip(centers, counts, strict=True)
        ])  # fmt: skip
        order = _shuffled(self.n_samples, random)
        return class_table(
            X[order], np.repeat(np.arange(self.centers), counts)[order], self.centers
        )


@dataclass(frozen=True)
class Regression(Generator):
    """A random linear function of the inputs plus N(0, noise) (make_regression)."""

    n_samples: Samples = 100
    n_features: Features = 1
    n_informative: Annotated[int, Ge(1), doc("Number of inputs that the targets depend on.")] = 10
    n_targets: Targets = 1
    intercept: Intercept = 0.0
    noise: Noise = 0.0

    def table(self, rng: np.random.Generator) -> Table:
        random, informative = _legacy_random(rng), min(self.n_features, self.n_informative)
        X = random.standard_normal((self.n_samples, self.n_features))
        slopes = np.zeros((self.n_features, self.n_targets))
        slopes[:informative] = 100 * random.uniform(size=(informative, self.n_targets))
        Y = np.dot(X, slopes) + self.intercept
        if self.noise > 0:
            Y += random.normal(scale=self.noise, size=Y.shape)
        rows = _shuffled(self.n_samples, random)
        inputs = _shuffled(self.n_features, random)
        return value_table(X[np.ix_(rows, inputs)], Y[rows])


def _shuffled(count: int, random: np.random.RandomState) -> Array:
    """0 … count - 1 in random order."""
    order = np.arange(count)
    random.shuffle(order)
    return order
