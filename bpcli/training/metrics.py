"""Metrics: numbers that are reported, in original units, and never minimised."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bpcli.data.prepare import Part, Preparation
from bpcli.data.table import Labels, Task
from bpcli.nn.activations import Sigmoid, Softmax
from bpcli.nn.arrays import Array
from bpcli.nn.losses import BinaryCrossEntropy, CrossEntropy
from bpcli.nn.network import Network


@dataclass(frozen=True)
class Predictions:
    """What was predicted for the rows of a part, in original units.

    `outputs` (n, K); `classes` (n,) where there are classes; `log_losses` (n,) where the outputs
    are probabilities of classes.
    """

    outputs: Array
    classes: Labels | None = None
    log_losses: Array | None = None


def predictions(network: Network, Z: Array, preparation: Preparation, part: Part) -> Predictions:
    """What the output layer's z (rows, n) of a part mean.

    Log losses come from z, so they are never infinite.
    """
    top = network.layers[-1]
    A = np.empty((top.units, Z.shape[1]), Z.dtype)
    top.activation.forward(Z, A)
    outputs = A.T.astype(np.float64, copy=False)
    classes = preparation.classes(outputs)
    log_losses = None if classes is None else _log_losses(network, Z, A, preparation, part)
    return Predictions(preparation.original(outputs), classes, log_losses)


def _log_losses(
    network: Network, Z: Array, A: Array, preparation: Preparation, part: Part
) -> Array | None:
    Z, A = Z.astype(np.float64, copy=False), A.astype(np.float64, copy=False)
    activation = type(network.layers[-1].activation)
    Y = preparation.original(part.Y)
    if activation is Softmax:
        return CrossEntropy().per_sample(Z, A, Y.T)
    if activation is Sigmoid and network.outputs == 1:
        return BinaryCrossEntropy().per_sample(Z, A, Y.T)
    return None


def constant_predictions(training: Part, part: Part) -> Predictions:
    """The baseline that knows the training targets but no input.

    Classes: always the commonest, with the training frequencies as probabilities. Values: the mean.
    """
    rows = len(part)
    if training.labels is None:
        values = training.values if training.values is not None else training.Y
        return Predictions(np.tile(values.mean(axis=0), (rows, 1)))
    assert part.labels is not None, "parts of one table agree on having classes"
    count = 1 + max(training.labels.max(initial=0), part.labels.max(initial=0))
    frequency = np.bincount(training.labels, minlength=count) / len(training)
    with np.errstate(divide="ignore"):
        log_losses = -np.log(frequency[part.labels])
    commonest = np.full(rows, frequency.argmax())
    return Predictions(np.tile(frequency, (rows, 1)), commonest, log_losses)


def _accuracy(part: Part, predicted: Predictions) -> float | None:
    """Fraction of rows whose class is right."""
    if predicted.classes is None:
        return None
    return float((predicted.classes == part.labels).mean())


def _log_loss(part: Part, predicted: Predictions) -> float | None:
    """Mean of -ln p(true class)."""
    return None if predicted.log_losses is None else float(predicted.log_losses.mean())


def _residuals(part: Part, predicted: Predictions) -> Array | None:
    return None if part.values is None else predicted.outputs - part.values


def _rmse(part: Part, predicted: Predictions) -> float | None:
    """√ of the mean squared residual over rows and outputs."""
    residuals = _residuals(part, predicted)
    return None if residuals is None else float(np.sqrt(np.mean(residuals**2)))


def _mae(part: Part, predicted: Predictions) -> float | None:
    """Mean absolute residual over rows and outputs."""
    residuals = _residuals(part, predicted)
    return None if residuals is None else float(np.abs(residuals).mean())


def _r2(part: Part, predicted: Predictions) -> float | None:
    """1 - Σ residual² / Σ (y - mean y)², over all outputs; undefined for a constant target."""
    residuals = _residuals(part, predicted)
    if residuals is None or part.values is None:
        return None
    total = float(((part.values - part.values.mean(axis=0)) ** 2).sum())
    return None if total == 0 else 1 - float((residuals**2).sum()) / total


Metric: TypeAlias = Callable[[Part, Predictions], float | None]

METRICS: dict[str, Metric] = {
    "accuracy": _accuracy,
    "log_loss": _log_loss,
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
}

METRICS_OF: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "log_loss"),
    "regression": ("rmse", "mae", "r2"),
    "reconstruction": ("rmse", "mae", "r2"),
}
"""The metrics that mean something for a task; all of them are reported unless some are named."""


def measure(names: Sequence[str], part: Part, predicted: Predictions) -> dict[str, float | None]:
    """The metrics by name; None where one is undefined or not finite."""
    values = {name: METRICS[name](part, predicted) for name in names}
    return {
        name: value if value is not None and math.isfinite(value) else None
        for name, value in values.items()
    }
