"""The Jacobian of the residuals by the parameters, for a loss that is a sum of their squares.

With r_ki = a_k - y_k, output k of sample i, one backward sweep for each output gives a row of the
Jacobian for every sample at once. It starts from the pullback of the unit vector e_k,

    delta_k[L] = J_L(z[L])ᵀ e_k          delta_k[l] = J_l(z[l])ᵀ (W[l+1]ᵀ delta_k[l+1])
    ∂r_ki/∂W[l]_uj = delta_k[l]_ui a[l-1]_ji          ∂r_ki/∂b[l]_u = delta_k[l]_ui

These sweeps are in Hagan & Menhaj 1994, IEEE Trans. Neural Networks 5, 989; JᵀJ as an approximate
Hessian is in Nocedal & Wright 2006, Numerical Optimization, eq. 10.3 to 10.5.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, forward, pull_delta_down

JacobianPass: TypeAlias = Callable[[Workspace, Array | None, Array], None]

_SCRATCH_BYTES = 4 * 2**20
_FEWEST_COLUMNS = 64
"""The fewest columns of a Jacobian at once: with fewer, reading JᵀJ dominates its product."""


def write_jacobian(work: Workspace, row_weight: Array | None, out: Array) -> None:
    """Write √w_i ∂r_ki/∂params_p to out[p, k, i]: (n_params, outputs, samples).

    Uses the z and a of the latest `forward`. With √w, the weights w appear once in JᵀJ and Jᵀr.
    Parameters are the first axis, so that each sample's products of delta and a are contiguous.
    """
    top = work.layers[-1]
    for k in range(work.network.outputs):
        top.grad_a.fill(0)
        top.grad_a[k] = 1 if row_weight is None else np.sqrt(row_weight)
        top.activation.pullback(top.z, top.a, top.grad_a, top.delta)
        for layer, lower in pairwise(reversed(work.layers)):
            pull_delta_down(layer, lower)
        write_products(work, out[:, k])


def write_products(work: Workspace, out: Array) -> None:
    """Write delta[l]_ui a[l-1]_ji, each sample's own, for all layers: (n_params, samples)."""
    for layer, where in zip(work.layers, work.network.layer_slices, strict=True):
        products = out[where].reshape(*layer.matrix.shape, work.samples)  # a view
        np.multiply(layer.delta[:, np.newaxis], layer.below, out=products)


def samples_at_once(network: Network, dtype: np.dtype) -> int:
    """The number of samples per block of a Jacobian, which takes a few megabytes."""
    columns = _SCRATCH_BYTES // (network.n_params * dtype.itemsize)
    return -(-max(_FEWEST_COLUMNS, columns) // network.outputs)


def jacobian_rows(
    network: Network,
    params: Vector,
    inputs: Array,
    entries: Array,
    write: JacobianPass = write_jacobian,
) -> Array:
    """∂r_ki/∂params_p for some entries p of the parameters: (entries, outputs, samples).

    `inputs` is a[0], (inputs, samples), with a last row of ones if the first layer has a bias.
    """
    work, samples = Workspace(network, params), inputs.shape[1]
    rows = np.empty((len(entries), network.outputs, samples), params.dtype)
    step = samples_at_once(network, params.dtype)
    for start in range(0, samples, step):
        block = inputs[:, start : start + step]
        work.fit(block.shape[1])
        forward(work, block)
        J = np.empty((network.n_params, network.outputs, work.samples), params.dtype)
        write(work, None, J)
        rows[:, :, start : start + step] = J[entries]
    return rows
