"""Classes of points, most of them in the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, doc

from bpcli.data.generators.base import Generator, Noise, Samples, class_table
from bpcli.data.table import Table
from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class _Region(Generator):
    n_samples: Samples = 500

    def table(self, rng: np.random.Generator) -> Table:
        X = rng.uniform(-1, 1, (self.n_samples, 2))
        return class_table(X, self._inside(np.abs(X)), count=2)

    @staticmethod
    def _inside(distance: Array) -> Any:
        raise NotImplementedError


class Diamond(_Region):
    """1 inside |x1| + |x2| < 1, x uniform on [-1, 1]²."""

    @staticmethod
    def _inside(distance: Array) -> Any:
        return distance.sum(axis=1) < 1


class Square(_Region):
    """1 inside max(|x1|, |x2|) < 0.5, x uniform on [-1, 1]²."""

    @staticmethod
    def _inside(distance: Array) -> Any:
        return distance.max(axis=1) < 0.5


@dataclass(frozen=True)
class TwoSpirals(Generator):
    """Two arms of 97 points that turn three times around each other, plus N(0, noise).

        angle = i π / 16,  radius = 6.5 (104 - i) / 104,  x = radius (sin angle, cos angle)

    For i = 0 … 96, x has class 1 and -x class 0. Lang & Witbrock 1988, Proc. Connectionist Models
    Summer School, 52; the points of the CMU benchmark collection.
    """

    noise: Noise = 0.0

    def table(self, rng: np.random.Generator) -> Table:
        i = np.arange(97)
        arm = _polar(6.5 * (104 - i) / 104, i * np.pi / 16)
        X = np.stack([arm, -arm], axis=1).reshape(194, 2)
        X += rng.normal(0, self.noise, X.shape)
        return class_table(X, np.tile([1, 0], 97), count=2)


@dataclass(frozen=True)
class Spirals(Generator):
    """One spiral arm per class, from the centre outwards.

        x = r (sin angle, cos angle) + N(0, noise),  angle = 2π (turns r + class / n_classes)

    with r uniform on [0, 1], and row i of class i mod n_classes.
    """

    n_samples: Samples = 300
    n_classes: Annotated[int, Ge(2), Le(1000), doc("Number of classes.")] = 3
    turns: Annotated[float, Gt(0), Le(1000), doc("Number of turns of each arm.")] = 1.0
    noise: Noise = 0.03

    def table(self, rng: np.random.Generator) -> Table:
        labels = np.arange(self.n_samples) % self.n_classes
        r = rng.uniform(0, 1, self.n_samples)
        X = _polar(r, 2 * np.pi * (self.turns * r + labels / self.n_classes))
        X += rng.normal(0, self.noise, X.shape)
        return class_table(X, labels, self.n_classes)


@dataclass(frozen=True)
class Gaussians(Generator):
    """One isotropic normal cluster per class, with means evenly on a circle.

        x = distance (sin angle, cos angle, 0, …, 0) + N(0, spread),  angle = 2π class / n_classes

    and row i of class i mod n_classes; inputs from the third on are pure noise. The classes have
    equal size and covariance, so the nearest mean is the best classifier: with two classes its
    error rate is Φ(-distance / spread), where Φ is the normal distribution function.
    """

    n_samples: Samples = 300
    n_classes: Annotated[int, Ge(2), Le(1000), doc("Number of classes.")] = 3
    n_features: Annotated[int, Ge(2), doc("Number of inputs.")] = 2
    distance: Annotated[float, Ge(0), doc("Distance of each mean from the centre.")] = 2.0
    spread: Annotated[float, Ge(0), doc("Standard deviation of a class.")] = 1.0

    def table(self, rng: np.random.Generator) -> Table:
        labels = np.arange(self.n_samples) % self.n_classes
        X = rng.normal(0, self.spread, (self.n_samples, self.n_features))
        X[:, :2] += _polar(self.distance, 2 * np.pi * labels / self.n_classes)
        return class_table(X, labels, self.n_classes)


def _polar(radius: Array | float, angle: Array) -> Array:
    """Points at angles measured clockwise, from x2 towards x1."""
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
