"""The derivative of a network's outputs along a direction of its parameters, J v.

One sweep from the inputs to the outputs, beside the forward pass. Along the direction V, v_b (with
the layout of W, b), z[l] and a[l] change by

    ż[l] = W[l] ȧ[l-1] + V[l] a[l-1] + v_b[l]          ȧ[l] = J_l(z[l]) ż[l]          ȧ[0] = 0

Pearlmutter 1994, Neural Computation 6, 147 (the operator R{·} on the forward pass). Followed by a
backward sweep from J_L(z[L])ᵀ ȧ[L] it gives a Gauss-Newton product Jᵀ J v: Schraudolph 2002, Neural
Computation 14, 1723.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.nn.arrays import Array, aligned_zeros
from bpcli.nn.network import Network
from bpcli.nn.products import multiply
from bpcli.nn.propagation import Workspace, backward_from_top


def tangent_storage(network: Network, samples: int, dtype: np.dtype) -> Array:
    """Memory for ż and ȧ of one layer, any layer, of at most so many samples: (2, numbers)."""
    return aligned_zeros((2, max(layer.rows for layer in network.layers) * samples), dtype)


def output_tangents(work: Workspace, direction: Sequence[Array], storage: Array) -> Array:
    """ȧ[L] along a direction, one matrix [V v_b] per layer: (outputs, samples), within `storage`.

    Uses the z and a of the latest `forward`, and changes nothing in the workspace.
    """

    def part(of: Array, rows: int) -> Array:
        return of[: rows * work.samples].reshape(rows, work.samples)

    of_z, of_a = storage
    a_dot: Array | None = None
    for layer, V in zip(work.layers, direction, strict=True):
        z_dot = part(of_z, layer.layer.rows)
        if a_dot is None:
            multiply(V, layer.below, z_dot)
        else:
            multiply(layer.W, a_dot, z_dot)
            of_direction = part(of_a, layer.layer.rows)  # over ȧ of the layer below
            multiply(V, layer.below, of_direction)
            z_dot += of_direction
        a_dot = part(of_a, layer.layer.units)
        layer.activation.pushforward(layer.z, layer.a, z_dot, a_dot)
    assert a_dot is not None
    return a_dot


def gauss_newton_backward(
    work: Workspace, direction: Sequence[Array], row_weight: Array | None, storage: Array
) -> None:
    """Fill `work.grad` with Σ_i w_i J_iᵀ J_i v over the samples i, J_i the Jacobian of the outputs.

    A backward pass whose ∂loss/∂a[L] is w_i ȧ[L]. Uses the z and a of the latest `forward`.
    """
    top, a_dot = work.layers[-1], output_tangents(work, direction, storage)
    if row_weight is not None:
        a_dot *= row_weight
    top.activation.pullback(top.z, top.a, a_dot, top.delta)
    backward_from_top(work)
