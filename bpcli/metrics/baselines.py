"""Predictions without a network, for comparison: chance level and constant baseline."""

from __future__ import annotations

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.metrics.metrics import Predictions
from bpcli.nn.arrays import Array


def constant_predictions(training: Split, split: Split) -> Predictions:
    """The constant baseline, from the training targets only.

    Predicts the most frequent class, or value of each label, with the training frequencies as
    probabilities, or the mean of the values.
    """
    rows = len(split)
    if training.table.words:
        return _constant_labels(training, split)
    if training.labels is None:
        values = training.values if training.values is not None else training.Y
        return Predictions(np.tile(values.mean(axis=0), (rows, 1)))
    assert split.labels is not None, "splits of one table agree on having classes"
    count = 1 + max(training.labels.max(initial=0), split.labels.max(initial=0))
    frequency = np.bincount(training.labels, minlength=count) / len(training)
    with np.errstate(divide="ignore"):
        log_losses = -np.log(frequency[split.labels])
    most_frequent = np.full(rows, frequency.argmax())
    return Predictions(np.tile(frequency, (rows, 1)), most_frequent, log_losses)


def _constant_labels(training: Split, split: Split) -> Predictions:
    Y = _values(split)
    share = _values(training).mean(axis=0)
    with np.errstate(divide="ignore"):
        log_losses = -np.log(np.where(Y == 1, share, 1 - share)).mean(axis=1)
    labels = np.tile((share > 0.5).astype(np.intp), (len(Y), 1))
    return Predictions(np.tile(share, (len(Y), 1)), log_losses=log_losses, labels=labels)


def principal_components(training: Split, split: Split, count: int) -> Predictions:
    """The rows reconstructed from the first `count` principal components of the training rows.

    No linear autoencoder of that width does better (Baldi & Hornik 1989, Neural Networks 2, 53).
    """
    train_values, values = _values(training), _values(split)
    mean = train_values.mean(axis=0)
    axes = np.linalg.svd(train_values - mean, full_matrices=False)[2][:count]
    return Predictions((values - mean) @ axes.T @ axes + mean)


def _values(split: Split) -> Array:
    assert split.values is not None, "the targets are no classes"
    return split.values
