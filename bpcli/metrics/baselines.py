"""Predictions without a network, for comparison: chance level and constant baseline."""

from __future__ import annotations

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.metrics.metrics import Predictions
from bpcli.nn.arrays import Array, Vector


def constant_of(training: Split) -> Vector:
    """The constant baseline: the share of each class or label in the training set, or the means."""
    if training.labels is None:
        values = training.values if training.values is not None else training.Y
        mean: Vector = values.mean(axis=0)
        return mean
    classes = len(training.preprocessor.class_names)
    share: Vector = np.bincount(training.labels, minlength=classes) / len(training)
    return share


def constant_predictions(constant: Vector, split: Split) -> Predictions:
    """The constant baseline's predictions: the most frequent class or label values, or the means.

    The probabilities are the shares in the training set.
    """
    outputs = np.tile(constant, (len(split), 1))
    if split.table.words:
        return _constant_labels(outputs, _values(split))
    if split.labels is None:
        return Predictions(outputs)
    with np.errstate(divide="ignore"):
        log_losses = -np.log(constant[split.labels])
    return Predictions(outputs, np.full(len(split), constant.argmax()), log_losses)


def _constant_labels(shares: Array, Y: Array) -> Predictions:
    with np.errstate(divide="ignore"):
        log_losses = -np.log(np.where(Y == 1, shares, 1 - shares)).mean(axis=1)
    labels = (shares > 0.5).astype(np.intp)
    return Predictions(shares, log_losses=log_losses, labels=labels)


def principal_components(training: Split, split: Split, count: int) -> Predictions:
    """The rows reconstructed from the first `count` principal components of the training rows.

    No linear autoencoder of that width does better (Baldi & Hornik 1989, Neural Networks 2, 53).
    """
    train_values, values = _values(training), _values(split)
    mean = train_values.mean(axis=0)
    axes = np.linalg.svd(train_values - mean, full_matrices=False)[2][:count]
    return Predictions((values - mean) @ axes.T @ axes + mean)


def _values(split: Split) -> Array:
    assert split.values is not None, "the targets are not classes"
    return split.values
