"""Isotonic calibration: each output goes through a rising curve that is fitted to outcomes.

The curve is the isotonic regression of the outcomes on the scores of an output, whose flat
stretches are replaced by straight lines between their centres (centred isotonic regression, Oron &
Flournoy 2017, Statistics in Biopharmaceutical Research 9, 258). The outcomes are Platt's targets
(1999), which are not quite 0 and 1, so that no probability is 0 or 1. Several classes are
calibrated one by one, and the results divided by their sum (Zadrozny & Elkan 2002, KDD).

A piecewise linear curve is a layer of ReLU units with corners c_i below a linear unit,

    f(x) = y_1 + Σ_i d_i max(0, x - c_i),

so the calibrated network is an ordinary network with two more layers:

    sigmoid outputs   x = z / (1 + |z|); f gives the log-odds ln(p / (1 - p)), then a sigmoid
    softmax outputs   x = a of the output; f gives ln p, then a softmax, which divides by the sum

Both x are bounded. Beyond the last corner the terms of the sum cancel; with an unbounded x, such as
z, only rounding errors would be left of them for a row far outside the training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from bpcli.metrics.metrics import output_activations
from bpcli.nn.activations import Relu, Softsign
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Layer, Network

_CLOSEST = 1e-3
"""Corners are at least this share of the scores' range apart.

The slope between two corners multiplies the rounding error of a score. So they are also so far
apart that this error is at most this share of their distance.
"""


_ROUNDING = 1e-12
"""Means that differ by less are equal but for rounding: those of m and n rows are 1/(m n) apart."""


class Curve(NamedTuple):
    """A rising, piecewise linear curve through corners (m,) and their values (m,).

    It is constant outside the corners, and everywhere if there is only one.
    """

    corners: Array
    values: Array

    @property
    def units(self) -> int:
        """The ReLU units that it needs."""
        return len(self.corners) if len(self.corners) > 1 else 0

    @property
    def bends(self) -> Array:
        """By how much the slope changes at each corner, d (units,)."""
        slopes = np.diff(self.values) / np.diff(self.corners)
        return np.diff(slopes, prepend=0.0, append=0.0)[: self.units]


def fitted_curves(network: Network, Z: Array, Y: Array) -> list[Curve] | None:
    """The curve of each output, from z and targets of 0 and 1, both (outputs, n).

    None if a z is not finite.
    """
    if not np.isfinite(Z).all():
        return None
    scores = output_activations(_scoring(network), Z)
    is_distribution = network.layers[-1].activation.gives_distribution
    curves = (_shares(x, y == 1) for x, y in zip(scores, Y, strict=True))
    return [Curve(x, np.log(p) if is_distribution else np.log(p / (1 - p))) for x, p in curves]


def _shares(x: Vector, is_true: Array) -> tuple[Array, Array]:
    """The corners, and the calibrated probability at each."""
    from sklearn.isotonic import isotonic_regression

    true, false = np.count_nonzero(is_true), np.count_nonzero(~is_true)
    target = np.where(is_true, (true + 1) / (true + 2), 1 / (false + 2))
    rows = _Points(x.astype(np.float64), target, np.ones(len(x)))
    points = rows.grouped(np.unique(x, return_inverse=True)[1])
    fitted = isotonic_regression(points.y, sample_weight=points.weight)
    points = points.grouped(np.cumsum(np.diff(fitted, prepend=fitted[0]) > _ROUNDING))
    closest = max(_CLOSEST * np.ptp(x), np.finfo(x.dtype).eps * np.abs(x).max() / _CLOSEST)
    points = points.grouped(_apart(points, closest))
    return points.x, points.y


class _Points(NamedTuple):
    """Mean scores and mean targets of groups of rows, and the number of rows in each, all (n,)."""

    x: Vector
    y: Vector
    weight: Vector

    def grouped(self, group: Array) -> _Points:
        """The points of larger groups, which are numbered from 0."""
        weight = np.bincount(group, self.weight)
        x, y = (np.bincount(group, self.weight * mean) / weight for mean in (self.x, self.y))
        return _Points(x, y, weight)


def _apart(points: _Points, closest: float) -> Array:
    """Groups (n,) of points, whose x rise, so that the x of the groups are farther apart."""
    x, weight = points.x, points.weight
    group = np.zeros(len(x), np.intp)
    mean, total = x[0], weight[0]
    for number in range(1, len(x)):
        is_new = x[number] - mean > closest
        group[number] = group[number - 1] + is_new
        total = weight[number] + (0 if is_new else total)
        mean = x[number] if is_new else mean + (x[number] - mean) * weight[number] / total
    return group


def with_curves(network: Network, params: Vector, curves: Sequence[Curve], units: int) -> Vector:
    """The parameters of the calibrated network, whose added hidden layer has so many units.

    Units that the curves do not need have weights of 0.
    """
    grown = calibrated_network(network, units)
    vector = np.zeros(grown.n_params, params.dtype)
    vector[: network.n_params] = params
    corners, top = grown.matrices(vector)[-2:]
    unit = 0
    for output, curve in enumerate(curves):
        own = slice(unit, unit + curve.units)
        corners[own, output] = 1
        corners[own, -1] = -curve.corners[: curve.units]
        top[output, own] = curve.bends
        top[output, -1] = curve.values[0]
        unit += curve.units
    return vector


def calibrated_network(network: Network, units: int) -> Network:
    """The network with two more layers; the outputs of `network` are the scores x."""
    last = network.layers[-1]
    curves = Layer(last.units, units, Relu()), Layer(units, last.units, last.activation)
    return replace(network, layers=(*_scoring(network).layers, *curves))


def _scoring(network: Network) -> Network:
    """The network whose outputs are the scores x."""
    *below, last = network.layers
    is_bounded = last.activation.gives_distribution
    scores = last if is_bounded else replace(last, activation=Softsign())
    return replace(network, layers=(*below, scores))


def without_curves(network: Network, params: Vector) -> tuple[Network, Vector]:
    """The network and the parameters before `with_curves`."""
    *below, scores, _, top = network.layers
    before = replace(network, layers=(*below, replace(scores, activation=top.activation)))
    return before, params[: before.n_params]
