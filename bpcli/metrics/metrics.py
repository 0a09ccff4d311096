"""Metrics: values that are reported, in original units, and never minimised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
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
_MOST_SOME_ROWS = 1000


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
        labels = None if self.labels is None else self.labels[:, k : k + 1]
        return Predictions(self.outputs[:, k : k + 1], labels=labels)

    @cached_property
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
    network: Network, Z: Array, preprocessor: Preprocessor, split: Split | None = None
) -> Predictions:
    """The predictions from the output layer's z (rows, n).

    With the split that these rows are, the predictions of classes and labels have log losses. They
    come from z, so they are never infinite.
    """
    outputs = original_outputs(network, Z, preprocessor)
    classes = preprocessor.labels(outputs)
    labels = preprocessor.answered(outputs) if preprocessor.words else None
    log_losses = None
    if split is not None and preprocessor.answers:
        log_losses = _log_losses(network, Z, split)
    return Predictions(outputs, classes, log_losses, Z, network.layers[-1].activation, labels)


def original_outputs(network: Network, Z: Array, preprocessor: Preprocessor) -> Array:
    """The network's outputs (n, K) in original units, from its output layer's z (rows, n)."""
    outputs = np.empty((Z.shape[1], network.outputs))
    for start, stop in pieces(0, len(outputs)):
        some = output_activations(network, Z[:, start:stop])
        outputs[start:stop] = preprocessor.original(some.T)
    return outputs


def class_probabilities(outputs: Array) -> Array:
    """The probability (n, classes) of each class; a single output is that of the second class."""
    return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs


def _logit(Z: Array, k: int) -> Array:
    """z_k - ln Σ_{j≠k} e^{z_j} of each column."""
    others = np.delete(Z, k, axis=0)
    largest = others.max(axis=0)
    logit: Array = Z[k] - largest - np.log(np.exp(others - largest).sum(axis=0))
    return logit


def pieces(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The bounds of pieces of so many rows that intermediate results take little memory."""
    firsts = range(start, stop, _ROWS_AT_ONCE)
    return ((first, min(first + _ROWS_AT_ONCE, stop)) for first in firsts)


def split_pieces(split: Split, start: int, stop: int, Z: Array) -> Iterator[tuple[Split, Array]]:
    """Pieces of the rows at the positions from `start` to `stop` of a split, each with its z.

    `Z` (height, stop - start) is that of all these rows.
    """
    for first, end in pieces(start, stop):
        yield split.piece(first, end), Z[:, first - start : end - start]


def some_rows(split: Split) -> Split:
    """All rows of a split that is one piece; else at most 1,000 of them, evenly spaced."""
    if len(split) <= _ROWS_AT_ONCE:
        return split.piece(0, len(split))
    return replace(split, index=split.index[:: -(-len(split) // _MOST_SOME_ROWS)])


def output_activations(network: Network, Z: Array) -> Array:
    """The network's outputs (units, n), from its output layer's z (rows, n)."""
    top = network.layers[-1]
    A = np.empty((top.units, Z.shape[1]), Z.dtype)
    top.activation.forward(Z, A)
    return A


def _log_losses(network: Network, Z: Array, split: Split) -> Array | None:
    """-ln p(true class) of each row in double precision; None without probabilities.

    For labels, the mean of -ln p(true value) over the labels.
    """
    words = split.preprocessor.words
    loss = _log_loss_of(network, are_labels=bool(words))
    if loss is None:
        return None
    z, Y = Z.astype(np.float64), split.preprocessor.original(split.Y)
    log_losses = loss.per_sample(z, z, Y.T)  # cross-entropies read z, not a
    return log_losses / len(words) if words else log_losses


def _log_loss_of(network: Network, *, are_labels: bool) -> Loss | None:
    """The cross-entropy of the outputs; None if these are not class or label probabilities."""
    if not has_probabilities(network, are_labels=are_labels):
        return None
    return canonical_loss(name_of(ACTIVATIONS, network.layers[-1].activation))


def has_probabilities(network: Network, *, are_labels: bool) -> bool:
    """Whether the outputs are probabilities of each label, or of classes."""
    activation = network.layers[-1].activation
    is_of_classes = activation.gives_distribution or network.outputs == 1
    return activation.gives_probabilities and (are_labels or is_of_classes)


class Piece(NamedTuple):
    """Some rows of a split, and their predictions.

    `values` (n, k) are the rows' targets in original units; None for classes. `shift` (k,) is a
    number near the values of each target, the same for every piece of the split.
    """

    rows: Split
    predicted: Predictions
    values: Array | None = None
    shift: Array | None = None

    def of_target(self, k: int) -> Piece:
        """The piece with one of its several targets."""
        column = slice(k, k + 1)
        return Piece(
            self.rows,
            self.predicted.of_target(k),
            None if self.values is None else self.values[:, column],
            None if self.shift is None else self.shift[column],
        )


class Sample(NamedTuple):
    """A metric of some rows, as a function of means over them.

    So it can be computed for many resamples at once. `statistics` (m, n) is averaged over the rows;
    `value` turns the means (…, m) into the metric (…).
    """

    statistics: Array
    value: Callable[[Array], Array]


@dataclass(frozen=True)
class Metric:
    """`statistics` (m, n) are averaged over the rows; `value` computes the metric from their means.

    `statistics` returns None if the metric does not apply. With `is_per_target`, each of several
    targets has the metric too.
    """

    statistics: Callable[[Piece], Array | None]
    value: Callable[[Array], Array]
    greater_is_better: bool = False
    is_per_target: bool = False


def _right(piece: Piece) -> Array | None:
    """1 where the predicted class is right, else 0; for labels, the fraction that is right."""
    predicted = piece.predicted
    if predicted.labels is not None and piece.values is not None:
        return _by_row(np.equal(predicted.labels, piece.values).astype(np.float64))
    labels = piece.rows.labels
    if predicted.classes is None or labels is None:
        return None
    return np.equal(predicted.classes, labels).astype(np.float64)[np.newaxis]


def _all_right(piece: Piece) -> Array | None:
    """1 where all labels are right, else 0."""
    if piece.predicted.labels is None or piece.values is None:
        return None
    right = np.equal(piece.predicted.labels, piece.values).astype(np.float64)
    all_right: Array = right.min(axis=1)[np.newaxis]
    return all_right


Shares: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]


def _shares_of_labels(shares: Shares, piece: Piece) -> Array | None:
    """Statistics of ratios of true and predicted labels (k, n): numerators, then denominators."""
    labels = piece.predicted.labels
    if labels is None or piece.values is None:
        return None
    return np.concatenate(shares(piece.values.T, labels.T.astype(np.float64)))


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


def _log_loss(piece: Piece) -> Array | None:
    """-ln p(true class)."""
    log_losses = piece.predicted.log_losses
    return None if log_losses is None else log_losses[np.newaxis]


def _squared_residual(piece: Piece) -> Array | None:
    """The mean over outputs of residual²."""
    if piece.values is None:
        return None
    return _by_row((piece.predicted.outputs - piece.values) ** 2)


def _absolute_residual(piece: Piece) -> Array | None:
    """The mean over outputs of |residual|."""
    if piece.values is None:
        return None
    return _by_row(np.abs(piece.predicted.outputs - piece.values))


def _by_row(table: Array) -> Array:
    """The mean over outputs; a single output itself, since numpy's loop over rows is slower."""
    rows: Array = table.T if table.shape[1] == 1 else table.mean(axis=1)[np.newaxis]
    return rows


def _residual_and_deviation(piece: Piece) -> Array | None:
    """residual², d² (both averaged over outputs) and d of each output, d = y - the shift."""
    if piece.values is None:
        return None
    assert piece.shift is not None, "values have a shift"
    d = piece.values - piece.shift
    squares = _by_row((piece.predicted.outputs - piece.values) ** 2), _by_row(d**2)
    return np.concatenate([*squares, d.T])


def shift_of(split: Split) -> Array | None:
    """A median (k,) of each target over some rows; None for classes.

    The mean m of these rows is within one standard deviation of the shift c. If they are a
    fraction p of the split, (m - mean y)² p ≤ var y. So mean d² - (mean d)² with d = y - c loses
    few digits, also where var y is small beside y²; for a constant target, d is exactly 0.
    """
    values = some_rows(split).values
    if values is None or not len(values):
        return None
    middle = len(values) // 2  # np.median would import numpy.ma
    median: Array = np.partition(values, middle, axis=0)[middle].astype(np.float64)
    return median


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
        name: Metric(partial(_shares_of_labels, shares), _mean_of_ratios, True, name != "f1_micro")
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


def greater_is_better(name: str) -> bool:
    """Whether greater is better, for a metric or that of a target (r2.price); not for a loss."""
    metric = METRICS.get(name.partition(".")[0])
    return metric is not None and metric.greater_is_better


METRICS_OF: dict[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "log_loss"),
    "multilabel": (
        "accuracy", "exact_match", "precision", "recall", "f1", "f1_micro", "log_loss",
    ),
    "regression": ("rmse", "mae", "r2"),
    "reconstruction": ("rmse", "mae", "r2"),
}  # fmt: skip
"""The metrics that apply to a task; all of them are reported unless the config names some."""
