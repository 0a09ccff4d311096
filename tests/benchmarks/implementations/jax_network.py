"""What both JAX loops share: the arrays, and one step of gradient descent as a pure function."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problem import Problem, named

Params: TypeAlias = list[tuple[Any, Any]]


class JaxNetwork:
    """(W1, b1), (W2, b2), … with W (units, inputs)."""

    def __init__(self, folder: Path) -> None:
        self.problem = Problem.load(folder)
        jax.config.update("jax_enable_x64", self.problem.X.dtype == np.float64)
        self.X, self.Y = jnp.asarray(self.problem.X), jnp.asarray(self.problem.Y)
        self.activation = {"tanh": jnp.tanh, "relu": jax.nn.relu}[self.problem.hidden]

    def start(self) -> Params:
        """New arrays of the parameters training starts from."""
        pairs = zip(self.problem.weights, self.problem.biases, strict=True)
        return [(jnp.array(W), jnp.array(b)) for W, b in pairs]

    def loss(self, params: Params, X: jax.Array, Y: jax.Array) -> jax.Array:
        a = X
        for W, b in params[:-1]:
            a = self.activation(a @ W.T + b)
        W, b = params[-1]
        z = a @ W.T + b
        if self.problem.has_classes:
            return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(z), axis=1))
        return jnp.mean((z - Y) ** 2) / 2

    def step(self, params: Params, X: jax.Array, Y: jax.Array) -> Params:
        grads = jax.grad(self.loss)(params, X, Y)
        rate = self.problem.learning_rate
        return jax.tree.map(lambda values, grad: values - rate * grad, params, grads)


def arrays(params: Params) -> dict[str, np.ndarray]:
    """Parameters as numpy arrays, by name."""
    return named([np.asarray(W) for W, _ in params], [np.asarray(b) for _, b in params])
