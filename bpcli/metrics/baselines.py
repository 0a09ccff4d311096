"""Predictions without a network, for comparison: chance level and constant baseline."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.metrics.metrics import Predictions, pieces
from bpcli.nn.arrays import Array, Vector


def constant_of(training: Split) -> Vector:
    """The constant baseline: the share of each class or label in the training set, or the means."""
    total: Vector = functools.reduce(np.add, _sums(training))
    return total / len(training)


def _sums(training: Split) -> Iterator[Array]:
    """The number of rows of each class or label, or the sums of the targets, piece by piece."""
    classes = len(training.preprocessor.class_names)
    for start, stop in pieces(0, len(training)):
        rows = training.piece(start, stop)
        labels, values = rows.labels, rows.values
        if labels is not None:
            yield np.bincount(labels, minlength=classes)
        else:
            yield (rows.Y if values is None else values).sum(axis=0, dtype=np.float64)


@dataclass(frozen=True)
class ConstantBaseline:
    """The most frequent class or label values, or the means, for every row.

    The probabilities are the shares in the training set.
    """

    constant: Vector
    height: ClassVar[int] = 0

    def __call__(self, rows: Split, Z: Array) -> Predictions:
        outputs = np.tile(self.constant, (len(rows), 1))
        if rows.table.words:
            return _constant_labels(outputs, _values(rows))
        labels = rows.labels
        if labels is None:
            return Predictions(outputs)
        with np.errstate(divide="ignore"):
            log_losses = -np.log(self.constant[labels])
        return Predictions(outputs, np.full(len(rows), self.constant.argmax()), log_losses)


def _constant_labels(shares: Array, Y: Array) -> Predictions:
    with np.errstate(divide="ignore"):
        log_losses = -np.log(np.where(Y == 1, shares, 1 - shares)).mean(axis=1)
    labels = (shares > 0.5).astype(np.intp)
    return Predictions(shares, log_losses=log_losses, labels=labels)


@dataclass(frozen=True)
class PrincipalComponents:
    """The rows reconstructed from the first principal components of the training rows.

    `axes` (count, k) are the components. No linear autoencoder of that width does better (Baldi &
    Hornik 1989, Neural Networks 2, 53).
    """

    mean: Vector
    axes: Array
    height: ClassVar[int] = 0

    @classmethod
    def fit(cls, training: Split, count: int) -> Self:
        """The first `count` components of the training rows, which are all read at once."""
        values = _values(training)
        mean = values.mean(axis=0)
        return cls(mean, np.linalg.svd(values - mean, full_matrices=False)[2][:count])

    def __call__(self, rows: Split, Z: Array) -> Predictions:
        values = _values(rows)
        return Predictions((values - self.mean) @ self.axes.T @ self.axes + self.mean)


def _values(split: Split) -> Array:
    assert split.values is not None, "the targets are not classes"
    return split.values
