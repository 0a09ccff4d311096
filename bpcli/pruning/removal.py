"""The removal of one input or unit from a trained network: which one, and the weights after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, forward
from bpcli.pruning.remaining import Group, Remaining
from bpcli.pruning.surgeon import Product, damped_inverse, hessian, moved, rise

Saliency: TypeAlias = Literal["surgeon", "magnitude"]
Loss: TypeAlias = Callable[[Vector], float]
"""The objective at some parameters."""


class Removal(NamedTuple):
    """What to remove, its saliency, and all parameters with the weights that read it at 0.

    The saliency is what removing costs for each parameter that it saves: by the surgeon, the
    predicted rise of the objective; by magnitude, the mean square of the weights removed.
    """

    group: Group
    saliency: float
    params: Vector


def by_surgeon(
    remaining: Remaining,
    groups: Sequence[Group],
    params: Vector,
    product: Product,
    loss: Loss,
    inputs: Array,
) -> Removal:
    """Remove the group with the least predicted rise of the loss per parameter.

    The other weights move as the surgeon says; if that is worse than to put the group's mean in its
    place, they do that. `inputs` are those of `with_mean`. Raises `ArithmeticError` if the second
    derivatives are not finite, or all 0.
    """
    network = remaining.network
    trained = np.delete(np.arange(network.n_params), network.frozen)
    inverse, weights = damped_inverse(hessian(product, params, trained)), params[trained]

    def saliency(group: Group) -> float:
        own = np.searchsorted(trained, remaining.weights_of(group))
        return rise(inverse, weights, own) / saved(remaining, group)

    group = min(groups, key=saliency)
    by_update = params.copy()
    own = np.searchsorted(trained, remaining.weights_of(group))
    by_update[trained] = moved(inverse, weights, own)
    by_mean = with_mean(remaining, group, params, inputs)
    after = by_update if loss(by_update) <= loss(by_mean) else by_mean
    return Removal(group, saliency(group), after)


def by_magnitude(
    remaining: Remaining, groups: Sequence[Group], params: Vector, inputs: Array
) -> Removal:
    """Remove the group with the least mean square of the weights that read it."""

    def saliency(group: Group) -> float:
        return float(np.square(params[remaining.weights_of(group)]).mean())

    group = min(groups, key=saliency)
    return Removal(group, saliency(group), with_mean(remaining, group, params, inputs))


def saved(remaining: Remaining, group: Group) -> int:
    """The number of parameters that go with a group."""
    return remaining.network.n_params - remaining.without(group).network.n_params


def with_mean(remaining: Remaining, group: Group, params: Vector, inputs: Array) -> Vector:
    """The parameters with a group's weights at 0, and its mean in its place, if biases allow.

    b + W_S ā_S, with ā_S the mean of a over samples, the columns of `inputs` (inputs, n).
    """
    after = params.copy()
    layer = remaining.network.layers[group.layer]
    matrix = remaining.network.matrices(after)[group.layer]
    if layer.bias == "trained":
        below = _values_below(remaining.network, params, inputs, group.layer)
        matrix[:, -1] += matrix[:, group.columns] @ below[group.columns].mean(axis=1)
    matrix[:, group.columns] = 0
    return after


def _values_below(network: Network, params: Vector, inputs: Array, layer: int) -> Array:
    """What a layer reads (its inputs, n)."""
    if layer == 0:
        return inputs
    work = Workspace(network, params)
    work.fit(inputs.shape[1])
    forward(work, inputs)
    return work.layers[layer - 1].a
