"""A small sigmoid network's pass in fifty decimal digits, with loops and nothing of numpy.

Numbers of a trace are held against these, one by one: they share neither code nor rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

Vector = list[Decimal]
Matrix = list[Vector]


class Layer(NamedTuple):
    W: Matrix
    b: Vector


class Pass(NamedTuple):
    """Lists by layer; z, a and delta hold a list a row, the gradients are sums over the rows."""

    z: list[Matrix]
    a: list[Matrix]
    delta: list[Matrix]
    grad_W: list[Matrix]  # noqa: N815  # as in the formulas
    grad_b: list[Vector]
    losses: Vector


def exact(values: object) -> list:
    """Floats, or lists of them, as the decimals that they are."""
    if isinstance(values, list):
        return [exact(value) for value in values]  # type: ignore[return-value]
    return Decimal(values)  # type: ignore[arg-type, return-value]


def sigmoid(z: Vector) -> Vector:
    return [1 / (1 + (-value).exp()) for value in z]


def softmax(z: Vector) -> Vector:
    powers = [value.exp() for value in z]
    return [power / sum(powers) for power in powers]


def product(W: Matrix, a: Vector) -> Vector:
    return [sum((w * x for w, x in zip(row, a, strict=True)), Decimal(0)) for row in W]


def forward(layers: Sequence[Layer], x: Vector, outputs: str) -> tuple[Matrix, Matrix]:
    """z and a of every layer, for one row."""
    zs, activations = [], [x]
    for number, layer in enumerate(layers, start=1):
        z = [s + b for s, b in zip(product(layer.W, activations[-1]), layer.b, strict=True)]
        is_softmax = outputs == "softmax" and number == len(layers)
        zs.append(z)
        activations.append(softmax(z) if is_softmax else sigmoid(z))
    return zs, activations[1:]


def passes(layers: Sequence[Layer], X: Matrix, Y: Matrix, loss: str) -> Pass:
    """Forward and backward over all rows of sigmoid layers."""
    with localcontext() as context:
        context.prec = 50
        rows = [_row(layers, x, y, loss) for x, y in zip(X, Y, strict=True)]
        z, a, delta = ([[row[k][level] for row in rows] for level in range(len(layers))]
                       for k in range(3))  # fmt: skip
        below = [X, *a[:-1]]
        grad_W = [_outer_sum(d, activations) for d, activations in zip(delta, below, strict=True)]
        grad_b = [[sum(column) for column in zip(*d, strict=True)] for d in delta]
        return Pass(z, a, delta, grad_W, grad_b, [row[3] for row in rows])  # type: ignore[arg-type]


def stepped(layer: Layer, grad_W: Matrix, grad_b: Vector, rate: str) -> Layer:
    """The layer after a step of gradient descent."""
    W = [
        [w - Decimal(rate) * g for w, g in zip(row, grads, strict=True)]
        for row, grads in zip(layer.W, grad_W, strict=True)
    ]
    return Layer(W, [b - Decimal(rate) * g for b, g in zip(layer.b, grad_b, strict=True)])


def _row(layers: Sequence[Layer], x: Vector, y: Vector, loss: str) -> tuple:
    zs, activations = forward(layers, x, "sigmoid")
    top = activations[-1]
    residuals = [a - t for a, t in zip(top, y, strict=True)]
    if loss == "binary_cross_entropy":
        value = -sum(t * a.ln() + (1 - t) * (1 - a).ln() for a, t in zip(top, y, strict=True))
        delta = residuals
    else:
        value = sum(r * r for r in residuals) / 2
        delta = [r * a * (1 - a) for r, a in zip(residuals, top, strict=True)]
    deltas = [delta]
    for layer, a in zip(layers[:0:-1], activations[-2::-1], strict=True):
        back = product([list(column) for column in zip(*layer.W, strict=True)], deltas[0])
        deltas.insert(0, [g * v * (1 - v) for g, v in zip(back, a, strict=True)])
    return zs, activations, deltas, value


def _outer_sum(delta: Matrix, below: Matrix) -> Matrix:
    return [
        [
            sum(d[unit] * a[place] for d, a in zip(delta, below, strict=True))
            for place in range(len(below[0]))
        ]
        for unit in range(len(delta[0]))
    ]
