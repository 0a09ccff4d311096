"""Problems whose loss is a sum of squares, and their Gauss-Newton matrix as it is defined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from strategies import Problem, dense_jacobian

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Sigmoid, Tanh
from bpcli.nn.losses import HalfSquaredError, Mse
from bpcli.nn.network import Layer, Network


def with_squares(problem: Problem) -> Problem:
    """The problem with a loss that is a sum of squares, if it has none."""
    loss = problem.network.loss if problem.network.loss.is_sum_of_squares else Mse()
    return replace(problem, network=Network(problem.network.layers, loss))


def hessian_of_squares(problem: Problem) -> np.ndarray:
    """The Gauss-Newton matrix as it is defined: 2 f c Σ_i w_i Σ_k ∇r_ki ∇r_kiᵀ / Σ_i w_i + L2."""
    network, n = problem.network, len(problem.X)
    J = dense_jacobian(network, problem.params, problem.X)
    factor = {"mse": 1 / network.outputs, "squared_error": 1.0, "half_squared_error": 0.5}
    weight = np.ones(n) if problem.weight is None else problem.weight
    c = n if problem.reduction == "sum" else 1
    H = np.einsum("i,pki,qki->pq", weight, J, J) / weight.sum() * 2 * factor[problem.loss_name]
    return c * (H + problem.l2 / n * np.diag(network.is_weight.astype(float)))


WIDE = Network((Layer(10, 32, Tanh()), Layer(32, 3, Sigmoid())), Mse())


def wide_rows(count: int, dtype: str = "f8") -> Rows:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(count, 10)), rng.uniform(size=(count, 3))
    return Rows.of(WIDE, X, Y, np.dtype(dtype), rng.uniform(0.5, 2, count))


def frozen_problem() -> Problem:
    rng = np.random.default_rng(0)
    network = Network(
        (Layer(2, 2, Sigmoid(), "frozen"), Layer(2, 1, Identity())), HalfSquaredError()
    )
    X, Y = rng.normal(size=(4, 2)), rng.normal(size=(4, 1))
    return Problem(network, rng.normal(size=9), X, Y, None, 0.5, "sum")
