"""Importance read from the weights alone, of networks with one hidden layer.

Garson 1991, AI Expert 6(4), 46: the share of input j in the absolute weights of each hidden unit,
weighted by that unit's share in output k. Olden & Jackson 2002, Ecological Modelling 154, 135: the
sum over hidden units of the products of weights, which keeps the sign.

Both ignore the activations, the biases and the rows. Garson's shares also let weights of opposite
signs add up instead of cancelling: Olden, Joy & Death 2004, Ecological Modelling 178, 389.
"""

from __future__ import annotations

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network


def why_no_connection_weights(network: Network) -> str | None:
    """Why neither is defined for a network; None if both are."""
    hidden = len(network.layers) - 1
    if hidden != 1:
        layers = "no hidden layer" if not hidden else f"{hidden} hidden layers"
        return f"they are defined only for one hidden layer, and this network has {layers}"
    if not network.layers[0].activation.is_elementwise:
        return "they are defined only for activations that act on each unit separately"
    return None


def weights_of(network: Network, params: Vector) -> tuple[Array, Array]:
    """W[1] (hidden, inputs) and W[2] (outputs, hidden), without biases."""
    below, above = network.matrices(params)
    return below[:, : network.inputs], above[:, : network.layers[1].inputs]


def garson(below: Array, above: Array) -> Array:
    """Σ_h |w_kh| |w_hj| / Σ_i |w_hi|, as shares of each output: (outputs, inputs).

    NaN for an output without weights.
    """
    sizes = np.abs(below)
    totals = sizes.sum(axis=1, keepdims=True)
    parts = np.abs(above) @ np.divide(sizes, totals, out=np.zeros_like(sizes), where=totals > 0)
    whole = parts.sum(axis=1, keepdims=True)
    shares: Array = np.divide(parts, whole, out=np.full_like(parts, np.nan), where=whole > 0)
    return shares


def olden(below: Array, above: Array) -> Array:
    """Σ_h w_kh w_hj: (outputs, inputs)."""
    products: Array = above @ below
    return products
