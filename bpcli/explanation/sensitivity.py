"""Derivatives of a network's outputs by its inputs, from its own backward pass.

With the deltas of output k, delta_k[L] = J_L(z[L])ᵀ e_k and the backward pass below it,

    ∂a_k/∂a[0] = W[1]ᵀ delta_k[1]

In original units, the derivative is multiplied by the scale of the output and divided by that of
the input. Dimopoulos, Bourret & Lek 1995, Neural Processing Letters 2, 1, use these derivatives.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bpcli.data.preprocessing import Preprocessor
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.jacobian import sweep_output
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, block_size, forward_rows

MOST_NUMBERS = 2**23
"""So many derivatives are held at once: 64 MB."""


def input_gradients(network: Network, params: Vector, X: Array) -> Array:
    """∂a_k/∂x_j of prepared rows X (n, inputs): (outputs, n, inputs)."""
    gradients = np.empty((network.outputs, *X.shape))
    work = Workspace(network, params)
    size = block_size(network, params.dtype)
    for start in range(0, len(X), size):
        rows = slice(start, start + size)
        forward_rows(work, X[rows])
        for k in range(network.outputs):
            sweep_output(work, k, None)
            first = work.layers[0]
            gradients[k, rows] = (first.W.T @ first.delta).T
    return gradients


def original_gradients(
    network: Network, params: Vector, preprocessor: Preprocessor, X: Array
) -> Array:
    """The derivatives in original units, of encoded rows X (n, inputs): (outputs, n, inputs)."""
    gradients = input_gradients(network, params, preprocessor.inputs.apply(X))
    gradients *= preprocessor.targets.factor[:, np.newaxis, np.newaxis]
    gradients /= preprocessor.inputs.factor
    return gradients


class Sensitivity(NamedTuple):
    """The derivatives of an output by a column over the rows, in original units.

    `positive` and `negative` are the shares of rows with a derivative above and below 0.
    `per_deviation` is the root mean square of the derivative, times the standard deviation of the
    column: how far the output moves for a usual step of the input.
    """

    mean: float
    sd: float
    positive: float
    negative: float
    per_deviation: float


def sensitivity(gradients: Vector, values: Vector) -> Sensitivity:
    """Of the derivatives (n,) by one column, whose values are (n,)."""
    return Sensitivity(
        float(gradients.mean()),
        float(gradients.std()),
        float((gradients > 0).mean()),
        float((gradients < 0).mean()),
        float(np.sqrt((gradients**2).mean()) * values.std()),
    )
