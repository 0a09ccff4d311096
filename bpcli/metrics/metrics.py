"""Metrics: values that are reported, in original units, and never minimised."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np

from bpcli.data.preprocessing import Preprocessor, Split
from bpcli.data.types import Labels, Task
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, Sigmoid, Softmax
from bpcli.nn.arrays import Array
from bpcli.nn.losses import Loss, canonical_loss
from bpcli.nn.network import Network
from bpcli.registry import name_of

_ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class Predictions:
    """The predictions for the rows of a split, in original units.

    `outputs` (n, K); `classes` (n,) for classification; `labels` (n, K), each 0 or 1, if the
    targets are labels; `log_losses` (n,) if the outputs are probabilities of classes or labels.
    `Z` (K, n) are those of the output layer, whose activation is `top`.
    """

    outputs: Array
    classes: Labels | None = None
    log_losses: Array | None = None
    Z: Array | None = None
    top: Activation | None = None
    labels: Labels | None = None

    def of_target(self, k: int) -> Predictions:
        """The predictions of one of several targets."""
        labels = None if self.labels is None else self.labels[:, [k]]
        return Predictions(self.outputs[:, [k]], labels=labels)

    @property
    def ranks(self) -> Array:
        """The numbers (n, K) by which rows are ranked for each output.

        For probabilities p they are ln(p / (1 - p)), which differ even where p is rounded to 1: the
        z of a sigmoid, and for a softmax z minus ln Σ e^z of the other outputs.
        """
        if self.Z is not None and isinstance(self.top, Sigmoid):
            return self.Z.T
        if self.Z is not None and isinstance(self.top, Softmax):
            return np.stack([_logit(self.Z, k) for k in range(len(self.Z))], axis=1)
        return self.outputs


def predictions(
    network: Network, Z: Array, preprocessor: Preprocessor, split: Split
) -> Predictions:
    """The predictions from the output layer's z (rows, n) of a split.

    Log losses come from z, so they are never infinite.
    """
    outputs = original_outputs(network, Z, preprocessor)
    classes = preprocessor.labels(outputs)
    labels = preprocessor.answered(outputs) if preprocessor.words else None
    log_losses = _log_losses(network, Z, preprocessor, split) if preprocessor.answers else None
    return Predictions(outputs, classes, log_losses, Z, network.layers[-1].activation, labels)


def original_outputs(network: Network, Z: Array, preprocessor: Preprocessor) -> Array:
    """The network's outputs (n, K) in original units, from its output layer's z (rows, n)."""
    outputs = np.empty((Z.shape[1], network.outputs))
    for rows in _pieces(len(outputs)):
        outputs[rows] = preprocessor.original(output_activations(network, Z[:, rows]).T)
    return outputs


def _logit(Z: Array, k: int) -> Array:
    """z_k - ln Σ_{j≠k} e^{z_j} of each column."""
    others = np.delete(Z, k, axis=0)
    largest = others.max(axis=0)
    logit: Array = Z[k] - largest - np.log(np.exp(others - largest).sum(axis=0))
    return logit


def _pieces(count: int) -> Iterator[slice]:
    """Slices of so many rows that intermediate results take little memory."""
    return (slice(start, start + _ROWS_AT_ONCE) for start in range(0, count, _ROWS_AT_ONCE))


def output_activations(network: Network, Z: Array) -> Array:
    """The network's outputs (units, n), from its output layer's z (rows, n)."""
    top = network.layers[-1]
    A = np.empty((top.units, Z.shape[1]), Z.dtype)
    top.activation.forward(Z, A)
    return A


def _log_losses(
    network: Network, Z: Array, preprocessor: Preprocessor, split: Split
) -> Array | None:
    """-ln p(true class) of each row in double precision; None without probabilities.

    For labels, the mean of -ln p(true value) over the labels.
    """
    loss = _log_loss_of(network, are_labels=bool(preprocessor.words))
    if loss is None:
        return None
    log_losses = np.empty(len(split))
    for rows in _pieces(len(split)):
        z = Z[:, rows].astype(np.float64)
        Y = preprocessor.original(replace(split, index=split.index[rows]).Y)
        log_losses[rows] = loss.per_sample(z, z, Y.T)  # cross-entropies read z, not a
    return log_losses / len(preprocessor.words) if preprocessor.words else log_losses


def _log_loss_of(network: Network, *, are_labels: bool) -> Loss | None:
    """The cross-entropy of the outputs; None if these are not class or label probabilities."""
    activation = network.layers[-1].activation
    is_of_classes = activation.gives_distribution or network.outputs == 1
    if not (activation.gives_probabilities and (are_labels or is_of_classes)):
        return None
    return canonical_loss(name_of(ACTIVATIONS, activation))


class Sample(NamedTuple):
    """A metric of some rows, as a function of means over them.

    So it can be computed for many resamples at once. `statistics` (m, n) is averaged over the rows;
    `value` turns the means (…, m) into the metric (…).
    """

    statistics: Array
    value: Callable[[Array], Array]

    def measure(self) -> float | None:
        """The metric; None if it is undefined or not finite."""
        value = float(self.value(self.statistics.mean(axis=1)))
        return value if math.isfinite(value) else None


@dataclass(frozen=True)
class Metric:
    """`statistics` are averaged over the rows; `value` computes the metric from their means.

    `statistics` returns None if the metric does not apply. With `is_per_target`, each of several
    targets has the metric too.
    """

    statistics: Callable[[Split, Predictions], Array | None]
    value: Callable[[Array], Array]
    greater_is_better: bool = False
    is_per_target: bool = False

    def sample(self, split: Split, predicted: Predictions) -> Sample | None:
        statistics = self.statistics(split, predicted)
        return None if statistics is None else Sample(statistics, self.value)


def _right(split: Split, predicted: Predictions) -> Array | None:
    """1 where the predicted class is right, else 0; for labels, the fraction that is right."""
    if predicted.labels is not None and split.values is not None:
        return _by_row(np.equal(predicted.labels, split.values).astype(np.float64))
    if predicted.classes is None or split.labels is None:
        return None
    return np.equal(predicted.classes, split.labels).astype(np.float64)[np.newaxis]


def _all_right(split: Split, predicted: Predictions) -> Array | None:
    """1 where all labels are right, else 0."""
    if predicted.labels is None or split.values is None:
        return None
    right = np.equal(predicted.labels, split.values).astype(np.float64)
    all_right: Array = right.min(axis=1)[np.newaxis]
    return all_right


Shares: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]


def _shares_of_labels(shares: Shares) -> Callable[[Split, Predictions], Array | None]:
    """Statistics of ratios of true and predicted labels (k, n): numerators, then denominators."""

    def statistics(split: Split, predicted: Predictions) -> Array | None:
        if predicted.labels is None or split.values is None:
            return None
        return np.concatenate(shares(split.values.T, predicted.labels.T.astype(np.float64)))

    return statistics


def _precision(true: Array, predicted: Array) -> tuple[Array, Array]:
    return true * predicted, predicted


def _recall(true: Array, predicted: Array) -> tuple[Array, Array]:
    return true * predicted, true


def _f1(true: Array, predicted: Array) -> tuple[Array, Array]:
    return 2 * true * predicted, true + predicted


def _f1_micro(true: Array, predicted: Array) -> tuple[Array, Array]:
    """F1 of the labels of all columns together."""
    part, whole = _f1(true, predicted)
    return part.sum(axis=0, keepdims=True), whole.sum(axis=0, keepdims=True)


def _log_loss(split: Split, predicted: Predictions) -> Array | None:
    """-ln p(true class)."""
    return None if predicted.log_losses is None else predicted.log_losses[np.newaxis]


def _squared_residual(split: Split, predicted: Predictions) -> Array | None:
    """The mean over outputs of residual²."""
    return None if split.values is None else _by_row((predicted.outputs - split.values) ** 2)


def _absolute_residual(split: Split, predicted: Predictions) -> Array | None:
    """The mean over outputs of |residual|."""
    return None if split.values is None else _by_row(np.abs(predicted.outputs - split.values))


def _by_row(table: Array) -> Array:
    """The mean over outputs; a single output itself, since numpy's loop over rows is slower."""
    rows: Array = table.T if table.shape[1] == 1 else table.mean(axis=1)[np.newaxis]
    return rows


def _residual_and_deviation(split: Split, predicted: Predictions) -> Array | None:
    """residual², d² (both averaged over outputs) and d of each output, d = y - a median y.

    The mean is within one standard deviation of the median, so that little cancels in
    mean d² - (mean d)²; for a constant target, d is exactly 0.
    """
    if split.values is None or not len(split):
        return None
    middle = len(split) // 2  # np.median would import numpy.ma
    d = split.values - np.partition(split.values, middle, axis=0)[middle]
    squares = _by_row((predicted.outputs - split.values) ** 2), _by_row(d**2)
    return np.concatenate([*squares, d.T])


def mean_of(means: Array) -> Array:
    """The value of a metric that is itself a mean."""
    return means[..., 0]


def ratio_of(means: Array) -> Array:
    """The value of a metric that is a ratio of two means."""
    ratio: Array = means[..., 0] / means[..., 1]
    return ratio


def _mean_of_ratios(means: Array) -> Array:
    """The mean part / whole, without wholes of 0; NaN if all are 0."""
    part, whole = np.split(means, 2, axis=-1)
    known = whole > 0
    ratios = np.divide(part, whole, out=np.zeros_like(part), where=known)
    with np.errstate(invalid="ignore"):
        mean: Array = ratios.sum(axis=-1) / known.sum(axis=-1)
    return mean


def _root(means: Array) -> Array:
    root: Array = np.sqrt(means[..., 0])
    return root


def _r2(means: Array) -> Array:
    """1 - Σ residual² / Σ (y - mean y)², over all outputs; not finite for a constant target."""
    variance = means[..., 1] - (means[..., 2:] ** 2).mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Array = means[..., 0] / variance
    return 1 - ratio


METRICS: dict[str, Metric] = {
    "accuracy": Metric(_right, mean_of, greater_is_better=True, is_per_target=True),
    "exact_match": Metric(_all_right, mean_of, greater_is_better=True),
    **{
        name: Metric(_shares_of_labels(shares), _mean_of_ratios, True, name != "f1_micro")
        for name, shares in {
            "precision": _precision,
            "recall": _recall,
            "f1": _f1,
            "f1_micro": _f1_micro,
        }.items()
    },
    "log_loss": Metric(_log_loss, mean_of),
    "rmse": Metric(_squared_residual, _root, is_per_target=True),
    "mae": Metric(_absolute_residual, mean_of, is_per_target=True),
    "r2": Metric(_residual_and_deviation, _r2, greater_is_better=True, is_per_target=True),
}

METRICS_OF: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "log_loss"),
    "multilabel": (
        "accuracy", "exact_match", "precision", "recall", "f1", "f1_micro", "log_loss",
    ),
    "regression": ("rmse", "mae", "r2"),
    "reconstruction": ("rmse", "mae", "r2"),
}  # fmt: skip
"""The metrics that apply to a task; all of them are reported unless the config names some."""


def samples(names: Sequence[str], split: Split, predicted: Predictions) -> dict[str, Sample | None]:
    """The metrics by name, before averaging."""
    return {name: METRICS[name].sample(split, predicted) for name in names}


def measure(names: Sequence[str], split: Split, predicted: Predictions) -> dict[str, float | None]:
    """The metrics by name; None if one is undefined or not finite."""
    found = {}
    for name in names:  # one at a time: those of many labels are large
        sample = METRICS[name].sample(split, predicted)
        found[name] = None if sample is None else sample.measure()
    return found


def measure_targets(
    names: Sequence[str], split: Split, predicted: Predictions
) -> dict[str, float | None]:
    """The metrics of each of several targets, by names such as `rmse.height`.

    An autoencoder has none: its targets are all its inputs.
    """
    targets = () if split.table.is_autoencoder else split.table.target_names
    own = [name for name in names if METRICS[name].is_per_target]
    return {
        f"{name}.{target}": value
        for k, target in enumerate(targets)
        if len(targets) > 1
        for name, value in measure(own, split.of_target(k), predicted.of_target(k)).items()
    }
