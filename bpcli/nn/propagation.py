"""The forward and the backward pass, and the workspace they share.

Samples are columns. With a[0] the inputs, for l = 1 … L:

    z[l] = W[l] a[l-1] + b[l]          a[l] = f_l(z[l])
    delta[L] = ∂loss/∂z[L]             delta[l] = J_l(z[l])ᵀ (W[l+1]ᵀ delta[l+1])
    ∂loss/∂W[l] = delta[l] a[l-1]ᵀ     ∂loss/∂b[l] = Σ_samples delta[l]

The bias is the last column of a layer's matrix, and a of the layer below has a last row of ones, so
that one product gives z and one gives both gradients. All results are sums over samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector, aligned_zeros
from bpcli.nn.network import Layer, Network
from bpcli.nn.products import multiply

Allocate: TypeAlias = Callable[[tuple[int, ...], np.dtype], Array]
"""Makes an array of zeros."""


class LayerPass:
    """The arrays of one layer during a pass over one block of samples."""

    __slots__ = (
        "W",
        "_is_in_place",
        "_storage",
        "_zeros",
        "a",
        "a_and_ones",
        "activation",
        "below",
        "delta",
        "grad",
        "grad_a",
        "layer",
        "matrix",
        "z",
    )

    W: Array
    a: Array
    a_and_ones: Array
    below: Array
    delta: Array
    grad_a: Array
    matrix: Array
    z: Array

    def __init__(
        self, layer: Layer, matrix: Array, grad: Array, zeros: Allocate, is_in_place: bool
    ) -> None:
        self.layer = layer
        self.activation = layer.activation
        self._is_in_place = is_in_place
        self.read(matrix)
        self.grad = grad
        self._zeros = zeros
        self._storage: tuple[Array, ...] = ()

    def read(self, matrix: Array) -> None:
        """Use these weights and biases from now on."""
        self.matrix = matrix
        self.W = matrix[:, : self.layer.inputs]

    def allocate_views(self, samples: int, ones_above: bool) -> None:
        """Lay out the block's arrays for a number of samples, in memory kept between blocks.

        Each is a contiguous part of flat storage, since a product needs a contiguous `out`. In
        place, a shares the memory of z, and delta that of grad_a.
        """
        rows, units = self.layer.rows, self.layer.units
        sizes = [(units + ones_above) * samples, units * samples]
        if not self._is_in_place:
            sizes += [rows * samples, rows * samples]
        if not self._storage or self._storage[0].size < sizes[0]:
            self._storage = tuple(self._zeros((size,), self.matrix.dtype) for size in sizes)
        self.a_and_ones, self.grad_a, *others = (
            store[:size].reshape(-1, samples)
            for store, size in zip(self._storage, sizes, strict=True)
        )
        self.a = self.a_and_ones[:units]
        np.asarray(self.a_and_ones)[units:] = 1  # not traced, as it is not part of a pass
        self.z, self.delta = others or (self.a, self.grad_a)


class Workspace:
    """All arrays of a forward and a backward pass over a block.

    The passes read `params`, which may change between them, and use its dtype. With `in_place`,
    hidden layers take half the memory where their activation allows it, so that more of it stays
    in the cache (3 to 5 % of an epoch); z is then overwritten, and a by the backward pass.
    """

    def __init__(
        self,
        network: Network,
        params: Vector,
        zeros: Allocate = aligned_zeros,
        *,
        in_place: bool = False,
    ) -> None:
        self.network = network
        self.grad: Vector = zeros((network.n_params,), params.dtype)
        top = network.layers[-1]
        self.layers = [
            LayerPass(layer, matrix, grad, zeros, _in_place(layer, in_place and layer is not top))
            for layer, matrix, grad in zip(
                network.layers, network.matrices(params), network.matrices(self.grad), strict=True
            )
        ]
        self.samples = 0

    def read(self, params: Vector) -> None:
        """Use these parameters from now on."""
        for layer, matrix in zip(self.layers, self.network.matrices(params), strict=True):
            layer.read(matrix)

    def fit(self, samples: int) -> None:
        """Prepare for a block of `samples` columns."""
        if samples != self.samples:
            for layer, above in pairwise(self.layers):
                layer.allocate_views(samples, ones_above=above.layer.has_bias)
            self.layers[-1].allocate_views(samples, ones_above=False)
            self.samples = samples


def _in_place(layer: Layer, loses_z: bool) -> bool:
    """Whether a overwrites z: allowed if z may be lost, and for an identity, where a = z."""
    activation = layer.activation
    return activation.works_in_place and (loses_z or activation.is_identity)


def forward(work: Workspace, inputs: Array) -> None:
    """Fill z and a of every layer: z[l] = W[l] a[l-1] + b[l], a[l] = f_l(z[l]).

    `inputs` is a[0], (inputs, samples), with a last row of ones if the first layer has a bias.
    """
    below = inputs
    for layer in work.layers:
        layer.below = below
        multiply(layer.matrix, below, layer.z)
        layer.activation.forward(layer.z, layer.a)
        below = layer.a_and_ones


def backward(work: Workspace, y: Array, row_weight: Array | None) -> None:
    """Fill delta of every layer, and `work.grad` with the gradient summed over the samples.

    `y` is (outputs, samples), `row_weight` (samples,) or None for all ones. Uses the z and a of the
    latest `forward`.
    """
    top = work.layers[-1]
    work.network.loss.write_delta(top.activation, top.z, top.a, y, top.grad_a, top.delta)
    if row_weight is not None:
        top.delta *= row_weight
    backward_from_top(work)


def backward_from_top(work: Workspace) -> None:
    """Fill delta of the layers below, and `work.grad`, from delta of the output layer."""
    for layer, lower in pairwise(reversed(work.layers)):
        multiply(layer.delta, layer.below.T, layer.grad)
        pull_delta_down(layer, lower)
    first = work.layers[0]
    multiply(first.delta, first.below.T, first.grad)


def pull_delta_down(layer: LayerPass, lower: LayerPass) -> None:
    """Fill delta of the layer below: delta[l] = J_l(z[l])ᵀ (W[l+1]ᵀ delta[l+1])."""
    multiply(layer.W.T, layer.delta, lower.grad_a)
    lower.activation.pullback(lower.z, lower.a, lower.grad_a, lower.delta)


def loss_sum(work: Workspace, y: Array, row_weight: Array | None) -> complex | float:
    """Σ_i row_weight_i loss_i of the block of the latest `forward`."""
    top = work.layers[-1]
    loss = work.network.loss.per_sample(top.z, top.a, y)
    total = loss.sum() if row_weight is None else loss.dot(row_weight)
    value: complex | float = total.item()
    return value


def block_size(network: Network, dtype: np.dtype) -> int:
    """The most samples per block: few enough for the elementwise work to stay in the cache.

    Measured with AVX-512 kernels, 48 KB of first-level and 1 MB of second-level cache. Half as many
    cost narrow networks 5 to 14 % more, in calls; twice as many cost networks of 64 to 128 units 5
    to 15 % more, in cache misses. From 24 units on, the 8 rows of a block that a gradient's product
    reads at once fit into the first level, which saves 1 to 4 % in double precision. For hundreds
    of units, 500 to 1500 are equally fast; for thousands, half as many cost 3 % in single and 6 %
    in double precision, and more would take more memory.
    """
    widest = max(layer.rows for layer in network.layers)
    is_single = dtype.itemsize == 4
    if widest >= 256:
        return 752 if is_single or widest < 1024 else 1008
    if widest >= 48:
        return 848 if is_single else 552
    if widest >= 24:
        return 1392 if is_single else 672
    return 4000 if is_single else 2800


def bytes_per_sample(network: Network, dtype: np.dtype) -> int:
    """The size of z, a, delta and grad_a of all layers; layers in place take half of it."""
    return sum(2 * layer.rows + 2 * layer.units for layer in network.layers) * dtype.itemsize


def predict(network: Network, params: Vector, X: Array) -> Array:
    """The outputs (n, outputs) for the rows of X (n, inputs)."""
    A = np.empty((len(X), network.outputs), params.dtype)
    for rows, top in _output_layer(network, params, X):
        A[rows] = top.a.T
    return A


def output_z(network: Network, params: Vector, X: Array) -> Array:
    """Z of the output layer (n, rows of the layer) for the rows of X (n, inputs)."""
    Z = np.empty((len(X), network.layers[-1].rows), params.dtype)
    for rows, top in _output_layer(network, params, X):
        Z[rows] = top.z.T
    return Z


_FEW_ROWS = 8
"""Up to so many rows, aligning the arrays takes longer than it saves: 21 of the 47 µs of one row
through 4-100-3."""


def _output_layer(network: Network, params: Vector, X: Array) -> Iterator[tuple[slice, LayerPass]]:
    """The output layer after the forward pass of each block of rows."""
    zeros = aligned_zeros if len(X) > _FEW_ROWS else np.zeros
    work = Workspace(network, params, zeros)
    size = block_size(network, params.dtype)
    for start in range(0, len(X), size):
        rows = slice(start, start + size)
        forward_rows(work, X[rows])
        yield rows, work.layers[-1]


def forward_rows(work: Workspace, X: Array) -> None:
    """`forward` for the rows of X (n, inputs) in one block, so that z and a can be read."""
    work.fit(len(X))
    forward(work, columns_of(work.network, X, work.grad.dtype))


def columns_of(network: Network, X: Array, dtype: np.dtype) -> Array:
    """The rows of X (n, inputs) as `forward` takes them: (inputs [+1], n)."""
    first = network.layers[0]
    inputs = np.ones((first.columns, len(X)), dtype)
    inputs[: first.inputs] = X.T
    return inputs
