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

OutputSweep: TypeAlias = Callable[[Workspace, int, Array | None], None]
"""Fills delta of every layer for one output, given the roots of the row weights."""

_BYTES_AT_ONCE = 4 * 2**20


def sweep_output(work: Workspace, output: int, root_weight: Array | None) -> None:
    """Fill delta_k of every layer for output k, times √w_i; uses the latest `forward`.

    With √w in J and in r, the weights w appear once in JᵀJ and in Jᵀr.
    """
    top = work.layers[-1]
    top.grad_a.fill(0)
    top.grad_a[output] = 1 if root_weight is None else root_weight
    top.activation.pullback(top.z, top.a, top.grad_a, top.delta)
    for layer, lower in pairwise(reversed(work.layers)):
        pull_delta_down(layer, lower)


def weighted_residuals(
    work: Workspace, y: Array, row_weight: Array | None
) -> tuple[Array, Array | None]:
    """√w_i r_ki, (outputs, samples), of the latest `forward`, and √w; None if all w are 1."""
    residuals: Array = work.layers[-1].a - y
    if row_weight is None:
        return residuals, None
    root = np.sqrt(row_weight)
    residuals *= root
    return residuals, root


def write_products(work: Workspace, out: Array) -> None:
    """Write delta[l]_ui a[l-1]_ji, each sample's own, for all layers: (n_params, samples)."""
    for layer, where in zip(work.layers, work.network.layer_slices, strict=True):
        products = out[where].reshape(*layer.matrix.shape, work.samples)  # a view
        np.multiply(layer.delta[:, np.newaxis], layer.below, out=products)


def jacobian_rows(
    network: Network,
    params: Vector,
    inputs: Array,
    entries: Array,
    sweep: OutputSweep = sweep_output,
) -> Array:
    """∂r_ki/∂params_p for some entries p of the parameters: (entries, outputs, samples).

    `inputs` is a[0], (inputs, samples), with a last row of ones if the first layer has a bias.
    """
    work, samples = Workspace(network, params), inputs.shape[1]
    rows = np.empty((len(entries), network.outputs, samples), params.dtype)
    step = max(1, _BYTES_AT_ONCE // (network.n_params * params.itemsize))
    for start in range(0, samples, step):
        block = inputs[:, start : start + step]
        work.fit(block.shape[1])
        forward(work, block)
        J = np.empty((network.n_params, work.samples), params.dtype)
        for k in range(network.outputs):
            sweep(work, k, None)
            write_products(work, J)
            rows[:, k, start : start + step] = J[entries]
    return rows
