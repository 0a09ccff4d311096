"""The network of a config, with `auto` sizes taken from the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bpcli.config.models import Spec
from bpcli.config.parameters_spec import LayerParameters
from bpcli.data.preprocessing import outputs_needed
from bpcli.data.table import Table
from bpcli.experiment.issues import has_softmax_output
from bpcli.nn.arrays import Vector
from bpcli.nn.network import Bias, Layer, Network


def network_for(spec: Spec, table: Table) -> Network:
    """The network for a table."""
    layers = spec.network.layers
    sizes = [size for size in layers if size != "auto"]
    if len(sizes) < len(layers):
        sizes = list(_automatic_sizes(spec, table))
    return network_of_sizes(spec, sizes)


def network_of_sizes(spec: Spec, sizes: Sequence[int]) -> Network:
    """The network with these layer sizes."""
    described = spec.network
    biases = described.bias if isinstance(described.bias, list) else None
    layers = []
    for number, activation in enumerate(described.activations):
        given = biases[number] if biases else described.bias
        bias: Bias = "frozen" if given == "frozen" else "trained" if given else "none"
        layers.append(Layer(sizes[number], sizes[number + 1], activation, bias))
    return Network(tuple(layers), spec.loss)


def _automatic_sizes(spec: Spec, table: Table) -> Iterator[int]:
    """The sizes, with `auto` at either end replaced; elsewhere it is an error of the config."""
    last = len(spec.network.layers) - 1
    for index, size in enumerate(spec.network.layers):
        if size != "auto":
            yield size
        elif index == 0:
            yield table.X.shape[1]
        elif index == last:
            yield outputs_needed(table, one_hot=has_softmax_output(spec))


def explicit_params(network: Network, given: list[LayerParameters]) -> Vector:
    """The parameter vector of the explicit weights and biases in the config."""
    params = np.empty(network.n_params)
    for layer, matrix, values in zip(network.layers, network.matrices(params), given, strict=True):
        matrix[:, : layer.inputs] = values.weights
        if values.bias is not None:
            matrix[:, -1] = values.bias
    return params
