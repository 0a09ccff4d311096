"""The formulas of a trace, in symbols: what each layer, the loss and the optimizer compute.

The formulas of layers are in `bpcli/notation/layers.py`.
"""

from __future__ import annotations

import re
from itertools import accumulate

from bpcli.nn.activation import Activation
from bpcli.nn.network import Network
from bpcli.notation.layers import of_layer, worded
from bpcli.optimizers import GradientDescent, Optimizer


def slope_formula(activation: Activation, number: int) -> str | None:
    """f'(z1); None for an identity, or if f is not elementwise (softmax, maxout)."""
    if activation.is_identity or not activation.is_elementwise:
        return None
    return of_layer(activation, activation.derivative, number)


def loss_formula(network: Network) -> str:
    """loss_i of one row, from the last layer's a."""
    return _of_loss(network, network.loss.formula, f"a{len(network.layers)}", "y")


def grad_a_formula(network: Network, a: str, y: str) -> str:
    """∂loss_i/∂a as a factor; for a canonical loss, ∂loss_i/∂z instead."""
    formula = _of_loss(network, network.loss.derivative, a, y).partition(" = ")[2]
    return formula if network.loss.is_canonical else bracketed(formula)


def _of_loss(network: Network, formula: str, a: str, y: str) -> str:
    K = network.outputs
    if K == 1:  # a mean over one output is that output
        formula = formula.replace("(1/K) ", "").replace("(2/K)", "2")
    return worded(formula, vars(network.loss) | {"a": a, "y": y, "K": K})


def bracketed(text: str) -> str:
    """A formula as a factor: sums get brackets."""
    outside, inside = text, 1
    while inside:
        outside, inside = re.subn(r"\([^()]*\)", "", outside)
    return f"({text})" if re.search(r" [-+] ", outside) else text


def bare(text: str) -> str:
    """A difference without the brackets of a factor."""
    inside = text[1:-1] if text.startswith("(") and text.endswith(")") else ""
    depths = accumulate((sign == "(") - (sign == ")") for sign in inside)
    return inside if inside and min(depths) >= 0 else text


def delta_formulas(network: Network, number: int, weighted: bool) -> list[str]:
    """The formulas of a layer's delta, from the loss or from the layer above."""
    if number < len(network.layers):
        source = f"W{number + 1}ᵀ delta{number + 1}"
        return _pulled_back(network, number, source, f"f'(z{number}) ∘ ({source})")
    source = grad_a_formula(network, f"a{number}", "y")
    if network.loss.is_canonical:
        return [f"delta{number} = {f'w ({source})' if weighted else source}"]
    source = f"w {source}" if weighted else source
    return _pulled_back(network, number, source, f"{source} ∘ f'(z{number})")


def _pulled_back(network: Network, number: int, source: str, product: str) -> list[str]:
    """The formulas of delta from ∂loss/∂a, the `source`; `product` is that times f'."""
    activation = network.layers[number - 1].activation
    if activation.is_identity:
        return [f"delta{number} = {bare(source)}"]
    if activation.is_elementwise:
        return [f"delta{number} = {product}"]
    return [f"g{number} = {bare(source)}", of_layer(activation, activation.derivative, number)]


def update_formulas(optimizer: Optimizer, tensors: list[str]) -> list[str]:
    """The formulas of an optimizer, per tensor or for all parameters at once."""
    if not isinstance(optimizer, GradientDescent):
        return [worded(formula, vars(optimizer)) for formula in optimizer.formulas]
    return [line for tensor in tensors for line in descent_formulas(optimizer, tensor)]


def descent_formulas(optimizer: GradientDescent, tensor: str) -> list[str]:
    """The formulas of gradient descent for a tensor or one of its entries."""
    grad = f"∂objective/∂{tensor}"
    if not optimizer.momentum:
        return [f"{tensor} ← {tensor} - η {grad}"]
    ahead = f"μ v - η {grad}" if optimizer.nesterov else "v"
    return [f"v ← μ v - η {grad}", f"{tensor} ← {tensor} + {ahead}"]
