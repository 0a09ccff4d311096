"""Split conformal prediction: intervals and sets for the predictions of any network.

A score says how badly a prediction fits a target. It is computed for n calibration rows, which were
not used to train. Let q be the ⌈(n + 1) level⌉-th smallest of their scores. A new row contains all
targets whose score is at most q. If it comes from the same source as the calibration rows, these
contain its true target with at least the probability `level`, and with at most 1/(n + 1) more if no
two scores are equal, whatever the network and the distribution of the rows are. This is the
probability over calibration sets and new rows together, not for rows of one kind.

Vovk, Gammerman & Shafer 2005, Algorithmic Learning in a Random World; Lei, G'Sell, Rinaldo,
Tibshirani & Wasserman 2018, J. Am. Stat. Assoc. 113, 1094 (sec. 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import numpy as np

from bpcli.errors import DataError
from bpcli.intervals.bounds import Bounds
from bpcli.nn.arrays import Array, Vector


def fewest_rows(level: float) -> int:
    """The fewest calibration rows: with fewer, only an infinite interval has this level."""
    exact = Fraction(repr(level))
    return -(-exact // (1 - exact))


def quantile(scores: Array, level: float) -> Array:
    """The ⌈(n + 1) level⌉-th smallest of the scores (n, …), column by column.

    Raises `DataError` if n is too small.
    """
    index = rank(len(scores), level) - 1
    chosen: Array = np.partition(scores, index, axis=0)[index]
    return chosen


def rank(rows: int, level: float) -> int:
    """⌈(n + 1) level⌉ for n rows. Raises `DataError` if that is more than n."""
    if rows < fewest_rows(level):
        raise DataError(
            f"a level of {level:g} needs at least {fewest_rows(level):,} calibration rows, and "
            f"there are {rows:,}: use a lower level, or more rows"
        )
    return int(-(-(rows + 1) * Fraction(repr(level)) // 1))


@dataclass(frozen=True)
class AbsoluteErrors:
    """[prediction - half, prediction + half], with one half width for each target (targets,).

    Each target has the level by itself; all targets of a row together are covered less often.
    """

    half: Vector

    @classmethod
    def fit(cls, outputs: Array, targets: Array, level: float) -> Self:
        """Fit to the predictions and the targets (n, targets) of the calibration rows."""
        return cls(quantile(np.abs(targets - outputs), level))

    def bounds(self, inputs: Array, outputs: Array) -> Bounds:
        """The intervals of predictions (n, targets); inputs do not matter."""
        return Bounds(outputs - self.half, outputs + self.half)


@dataclass(frozen=True)
class AdaptiveSets:
    """Sets of classes: those whose score is at most `threshold`.

    The score of class y is Σ p_k over the more probable classes k, plus u p_y. So a set takes the
    most probable classes, until they have enough probability; u, between 0 and 1, decides on the
    last one, since without it the sets would be larger than they need to be (Romano, Sesia & Candès
    2020, NeurIPS, arXiv:2006.02544, eq. 5 to 8). A set may be empty: then even the most probable
    class is less likely than usual.

    u is computed from the bits of the row's probabilities. So the score is a function of the row
    and its class, as the guarantee needs it, and the same row always has the same set.

    The threshold is one number, or one for each row (n, 1) or class (classes,). If it is that of
    the class, the rows of each class have the level by themselves (label-conditional: Vovk,
    Gammerman & Shafer 2005, sec. 4.5).
    """

    threshold: float | Array

    @classmethod
    def fit(cls, probabilities: Array, labels: Array, level: float) -> Self:
        """Fit to the probabilities (n, classes) and true classes (n,) of the calibration rows."""
        rows = np.arange(len(labels))
        return cls(float(quantile(adaptive_scores(probabilities)[rows, labels], level)))

    def sets(self, probabilities: Array) -> Array:
        """Whether each class is in the set of each row: (n, classes) for probabilities like it."""
        inside: Array = adaptive_scores(probabilities) <= self.threshold
        return inside


def adaptive_scores(probabilities: Array) -> Array:
    """The score of every class of every row (n, classes); see `AdaptiveSets`."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    sorted_p = np.take_along_axis(probabilities, order, axis=1)
    before = np.cumsum(sorted_p, axis=1) - sorted_p
    scores = np.empty_like(sorted_p)
    np.put_along_axis(scores, order, before + _uniform(probabilities)[:, np.newaxis] * sorted_p, 1)
    return scores


def _uniform(rows: Array) -> Vector:
    """A number in [0, 1) for each row, which depends on all bits of the row.

    The bits of the columns are mixed one after the other, by the finaliser of SplitMix64 (Steele,
    Lea & Flood 2014, Fast splittable pseudorandom number generators).
    """
    mixed = np.zeros(len(rows), np.uint64)
    for column in np.ascontiguousarray(rows.T, np.float64).view(np.uint64):
        mixed = (mixed ^ column) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    uniform: Vector = (mixed >> np.uint64(11)) * 2.0**-53
    return uniform
