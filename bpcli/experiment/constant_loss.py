"""The mean loss of a constant prediction, with which the loss of a network is compared."""

from __future__ import annotations

import math

import numpy as np

from bpcli.engine.rows import RowBlocks
from bpcli.metrics.measures import z_of
from bpcli.nn.arrays import Array
from bpcli.nn.network import Network


def mean_targets(rows: RowBlocks, outputs: int) -> Array:
    """The weighted mean (outputs, 1) of the targets of some rows."""
    total = np.zeros(outputs)
    for block in rows.blocks():
        total += _weighted_sum(block.targets, block.weight)
    mean: Array = (total / rows.total_weight)[:, np.newaxis]
    return mean


def constant_loss(network: Network, a: Array, rows: RowBlocks) -> float | None:
    """The mean loss of some rows with constant outputs a (outputs, 1).

    None if the output layer cannot give those.
    """
    total = 0.0
    with np.errstate(all="ignore"):  # a mean of 0 or 1 has an infinite z: None follows
        z = z_of(network, a)
        for block in rows.blocks():
            Z, A = (np.repeat(column, block.samples, axis=1) for column in (z, a))
            losses = network.loss.per_sample(Z, A, block.targets)
            total += float(_weighted_sum(losses, block.weight))
    mean = total / rows.total_weight
    return mean if math.isfinite(mean) else None


def _weighted_sum(values: Array, weight: Array | None) -> Array:
    """Σ_i w_i value_i over the last axis, in double precision."""
    numbers = values.astype(np.float64)
    total: Array = (numbers if weight is None else numbers * weight).sum(axis=-1)
    return total
