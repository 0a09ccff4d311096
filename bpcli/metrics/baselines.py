"""Predictions that use no network, to measure one against."""

from __future__ import annotations

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.metrics.metrics import Predictions
from bpcli.nn.arrays import Array


def constant_predictions(training: Split, split: Split) -> Predictions:
    """The baseline that knows the training targets but no input.

    Classes: the most frequent, with the training frequencies as probabilities. Values: their mean.
    """
    rows = len(split)
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


def principal_components(training: Split, split: Split, count: int) -> Predictions:
    """Each row of values from so many principal components of the training rows.

    No linear autoencoder of that width does better (Baldi & Hornik 1989, Neural Networks 2, 53).
    """
    known, wanted = _values(training), _values(split)
    mean = known.mean(axis=0)
    axes = np.linalg.svd(known - mean, full_matrices=False)[2][:count]
    return Predictions((wanted - mean) @ axes.T @ axes + mean)


def _values(split: Split) -> Array:
    assert split.values is not None, "a reconstruction has values"
    return split.values
