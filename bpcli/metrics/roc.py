"""Receiver operating characteristic: true against false positive rate, over all thresholds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Array


class RocCurve(NamedTuple):
    """The rates from (0, 0) to (1, 1), one point per threshold, and the area under the curve."""

    false_positive_rate: Array
    true_positive_rate: Array
    area: float


def defined_roc_curve(is_positive: Array, score: Array) -> RocCurve | None:
    """The curve; None if all rows are positive, or none is."""
    is_defined = is_positive.any() and not is_positive.all()
    return roc_curve(is_positive, score) if is_defined else None


def counts_above(is_positive: Array, score: Array) -> tuple[Array, Array]:
    """For each threshold, highest first: the positive rows whose score reaches it, and all these.

    Rows of equal score reach it together, so their order does not matter.
    """
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    return np.cumsum(is_positive[order])[ends], ends + 1


def roc_curve(is_positive: Array, score: Array) -> RocCurve:
    """The fractions of the negative and of the positive rows whose score reaches each threshold.

    The area, by the trapezoidal rule, is P(a positive row's score is above a negative row's), ties
    counting half. Fawcett 2006, Pattern Recognition Letters 27, 861, algorithms 1 and 2.
    """
    true, reached = (np.append(0, counts) for counts in counts_above(is_positive, score))
    false = reached - true
    x, y = false / false[-1], true / true[-1]
    return RocCurve(x, y, float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum()))
