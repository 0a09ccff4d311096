"""Whether predicted probabilities agree with how often what they predict is true."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.metrics.metrics import Predictions
from bpcli.nn.activation import Activation
from bpcli.nn.arrays import Array

Z_95 = 1.959963984540054
"""The 0.975 quantile of the standard normal distribution."""


BINS = 10
"""The bins of the probabilities of a split."""


class Reliability(NamedTuple):
    """For each bin with rows: its place, number of rows, mean probability, and share that is true.

    `error` is the expected calibration error.
    """

    bins: Array
    counts: Array
    probability: Array
    share: Array
    error: float


def reliability(probability: Array, is_true: Array, bins: int = BINS) -> Reliability:
    """Compare probabilities (n,) with what is true (n,), in bins of equal width over [0, 1].

    The expected calibration error is Σ (nᵢ / n) |shareᵢ - mean probabilityᵢ| over the bins
    (Guo, Pleiss, Sun & Weinberger 2017, ICML, eq. 3).
    """
    places = np.minimum((probability * bins).astype(np.intp), bins - 1)
    counts = np.bincount(places, minlength=bins)
    filled = np.flatnonzero(counts)
    mean, share = (
        np.bincount(places, weights=values, minlength=bins)[filled] / counts[filled]
        for values in (probability, is_true)
    )
    error = float(counts[filled] @ np.abs(share - mean) / len(probability))
    return Reliability(filled, counts[filled], mean, share, error)


def is_one_score(outputs: int, top: Activation) -> bool:
    """Whether a single output, or one of two softmax outputs, decides between two classes."""
    return outputs == 1 or (outputs == 2 and top.gives_distribution)


def split_reliability(predicted: Predictions, rows: Split) -> Reliability:
    """The reliability of the predictions for the rows of a split, which are probabilities.

    The probability is that of the second of two classes, of the predicted one of several classes,
    or of each label of each row.
    """
    outputs, labels = predicted.outputs, rows.labels
    if labels is None:
        assert rows.values is not None, "labels are numbers"
        return reliability(outputs.ravel(), (rows.values == 1).ravel())
    assert predicted.top is not None, "they are of a network"
    if is_one_score(outputs.shape[1], predicted.top):
        return reliability(outputs[:, -1], labels == 1)
    return reliability(outputs.max(axis=1), labels == predicted.classes)


def wilson_interval(share: Array, count: Array) -> tuple[Array, Array]:
    """The 95 % interval of a probability from its observed share of `count` rows.

    Wilson 1927, Journal of the American Statistical Association 22, 209.
    """
    z = Z_95**2 / count
    middle = (share + z / 2) / (1 + z)
    half = np.sqrt(share * (1 - share) * z + z**2 / 4) / (1 + z)
    return middle - half, middle + half
