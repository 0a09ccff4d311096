"""The mean loss of a constant prediction, with which the loss of a network is compared."""

from __future__ import annotations

import math

import numpy as np

from bpcli.data.types import SplitName
from bpcli.experiment.experiment import Experiment
from bpcli.metrics.measures import z_of
from bpcli.nn.arrays import Array


def constant_loss(experiment: Experiment, name: SplitName) -> float | None:
    """Return the mean loss of a split with the mean of the training targets as constant outputs.

    None if the output layer cannot give those.
    """
    loss, training, rows = experiment.network.loss, experiment.rows("train"), experiment.rows(name)
    targets = np.zeros(experiment.network.outputs)
    for block in training.blocks():
        targets += _weighted_sum(block.targets, block.weight)
    a = (targets / training.total_weight)[:, np.newaxis]
    total = 0.0
    with np.errstate(all="ignore"):  # a mean of 0 or 1 has an infinite z: None follows
        z = z_of(experiment.network, a)
        for block in rows.blocks():
            Z, A = (np.repeat(column, block.samples, axis=1) for column in (z, a))
            losses = loss.per_sample(Z, A, block.targets)
            total += float(_weighted_sum(losses, block.weight))
    mean = total / rows.total_weight
    return mean if math.isfinite(mean) else None


def _weighted_sum(values: Array, weight: Array | None) -> Array:
    """Σ_i w_i value_i over the last axis, in double precision."""
    numbers = values.astype(np.float64)
    total: Array = (numbers if weight is None else numbers * weight).sum(axis=-1)
    return total
