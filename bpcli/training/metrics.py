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
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import BinaryCrossEntropy, CrossEntropy
from bpcli.nn.network import Network
from bpcli.nn.propagation import predict


@dataclass(frozen=True)
class Predictions:
    """What was predicted for the rows of a part, in original units.

    `outputs` (n, K); `classes` (n,) where there are classes; `losses` (n,) as trained on;
    `log_losses` (n,) where the outputs are probabilities of classes.
    """

    outputs: Array
    classes: Labels | None = None
    losses: Array | None = None
    log_losses: Array | None = None


def predictions(
    network: Network, params: Vector, preparation: Preparation, part: Part
) -> Predictions:
    """The network's predictions. Log losses come from z, so they are never infinite."""
    Z, A = predict(network, params, part.X)
    Z, A, Y = (array.astype(np.float64, copy=False) for array in (Z, A, part.Y))
    classes = preparation.classes(A)
    return Predictions(
        preparation.original(A),
        classes,
        network.loss.per_sample(Z.T, A.T, Y.T),
        None if classes is None else _log_losses(network, Z, A, preparation, part),
    )


def _log_losses(
    network: Network, Z: Array, A: Array, preparation: Preparation, part: Part
) -> Array | None:
    activation = type(network.layers[-1].activation)
    Y = preparation.original(part.Y)
    if activation is Softmax:
        return CrossEntropy().per_sample(Z.T, A.T, Y.T)
    if activation is Sigmoid and network.outputs == 1:
        return BinaryCrossEntropy().per_sample(Z.T, A.T, Y.T)
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
    return Predictions(np.tile(frequency, (rows, 1)), commonest, None, log_losses)


def _loss(part: Part, predicted: Predictions) -> float | None:
    """Mean loss as trained on, of scaled outputs, without L2."""
    return None if predicted.losses is None else float(predicted.losses.mean())


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
    "loss": _loss,
    "accuracy": _accuracy,
    "log_loss": _log_loss,
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
}

_BY_TASK: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "log_loss"),
    "regression": ("rmse", "mae", "r2"),
    "reconstruction": ("rmse", "r2"),
}

BIGGER_IS_BETTER = frozenset({"accuracy", "r2"})


def metric_names(asked: Sequence[str] | None, task: Task) -> tuple[str, ...]:
    """The metrics asked for, or those that fit the task; the mean loss always comes first."""
    names = _BY_TASK[task] if asked is None else tuple(asked)
    return ("loss", *(name for name in names if name != "loss"))


def measure(names: Sequence[str], part: Part, predicted: Predictions) -> dict[str, float | None]:
    """The metrics by name; None where one is undefined or not finite."""
    if not len(part):
        return dict.fromkeys(names)
    values = {name: METRICS[name](part, predicted) for name in names}
    return {
        name: value if value is not None and math.isfinite(value) else None
        for name, value in values.items()
    }
