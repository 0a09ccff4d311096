"""The network that a config asks for, with sizes from the data where it says `auto`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bpcli.config.models import LayerParameters, Spec
from bpcli.data.preprocessing import outputs_needed
from bpcli.data.table import Table
from bpcli.experiment.issues import has_softmax_output
from bpcli.nn.arrays import Vector
from bpcli.nn.network import Bias, Layer, Network


def network_for(spec: Spec, table: Table) -> Network:
    """The network for a table."""
    described = spec.network
    sizes = [size for size in described.layers if size != "auto"]
    if len(sizes) < len(described.layers):
        sizes = list(_automatic_sizes(spec, table))
    return network_of_sizes(spec, sizes)


def network_of_sizes(spec: Spec, sizes: Sequence[int]) -> Network:
    """The network with these layer sizes."""
    described = spec.network
    biases = described.bias if isinstance(described.bias, list) else None
    layers = []
    for number, activation in enumerate(described.activations):
        asked = biases[number] if biases else described.bias
        bias: Bias = "frozen" if asked == "frozen" else "trained" if asked else "none"
        layers.append(Layer(sizes[number], sizes[number + 1], activation, bias))
    return Network(tuple(layers), spec.loss)


def _automatic_sizes(spec: Spec, table: Table) -> Iterator[int]:
    """`auto` at the ends fits the data; elsewhere the config was refused."""
    last = len(spec.network.layers) - 1
    for position, size in enumerate(spec.network.layers):
        if size != "auto":
            yield size
        elif position == 0:
            yield table.X.shape[1]
        elif position == last:
            yield outputs_needed(table, one_hot=has_softmax_output(spec))


def explicit_params(network: Network, given: list[LayerParameters]) -> Vector:
    """The parameters that the config gives, a matrix and a bias for each layer."""
    params = np.empty(network.n_params)
    for layer, matrix, values in zip(network.layers, network.matrices(params), given, strict=True):
        matrix[:, : layer.inputs] = values.weights
        if values.bias is not None:
            matrix[:, -1] = values.bias
    return params
