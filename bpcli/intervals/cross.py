"""Conformal prediction by the networks of a cross-validation: CV+, and jackknife+ for folds of one.

Every row is in one fold, and has a score by the network that was trained without this fold. With n
rows and r = ⌈(n + 1) level⌉, and f_k the network without fold k, which has row i with error R_i,

    low  = the (n + 1 - r)-th smallest of the n numbers f_k(x) - R_i,
    high = the r-th smallest of the n numbers f_k(x) + R_i.

All rows serve for training and for calibration. With K folds, new targets from the same source are
inside at least with the probability

    1 - 2α - min(2 (1 - 1/K) / (n/K + 1), (1 - K/n) / (K + 1)),     α = 1 - level

and usually with about the level. Barber, Candès, Ramdas & Tibshirani 2021, Predictive inference
with the jackknife+, Ann. Stat. 49, 486, theorems 1 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bpcli.intervals.bounds import Bounds
from bpcli.intervals.conformal import adaptive_scores, rank
from bpcli.metrics.metrics import class_probabilities
from bpcli.nn.arrays import Array, Vector

_NUMBERS_AT_ONCE = 2**21


def guaranteed(level: float, rows: int, folds: int) -> float:
    """The probability that is proven for a level; 0 if that is less."""
    of_folds = 2 * (1 - 1 / folds) / (rows / folds + 1)
    return max(0.0, 1 - 2 * (1 - level) - min(of_folds, (1 - folds / rows) / (folds + 1)))


@dataclass(frozen=True)
class CrossErrors:
    """Intervals from the absolute errors (n_k, targets) of the rows of each fold."""

    errors: tuple[Array, ...]
    level: float

    def bounds(self, by_fold: Array, outputs: Array) -> Bounds:
        """The intervals for the outputs (n, folds · targets) of all networks."""
        low, high = np.empty_like(outputs), np.empty_like(outputs)
        count = sum(map(len, self.errors))
        size = max(1, _NUMBERS_AT_ONCE // count)
        order = rank(count, self.level)
        for start in range(0, len(outputs), size):
            for target in range(outputs.shape[1]):
                some = by_fold[start : start + size, target :: outputs.shape[1]]
                where = slice(start, start + size), target
                low[where] = self._smallest(some, -1, count - order, target)
                high[where] = self._smallest(some, 1, order - 1, target)
        return Bounds(low, high)

    def _smallest(self, by_fold: Array, sign: int, index: int, target: int) -> Vector:
        """The number at this place, from 0, of the sorted ends of a target."""
        ends = [
            outputs[:, np.newaxis] + sign * errors[:, target]
            for outputs, errors in zip(by_fold.T, self.errors, strict=True)
        ]
        bound: Vector = np.partition(np.concatenate(ends, axis=1), index, axis=1)[:, index]
        return bound


@dataclass(frozen=True)
class CrossSets:
    """Sets of the classes whose score is larger than those of fewer than r rows.

    `scores` are those of the rows of each fold, sorted. Romano, Sesia & Candès 2020, algorithm 2.
    """

    scores: tuple[Vector, ...]
    level: float

    def sets(self, by_fold: Array) -> Array:
        """Whether each class is in the set of each row, for outputs (n, folds · outputs)."""
        order = rank(sum(map(len, self.scores)), self.level)
        smaller = [
            np.searchsorted(scores, adaptive_scores(class_probabilities(outputs)))
            for outputs, scores in zip(
                np.split(by_fold, len(self.scores), axis=1), self.scores, strict=True
            )
        ]
        inside: Array = np.sum(smaller, axis=0) < order
        return inside
