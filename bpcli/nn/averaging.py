"""The average of K trained networks of one shape, as one wider network.

Z of the output layer of the wider network is the mean of the members' z:

    z[L] = 1/K Σ_k z_k[L]

With an identity output, its outputs are the means of the members' outputs. With a sigmoid or a
softmax they are f of the mean logits, which is the members' normalised geometric mean, their
logarithmic opinion pool (Heskes 1998, Selecting weighting factors in logarithmic opinion pools).
Under a loss that is convex in z, such as squared errors of an identity and both cross-entropies,
the loss of the average is at most the mean of the members' losses. For squared errors, the
difference is the members' variance (Krogh & Vedelsby 1995, Neural network ensembles, cross
validation, and active learning).

Each hidden layer holds the units of all members, in their order. From the input side:

    W[1] = (W_1[1]; …; W_K[1])             rows of all members, below each other
    W[l] = diag(W_1[l], …, W_K[l])         blocks, 0 elsewhere, for hidden layers above the first
    W[L] = (W_1[L]/K, …, W_K[L]/K)         beside each other
    b[l] = (b_1[l]; …; b_K[l])             for hidden layers
    b[L] = 1/K Σ_k b_k[L]

The blocks of a hidden layer have K times the weights of all members together, K² those of one.
Where a hidden unit overflows to ∞, so does 0 · ∞ to NaN in units of other members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Layer, Network
from bpcli.registry import name_of


def why_not_averaged(network: Network) -> str | None:
    """Why networks of this shape cannot be averaged into one; None if they can."""
    *hidden, output = (layer.activation for layer in network.layers)
    for number, activation in enumerate(hidden, start=1):
        if activation.mixes_units:
            return (
                f"layer {number} is {name_of(ACTIVATIONS, activation)}, which would mix the "
                "units of all networks: only networks whose hidden activations act on each "
                "unit separately can be averaged into one"
            )
    if not _averages_z(type(output)):
        *others, last = (name for name, each in ACTIVATIONS.items() if _averages_z(each))
        return (
            f"layer {len(network.layers)}, the output, is {name_of(ACTIVATIONS, output)}: only "
            f"networks whose output is {', '.join(others)} or {last} can be averaged into one"
        )
    return None


def averaged_network(network: Network, count: int) -> Network:
    """The shape of the average of `count` networks: `count` times the units in hidden layers.

    Raises `ValueError` if networks of this shape cannot be averaged; see `why_not_averaged`.
    """
    if reason := why_not_averaged(network):
        raise ValueError(reason)
    last = len(network.layers) - 1
    layers = tuple(
        replace(
            layer,
            inputs=layer.inputs * (1 if number == 0 else count),
            units=layer.units * (1 if number == last else count),
        )
        for number, layer in enumerate(network.layers)
    )
    return replace(network, layers=layers)


def averaged_params(network: Network, members: Sequence[Vector]) -> Vector:
    """The parameters for `averaged_network(network, K)`, for K members (n_params,) of one dtype.

    Without a hidden layer, the mean of the members' parameters. For one member, the same numbers.
    Raises `ValueError` if networks of this shape cannot be averaged, if there is no member, or for
    a member of another size.
    """
    if reason := why_not_averaged(network):
        raise ValueError(reason)
    if {member.shape for member in members} != {(network.n_params,)}:
        shapes = [member.shape for member in members]
        raise ValueError(f"members must all have the shape ({network.n_params},): found {shapes}")
    if len(network.layers) == 1:
        return _mean(members)
    first, *middle, last = zip(*map(network.matrices, members), strict=True)
    inputs = [layer.inputs for layer in network.layers]
    matrices = [
        np.concatenate(first),
        *map(_blocks, middle, inputs[1:-1]),
        _beside(last, inputs[-1]),
    ]
    return np.concatenate([matrix.ravel() for matrix in matrices])


def averaged_members(network: Network, params: Vector, count: int) -> tuple[Network, list[Vector]]:
    """The `count` members of an average with an identity output, apart from their output biases.

    Of these, only the mean is known, so that the outputs of a member lack a constant. Raises
    `ValueError` if the network is no average of so many, or has no hidden layer or another output.
    """
    *hidden, output = network.layers
    if not hidden or not output.activation.is_identity or any(e.units % count for e in hidden):
        raise ValueError(f"no average of {count} networks whose weights can be separated")
    layers = tuple(
        replace(
            layer,
            inputs=layer.inputs // (1 if number == 0 else count),
            units=layer.units // (1 if layer is output else count),
        )
        for number, layer in enumerate(network.layers)
    )
    shape, matrices = replace(network, layers=layers), network.matrices(params)
    return shape, [
        np.concatenate(
            [
                _of_member(k, matrix, layer, count if layer is layers[-1] else 1).ravel()
                for matrix, layer in zip(matrices, layers, strict=True)
            ]
        )
        for k in range(count)
    ]


def _of_member(k: int, matrix: Array, layer: Layer, scale: int) -> Array:
    """[W_k b_k] of a layer of member k; its output weights are multiplied by `scale`, K."""
    rows = matrix if scale > 1 else matrix[k * layer.rows : (k + 1) * layer.rows]
    first = 0 if rows.shape[1] == layer.columns else k * layer.inputs
    weights, bias = rows[:, first : first + layer.inputs], rows[:, rows.shape[1] - layer.has_bias :]
    return np.hstack([scale * weights, bias])


def _averages_z(output: type[Activation]) -> bool:
    """Whether f of the mean z is an average of outputs that people use: see the top of the file."""
    return output.is_identity or output.gives_probabilities


def _mean(parts: Sequence[Array]) -> Array:
    """1/K Σ_k of K arrays of one shape, summed in their order."""
    total = reduce(np.add, parts)  # not from 0, which would turn -0 into 0
    mean: Array = total / len(parts)
    return mean


def _blocks(parts: Sequence[Array], inputs: int) -> Array:
    """[diag(W_1, …, W_K) (b_1; …; b_K)] of a hidden layer, from its K matrices [W_k b_k]."""
    rows, count = len(parts[0]), len(parts)
    weights = np.zeros((count * rows, count * inputs), parts[0].dtype)
    for number, part in enumerate(parts):
        block = weights[number * rows : (number + 1) * rows, number * inputs :]
        block[:, :inputs] = part[:, :inputs]
    return np.hstack([weights, np.concatenate([part[:, inputs:] for part in parts])])


def _beside(parts: Sequence[Array], inputs: int) -> Array:
    """[W_1/K … W_K/K, 1/K Σ_k b_k] of the output layer, from its K matrices [W_k b_k]."""
    weights = [part[:, :inputs] / len(parts) for part in parts]
    return np.hstack([*weights, _mean([part[:, inputs:] for part in parts])])
