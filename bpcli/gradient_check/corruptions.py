"""Wrong backward passes that the check must reject: errors from real course notes and student code.

Each is the correct pass with one error, so rejecting them shows that the check can fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcli.nn.activation import Activation
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.jacobian import sweep_output
from bpcli.nn.propagation import Workspace, backward
from bpcli.training.objective import NetworkObjective


@dataclass(frozen=True)
class Corruption:
    """One classical error: its meaning, and the objectives it `needs` to have an effect.

    `corrupt` takes a correct objective and returns a wrong one.
    """

    meaning: str
    needs: str
    corrupt: Callable[[NetworkObjective], NetworkObjective]


def _after_backward(
    spoil: Callable[[Workspace], None],
) -> Callable[[NetworkObjective], NetworkObjective]:
    """Return a function that makes an objective call `spoil` after its backward pass."""

    def wrong(work: Workspace, y: Array, row_weight: Array | None) -> None:
        backward(work, y, row_weight)
        spoil(work)

    return lambda objective: objective.like(backward=wrong)


@dataclass(frozen=True)
class _NoDerivative(Activation):
    """An activation whose pullback omits f'(z)."""

    right: Activation

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        np.copyto(out, np.repeat(grad_a, self.right.rows_per_unit, axis=0))


def _without_hidden_derivatives(work: Workspace, y: Array, row_weight: Array | None) -> None:
    right = [layer.activation for layer in work.layers]
    for layer in work.layers[:-1]:
        layer.activation = _NoDerivative(layer.activation)
    backward(work, y, row_weight)
    for layer, activation in zip(work.layers, right, strict=True):
        layer.activation = activation


def _with_linear_outputs(objective: NetworkObjective) -> NetworkObjective:
    def wrong(work: Workspace, output: int, root_weight: Array | None) -> None:
        top = work.layers[-1]
        right, top.activation = top.activation, _NoDerivative(top.activation)
        sweep_output(work, output, root_weight)
        top.activation = right

    return objective.like(sweep=wrong)


def _with_untransposed_weights(objective: NetworkObjective) -> NetworkObjective:
    def wrong(work: Workspace, y: Array, row_weight: Array | None) -> None:
        right = [layer.W for layer in work.layers]
        for layer in work.layers:
            layer.W = np.resize(layer.W.T, layer.W.shape)
        backward(work, y, row_weight)
        for layer, W in zip(work.layers, right, strict=True):
            layer.W = W

    return objective.like(backward=wrong)


def _sum_before_product(work: Workspace) -> None:
    for layer in work.layers:
        delta, below = layer.delta.sum(axis=1), layer.below.mean(axis=1)
        layer.grad[:] = np.outer(delta, below)


def _inputs_below(work: Workspace) -> None:
    x = work.layers[0].below[: work.network.inputs]
    for layer in work.layers[1:]:
        inputs = layer.layer.inputs
        layer.grad[:, :inputs] = layer.delta @ np.resize(x, (inputs, x.shape[1])).T


def _times_n_squared(work: Workspace) -> None:
    work.grad *= work.samples**2


def _times_n(work: Workspace) -> None:
    work.grad *= work.samples


def _negated_top(work: Workspace) -> None:
    work.layers[-1].grad *= -1


def _bias_of_one_sample(work: Workspace) -> None:
    for layer in work.layers:
        if layer.layer.has_bias:
            layer.grad[:, -1] = layer.delta[:, 0]


def _swapped_layers(work: Workspace) -> None:
    first, second = work.layers[0].grad, work.layers[1 % len(work.layers)].grad
    kept = first.copy()
    first[:] = np.resize(second, first.shape)
    second[:] = np.resize(kept, second.shape)


class _L2OnBiases(NetworkObjective):
    def penalty_grad(self, params: Vector) -> Vector:
        return self._decay * params


CORRUPTIONS: dict[str, Corruption] = {
    "no-derivative": Corruption(
        "f'(z) is missing in the deltas of the hidden layers",
        "a hidden layer whose f' is not 1",
        lambda objective: objective.like(backward=_without_hidden_derivatives),
    ),
    "sum-before-product": Corruption(
        "delta is summed over the rows before it is multiplied by a[l-1]",
        "more than one row",
        _after_backward(_sum_before_product),
    ),
    "inputs-for-activations": Corruption(
        "x is used instead of a[l-1] in the weight gradients",
        "a second layer",
        _after_backward(_inputs_below),
    ),
    "times-n": Corruption(
        "the factor is n instead of 1/n", "more than one row", _after_backward(_times_n_squared)
    ),
    "no-mean": Corruption(
        "the factor 1/n is missing", "more than one row", _after_backward(_times_n)
    ),
    "no-transpose": Corruption(
        "W is used instead of its transpose in the deltas (reshaped if it is not square)",
        "a second layer with several units",
        _with_untransposed_weights,
    ),
    "l2-on-biases": Corruption(
        "L2 shrinks the biases too",
        "L2, and biases that are not 0 (as in a trained run)",
        lambda objective: objective.like(_L2OnBiases),
    ),
    "sign": Corruption(
        "the gradient of the output layer has the wrong sign",
        "a gradient that is not 0",
        _after_backward(_negated_top),
    ),
    "bias-not-summed": Corruption(
        "the bias gradients are those of the first row, not sums over the rows",
        "biases, and more than one row",
        _after_backward(_bias_of_one_sample),
    ),
    "swapped-layers": Corruption(
        "the gradients of the first two layers are swapped",
        "two layers",
        _after_backward(_swapped_layers),
    ),
    "linear-jacobian": Corruption(
        "f'(z) of the outputs is missing in the Jacobian of the residuals",
        "outputs whose f' is not 1, and a loss that is a sum of squares",
        _with_linear_outputs,
    ),
}
