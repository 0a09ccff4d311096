"""The confusion matrix, and the scores of each class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.arrays import Array


def confusion_counts(labels: Labels, classes: Labels, count: int) -> Labels:
    """The number of rows for each true class (down) and predicted class (across)."""
    pairs = np.bincount(labels * count + classes, minlength=count * count)
    return pairs.reshape(count, count)


def row_shares(counts: Labels) -> Array:
    """Each count as a fraction of its row; 0 in the row of a class without rows."""
    return _share(counts, counts.sum(axis=1, keepdims=True))


class ClassScores(NamedTuple):
    """The scores (k,) of each class."""

    precision: Array
    recall: Array
    f1: Array
    rows: Labels


def class_scores(counts: Labels) -> ClassScores:
    """Precision, recall and F1 = 2 right / (true + predicted); 0 instead of 0 / 0."""
    right, true, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    return ClassScores(
        _share(right, predicted), _share(right, true), _share(2 * right, true + predicted), true
    )


def _share(part: Labels, whole: Labels) -> Array:
    share: Array = part / np.maximum(whole, 1)
    return share
