"""A network: its layers, its loss, and the layout of its parameters in one flat vector.

A `Network` is a description without parameters: parameters, gradients and optimizer slots are flat
vectors of `n_params` entries, and the layers' matrices are views into them. The matrix of
layer l is (rows, columns), with one row per unit (k for maxout) and the bias as its last column:

    [W[l] b[l]]:  (rows, inputs + 1), or (rows, inputs) in a layer without bias
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.initializers import Fans, Initializer
from bpcli.nn.losses import Loss
from bpcli.registry import name_of

Bias: TypeAlias = Literal["trained", "frozen", "none"]
"""`frozen` biases take part in the forward pass but keep their initial values."""


@dataclass(frozen=True)
class Layer:
    """One layer: z = W a_below + b, a = f(z)."""

    inputs: int
    units: int
    activation: Activation
    bias: Bias = "trained"

    @property
    def rows(self) -> int:
        """Rows of W, b and z."""
        return self.units * self.activation.rows_per_unit

    @property
    def has_bias(self) -> bool:
        return self.bias != "none"

    @property
    def columns(self) -> int:
        """Columns of the layer's matrix, the bias included."""
        return self.inputs + self.has_bias

    @property
    def size(self) -> int:
        """The number of this layer's entries in the parameter vector."""
        return self.rows * self.columns

    @property
    def fans(self) -> Fans:
        return Fans(self.inputs, self.units, self.rows)


@dataclass(frozen=True)
class Network:
    """Fully connected layers, input side first, and the loss they are trained on."""

    layers: tuple[Layer, ...]
    loss: Loss

    def __post_init__(self) -> None:
        if any(below.units != above.inputs for below, above in pairwise(self.layers)):
            raise ValueError("a layer's inputs must equal the units of the layer below")

    @property
    def inputs(self) -> int:
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        return self.layers[-1].units

    @property
    def summary(self) -> str:
        """The inputs and the layers in a few words: `4 - 5 tanh - 3 softmax`."""
        layers = [
            f"{layer.units} {name_of(ACTIVATIONS, layer.activation)}" for layer in self.layers
        ]
        return f"{self.inputs} - {' - '.join(layers)}"

    @cached_property
    def n_params(self) -> int:
        """Entries of the parameter vector, frozen biases included."""
        return sum(layer.size for layer in self.layers)

    @cached_property
    def layer_slices(self) -> tuple[slice, ...]:
        """Each layer's slice of the parameter vector."""
        stops = np.cumsum([layer.size for layer in self.layers]).tolist()
        return tuple(
            slice(stop - layer.size, stop) for stop, layer in zip(stops, self.layers, strict=True)
        )

    def matrices(self, vector: Vector) -> list[Array]:
        """The layers' matrices (rows, columns) as views into a flat vector."""
        return [
            vector[where].reshape(layer.rows, layer.columns)
            for where, layer in zip(self.layer_slices, self.layers, strict=True)
        ]

    def tensors(self, vector: Vector) -> Iterator[tuple[str, Array]]:
        """("W1", (rows, inputs)), ("b1", (rows,)), … as views into a flat vector."""
        matrices = self.matrices(vector)
        for number, (layer, matrix) in enumerate(zip(self.layers, matrices, strict=True), start=1):
            yield f"W{number}", matrix[:, : layer.inputs]
            if layer.has_bias:
                yield f"b{number}", matrix[:, -1]

    def param_name(self, at: int) -> str:
        """The name of a parameter by its position in the vector.

        W1[2,1] is the weight of unit 2 and input 1 in layer 1, and b1[2] the bias of unit 2.
        """
        number = next(n for n, where in enumerate(self.layer_slices) if at < where.stop)
        layer = self.layers[number]
        row, column = divmod(at - self.layer_slices[number].start, layer.columns)
        if column == layer.inputs:
            return f"b{number + 1}[{row + 1}]"
        return f"W{number + 1}[{row + 1},{column + 1}]"

    @cached_property
    def is_weight(self) -> Vector:
        """True for weights, which L2 shrinks; False for biases."""
        mask = np.zeros(self.n_params, dtype=bool)
        for name, tensor in self.tensors(mask):
            tensor[...] = name.startswith("W")
        return mask

    @cached_property
    def frozen(self) -> Array:
        """The indices of the frozen biases, which training never changes."""
        mask = np.zeros(self.n_params, dtype=bool)
        for layer, matrix in zip(self.layers, self.matrices(mask), strict=True):
            if layer.bias == "frozen":
                matrix[:, -1] = True
        return np.flatnonzero(mask)

    def initial_params(self, initializer: Initializer, rng: np.random.Generator) -> Vector:
        """A float64 parameter vector, drawn layer by layer from the input side."""
        params = np.empty(self.n_params)
        for layer, matrix in zip(self.layers, self.matrices(params), strict=True):
            weights, biases = initializer.draw(rng, layer.fans)
            matrix[:, : layer.inputs] = weights
            if layer.has_bias:
                matrix[:, -1] = biases
        return params
