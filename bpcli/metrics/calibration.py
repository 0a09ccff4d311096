"""Whether predicted probabilities agree with how often what they predict is true."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Array

Z_95 = 1.959963984540054
"""The 0.975 quantile of the standard normal distribution."""


class Reliability(NamedTuple):
    """For each bin with rows: its place, number of rows, mean probability, and share that is true.

    `error` is the expected calibration error.
    """

    bins: Array
    counts: Array
    probability: Array
    share: Array
    error: float


def reliability(probability: Array, is_true: Array, bins: int = 10) -> Reliability:
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


def wilson_interval(share: Array, count: Array) -> tuple[Array, Array]:
    """The 95 % interval of a probability from its observed share of `count` rows.

    Wilson 1927, Journal of the American Statistical Association 22, 209.
    """
    z = Z_95**2 / count
    middle = (share + z / 2) / (1 + z)
    half = np.sqrt(share * (1 - share) * z + z**2 / 4) / (1 + z)
    return middle - half, middle + half
