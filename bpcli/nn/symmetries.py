"""The symmetries of a network: other parameters that give the same outputs for all inputs.

A hidden layer of M units has the same outputs in M! orders. If its activation is odd, the signs of
all weights into and out of a unit may be changed: 2^M ways more. A maxout unit of k pieces has k!
orders of them. Bishop 1995, Neural Networks for Pattern Recognition, section 4.4.

Only symmetries that keep Σ params² count: rescaling the weights of a rectified linear unit is none.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Layer, Network


def log_symmetries(network: Network, params: Vector, negligible: float = 0.0) -> float:
    """The logarithm of the number of symmetries that lead to separate parameters.

    Units that are 0, or equal but for their signs, change nothing by changing places: equal ones
    count as one unit, those that are 0 as none. So a network has the symmetries of the smallest one
    that does the same. A unit is 0 if its trained parameters, weights to the layer above included,
    have squares with a sum of at most `negligible`, and two are equal if their differences have.

    A linear layer counts as one symmetry, since rotations join all of them.
    """
    total = 0.0
    layers = zip(network.layers, network.matrices(params), strict=True)
    for (layer, below), (_, above) in pairwise(layers):
        if not layer.activation.is_identity:
            weights_out = above[:, : layer.units].T
            separate = _separate(layer, below, weights_out, negligible)
            total += _of_hidden(layer, _frozen_biases(layer, below)[separate].tolist())
    return total


def _separate(layer: Layer, below: Array, weights_out: Array, negligible: float) -> Array:
    """Whether each unit is not 0, and differs from those before it."""
    units = np.hstack([_in_one_order(layer, below), weights_out]).astype(np.float64)
    products = units @ units.T
    squares = products.diagonal()
    products = np.abs(products) if layer.activation.is_odd else products
    is_equal = squares[:, np.newaxis] + squares - 2 * products <= negligible
    trained = squares - np.square(_frozen_biases(layer, below)).sum(axis=1)
    separate: Array = (trained > negligible) & ~np.tril(is_equal, -1).any(axis=1)
    return separate


def _in_one_order(layer: Layer, below: Array) -> Array:
    """The parameters of each unit in a row, its pieces in the order of their sums."""
    pieces = below.reshape(layer.units, -1, layer.columns)
    order = pieces.sum(axis=2).argsort(axis=1)
    return np.take_along_axis(pieces, order[:, :, np.newaxis], axis=1).reshape(layer.units, -1)


def _frozen_biases(layer: Layer, below: Array) -> Array:
    """The frozen biases (units, pieces), 0 if they are not frozen."""
    biases = below[:, -1] if layer.bias == "frozen" else np.zeros(layer.rows)
    return biases.reshape(layer.units, -1)


def _of_hidden(layer: Layer, biases: list[list[float]]) -> float:
    """Only units with equal frozen biases change places, and only those with 0 their signs."""
    is_odd = layer.activation.is_odd
    units = Counter(tuple(sorted(map(abs, unit) if is_odd else unit)) for unit in biases)
    total = _log_orders(units)
    for unit, count in units.items():
        total += count * _log_orders(Counter(unit))
        total += count * math.log(2) if is_odd and not any(unit) else 0
    return total


def _log_orders(equals: Counter[tuple[float, ...]] | Counter[float]) -> float:
    """The logarithm of the number of orders of equal items."""
    return sum(math.lgamma(count + 1) for count in equals.values())
