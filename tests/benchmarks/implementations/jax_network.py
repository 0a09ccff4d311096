"""What both JAX loops share: the arrays, and one step of gradient descent as a pure function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problem import Problem, named

Params: TypeAlias = list[tuple[Any, Any]]
Step: TypeAlias = Callable[[Params, jax.Array, jax.Array], Params]


class JaxNetwork:
    """(W1, b1), (W2, b2), … with W (units, inputs); numpy's X and Y are not kept beside JAX's."""

    def __init__(self, folder: Path) -> None:
        problem = Problem.load(folder)
        jax.config.update("jax_enable_x64", problem.X.dtype == np.float64)
        self.X, self.Y = jnp.asarray(problem.X), jnp.asarray(problem.Y)
        self._start = list(zip(problem.weights, problem.biases, strict=True))
        self.step = _step(problem.hidden, problem.has_classes, problem.learning_rate)

    def start(self) -> Params:
        """New arrays of the parameters training starts from."""
        return [(jnp.array(W), jnp.array(b)) for W, b in self._start]


def _step(hidden: str, has_classes: bool, rate: float) -> Step:
    activation = {"tanh": jnp.tanh, "relu": jax.nn.relu}[hidden]

    def loss(params: Params, X: jax.Array, Y: jax.Array) -> jax.Array:
        a = X
        for W, b in params[:-1]:
            a = activation(a @ W.T + b)
        W, b = params[-1]
        z = a @ W.T + b
        if has_classes:
            return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(z), axis=1))
        return jnp.mean((z - Y) ** 2) / 2

    def step(params: Params, X: jax.Array, Y: jax.Array) -> Params:
        grads = jax.grad(loss)(params, X, Y)
        return jax.tree.map(lambda values, grad: values - rate * grad, params, grads)

    return step


def arrays(params: Params) -> dict[str, np.ndarray]:
    """Parameters as numpy arrays, by name."""
    return named([np.asarray(W) for W, _ in params], [np.asarray(b) for _, b in params])
