"""Back-propagation as a textbook writes it, in the fewest lines: what the kernel is held against.

Samples are rows here, losses and derivatives are written out from their definitions, and nothing
is shared with the package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit, xlogy


class Dense(NamedTuple):
    """One layer: W (rows, inputs), b (rows,) or None, an activation's name, pieces for maxout."""

    W: np.ndarray
    b: np.ndarray | None
    activation: str
    pieces: int = 1


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


F: dict[str, Callable] = {
    "identity": lambda z: z,
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "softplus": lambda z: np.logaddexp(0, z),
    "exponential": np.exp,
    "softsign": lambda z: z / (1 + np.abs(z)),
    "softmax": softmax,
}
DF: dict[str, Callable] = {
    "identity": np.ones_like,
    "sigmoid": lambda z: expit(z) * expit(-z),
    "tanh": lambda z: np.cosh(z) ** -2.0,
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, 1.0, 0.01),
    "elu": lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
    "softplus": expit,
    "exponential": np.exp,
    "softsign": lambda z: (1 + np.abs(z)) ** -2.0,
}
LOSS: dict[str, Callable] = {
    "mse": lambda a, y: ((a - y) ** 2).mean(axis=1),
    "squared_error": lambda a, y: ((a - y) ** 2).sum(axis=1),
    "half_squared_error": lambda a, y: ((a - y) ** 2).sum(axis=1) / 2,
    "mae": lambda a, y: np.abs(a - y).mean(axis=1),
    "huber": lambda a, y: np.where(np.abs(a - y) <= 1, (a - y) ** 2 / 2, np.abs(a - y) - 0.5).mean(
        axis=1
    ),
    "binary_cross_entropy": lambda a, y: -(y * np.log(a) + (1 - y) * np.log1p(-a)).sum(axis=1),
    "cross_entropy": lambda a, y: -(y * np.log(a)).sum(axis=1),
    "poisson": lambda a, y: (a - y + xlogy(y, y) - xlogy(y, a)).sum(axis=1),
}
DLOSS: dict[str, Callable] = {
    "mse": lambda a, y: 2 * (a - y) / a.shape[1],
    "squared_error": lambda a, y: 2 * (a - y),
    "half_squared_error": lambda a, y: a - y,
    "mae": lambda a, y: np.sign(a - y) / a.shape[1],
    "huber": lambda a, y: np.clip(a - y, -1, 1) / a.shape[1],
    "binary_cross_entropy": lambda a, y: (a - y) / (a * (1 - a)),
    "cross_entropy": lambda a, y: -y / a,
    "poisson": lambda a, y: 1 - y / a,
}


def forward(layers: Sequence[Dense], X: np.ndarray) -> tuple[list, list]:
    """z and a of every layer; a[0] is X."""
    zs, activations = [], [X]
    for layer in layers:
        z = activations[-1] @ layer.W.T + (0 if layer.b is None else layer.b)
        zs.append(z)
        if layer.activation == "maxout":
            activations.append(z.reshape(len(z), -1, layer.pieces).max(axis=2))
        else:
            activations.append(F[layer.activation](z))
    return zs, activations


def pullback(layer: Dense, z: np.ndarray, a: np.ndarray, grad_a: np.ndarray) -> np.ndarray:
    if layer.activation == "softmax":
        jacobians = np.einsum("ni,ij->nij", a, np.eye(a.shape[1])) - np.einsum("ni,nj->nij", a, a)
        return np.einsum("nji,nj->ni", jacobians, grad_a)
    if layer.activation == "maxout":
        delta = np.zeros_like(z)
        winners = z.reshape(len(z), -1, layer.pieces).argmax(axis=2)
        for row, unit in np.ndindex(*winners.shape):
            delta[row, unit * layer.pieces + winners[row, unit]] = grad_a[row, unit]
        return delta
    return grad_a * DF[layer.activation](z)


def value_and_grads(
    layers: Sequence[Dense],
    X: np.ndarray,
    Y: np.ndarray,
    loss: str,
    *,
    weight: np.ndarray | None = None,
    l2: float = 0.0,
    reduction: str = "mean",
) -> tuple[float, list]:
    """The objective, and (∂W, ∂b) of every layer."""
    n = len(X)
    weight = np.ones(n) if weight is None else weight
    zs, activations = forward(layers, X)
    scale = n if reduction == "sum" else 1
    value = scale * (weight @ LOSS[loss](activations[-1], Y)) / weight.sum()
    grad_a = scale * weight[:, None] * DLOSS[loss](activations[-1], Y) / weight.sum()
    grads = []
    for depth in reversed(range(len(layers))):
        layer = layers[depth]
        delta = pullback(layer, zs[depth], activations[depth + 1], grad_a)
        grads.append(
            (
                delta.T @ activations[depth] + scale * l2 / n * layer.W,
                None if layer.b is None else delta.sum(axis=0),
            )
        )
        value += scale * l2 / (2 * n) * (layer.W**2).sum()
        grad_a = delta @ layer.W
    return value, grads[::-1]
