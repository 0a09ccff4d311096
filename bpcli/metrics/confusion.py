"""The confusion matrix, and the scores of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.data.types import Labels
from bpcli.metrics.metrics import original_outputs, split_pieces
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network


@dataclass(frozen=True)
class Confusion:
    """The confusion matrix of a network for the rows of a split, from sums over pieces of them."""

    network: Network
    split: Split

    @property
    def width(self) -> int:
        return self._classes**2

    def sums(self, start: int, stop: int, Z: Array) -> Vector:
        """The counts (width,) over the rows at the positions from `start` to `stop`.

        `Z` (rows, stop - start) is the output layer's z of these rows.
        """
        total = np.zeros(self.width)
        preprocessor = self.split.preprocessor
        for rows, z in split_pieces(self.split, start, stop, Z):
            outputs = original_outputs(self.network, z, preprocessor)
            labels, classes = rows.labels, preprocessor.labels(outputs)
            assert labels is not None, "the targets are classes"
            assert classes is not None, "the targets are classes"
            total += confusion_counts(labels, classes, self._classes).ravel()
        return total

    def value(self, total: Vector) -> Labels:
        """The matrix: true classes down, predicted classes across."""
        counts: Labels = total.astype(np.intp).reshape(self._classes, -1)
        return counts

    @property
    def _classes(self) -> int:
        return len(self.split.preprocessor.class_names)


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
