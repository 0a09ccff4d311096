"""Precision against recall, over all thresholds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bpcli.metrics.roc import counts_above
from bpcli.nn.arrays import Array


class PrecisionRecallCurve(NamedTuple):
    """Recall, rising from 0, and precision for each threshold, and the average precision."""

    recall: Array
    precision: Array
    average: float


def precision_recall_curve(is_positive: Array, score: Array) -> PrecisionRecallCurve:
    """Precision and recall if the rows whose score reaches a threshold are called positive.

    The average precision is Σ (Rₙ - Rₙ₋₁) Pₙ: the curve is
    not interpolated, as a straight line between two points could not be reached (Davis & Goadrich
    2006, ICML, section 3). The curve starts at a recall of 0 with its first precision. It
    ends where all positive rows are found: lower thresholds only lower the precision.
    """
    true, reached = counts_above(is_positive, score)
    used = slice(np.searchsorted(true, true[-1]) + 1)
    precision, recall = (true / reached)[used], (true / true[-1])[used]
    average = float(np.diff(recall, prepend=0.0) @ precision)
    return PrecisionRecallCurve(np.append(0.0, recall), np.append(precision[0], precision), average)
