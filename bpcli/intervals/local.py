"""Conformal intervals whose half width depends on the row: q(x) s(x).

The score of a calibration row is |y - f(x)| / s(x), where s is fitted without calibration rows: so
the scores of these and of new rows can be exchanged as before, and the guarantee is the same. Where
s is large, so is the interval (Papadopoulos, Gammerman & Vovk 2008, Normalized nonconformity
measures for regression conformal prediction; Lei et al. 2018, sec. 5.2).

q is one quantile of the scores, or one for each category of the rows: then the rows of each
category have the level by themselves (Mondrian: Vovk, Lindsay, Nouretdinov & Gammerman 2003,
Mondrian confidence machine; Vovk, Gammerman & Shafer 2005, sec. 4.5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias

import numpy as np

from bpcli.data.types import Labels
from bpcli.intervals.bounds import Bounds
from bpcli.intervals.conformal import fewest_rows, quantile
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import predict

Scale: TypeAlias = Callable[[Array], Array]
"""s(x) > 0, (n, targets) in original units, for the network's inputs (n, inputs)."""


class Quantiles(Protocol):
    """q(x) of each target."""

    def at(self, inputs: Array) -> Array:
        """(n, targets), or (targets,) if it is the same for all rows."""


@dataclass(frozen=True)
class LocalErrors:
    """[prediction - q(x) s(x), prediction + q(x) s(x)] for each target."""

    quantiles: Quantiles
    scale: Scale

    def bounds(self, inputs: Array, outputs: Array) -> Bounds:
        """The intervals of predictions (n, targets) for inputs (n, inputs) of the network."""
        half = self.quantiles.at(inputs) * self.scale(inputs)
        return Bounds(outputs - half, outputs + half)


@dataclass(frozen=True)
class Everywhere:
    """One quantile for all rows."""

    quantile: Vector

    def at(self, inputs: Array) -> Array:
        return self.quantile


# Quantiles of categories.


@dataclass(frozen=True)
class Categories:
    """The different rows (categories, places) that some columns of the inputs had.

    `places` are the columns: one of numbers, or all of a one-hot category.
    """

    places: tuple[int, ...]
    keys: Array

    @classmethod
    def of(cls, inputs: Array, places: tuple[int, ...]) -> Self:
        return cls(places, np.unique(inputs[:, places], axis=0))

    def codes(self, inputs: Array) -> Labels:
        """The number (n,) of each row's category; -1 for another."""
        from pandas import MultiIndex

        if not len(inputs):
            return np.empty(0, np.intp)
        known, rows = (MultiIndex.from_arrays(X.T) for X in (self.keys, inputs[:, self.places]))
        codes: Labels = known.get_indexer(rows)
        return codes


@dataclass(frozen=True)
class ByCategory:
    """A quantile for each category (categories + 1, targets); the last one is for all others.

    `rows` are the calibration rows of each category. Where these are too few for the level, the
    quantile is that of all rows, as for a category that is not among them: it promises nothing.
    """

    categories: Categories
    quantiles: Array
    rows: Labels

    @classmethod
    def fit(cls, categories: Categories, inputs: Array, scores: Array, level: float) -> Self:
        """Fit to the scores (n, targets) of the calibration rows."""
        codes, count = categories.codes(inputs), len(categories.keys)
        pooled, fewest = quantile(scores, level), fewest_rows(level)
        rows = np.bincount(codes, minlength=count)
        own = [
            quantile(scores[codes == code], level) if rows[code] >= fewest else pooled
            for code in range(count)
        ]
        return cls(categories, np.array([*own, pooled]), rows)

    def at(self, inputs: Array) -> Array:
        quantiles: Array = self.quantiles[self.categories.codes(inputs)]
        return quantiles


# Scales.


def no_scale(inputs: Array) -> Array:
    """s(x) = 1."""
    return np.ones((len(inputs), 1))


@dataclass(frozen=True)
class NetworkScale:
    """s(x) = exp(g(x)), where a network g was trained on the logarithms of absolute errors.

    g(x) = shift + factor · outputs, each (targets,). It is kept in the range [low, high] that it
    has on its training rows, as far from these it means nothing.
    """

    network: Network
    params: Vector
    shift: Vector
    factor: Vector
    low: Vector
    high: Vector

    def __call__(self, inputs: Array) -> Array:
        logarithms = self.shift + self.factor * predict(self.network, self.params, inputs)
        scale: Array = np.exp(np.clip(logarithms, self.low, self.high))
        return scale


@dataclass(frozen=True)
class SpreadScale:
    """s(x) = least + the standard deviation of the members' outputs, in original units.

    Each member is shifted by its mean output over the training rows, `centres` (members, targets):
    so its bias of the output layer does not matter. `factor` (targets,) is the size of one unit of
    training.
    """

    network: Network
    members: tuple[Vector, ...]
    centres: Array
    factor: Vector
    least: Vector

    def __call__(self, inputs: Array) -> Array:
        return self.least + self.spread(inputs)

    def spread(self, inputs: Array) -> Array:
        """The standard deviation (n, targets); the divisor is the number of members less one."""
        outputs = [
            predict(self.network, params, inputs).astype(np.float64) - centre
            for params, centre in zip(self.members, self.centres, strict=True)
        ]
        spread: Array = np.std(outputs, axis=0, ddof=1) * self.factor
        return spread
