from __future__ import annotations

import math

import numpy as np
import pytest
from descents import step

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Sigmoid
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers.adam import Adam
from bpcli.training.objective import NetworkObjective

NETWORK = Network((Layer(2, 3, Sigmoid()), Layer(3, 1, Identity())), HalfSquaredError())
RATE = np.asarray(0.02)


def objective(dtype: str = "f8") -> NetworkObjective:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(8, 2)), rng.normal(size=(8, 1))
    return NetworkObjective(NETWORK, Rows.of(NETWORK, X, Y, np.dtype(dtype)))


def start() -> np.ndarray:
    return np.random.default_rng(1).normal(size=NETWORK.n_params)


def run(optimizer: Adam, steps: int) -> np.ndarray:
    params, fit = start(), objective()
    state = optimizer.init(params)
    for _ in range(steps):
        params, state = step(optimizer, fit, params, state, RATE)
    return params


@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
def test_the_steps_are_those_of_algorithm_1(epsilon: float) -> None:
    fit, params = objective(), start().tolist()
    m, v = [0.0] * len(params), [0.0] * len(params)
    for t in range(1, 31):
        grad = fit.grad(np.array(params)).tolist()
        for i, g in enumerate(grad):
            m[i] = 0.8 * m[i] + (1 - 0.8) * g
            v[i] = 0.99 * v[i] + (1 - 0.99) * g * g
            m_hat, v_hat = m[i] / (1 - 0.8**t), v[i] / (1 - 0.99**t)
            params[i] -= 0.02 * m_hat / (math.sqrt(v_hat) + epsilon)
    found = run(Adam(beta1=0.8, beta2=0.99, epsilon=epsilon), 30)
    np.testing.assert_allclose(found, params, rtol=1e-12)


def test_the_steps_are_scikit_learns() -> None:
    stochastic = pytest.importorskip("sklearn.neural_network._stochastic_optimizers")
    params, fit = [start()], objective()
    # It adds epsilon to √v, not to √v̂: the same for an epsilon that is nothing beside them.
    theirs = stochastic.AdamOptimizer(params, learning_rate_init=0.02, epsilon=1e-30)
    for _ in range(30):
        theirs.update_params(params, [fit.grad(params[0].copy())])
    np.testing.assert_allclose(run(Adam(epsilon=1e-30), 30), params[0], rtol=1e-11)


def test_the_first_step_is_the_learning_rate_against_the_gradients_sign() -> None:
    moved = run(Adam(), 1)
    sign = np.sign(objective().grad(start()))
    np.testing.assert_allclose(moved, start() - 0.02 * sign, rtol=1e-5)


def test_a_gradient_that_stays_zero_moves_nothing() -> None:
    network = Network((Layer(1, 1, Identity()),), HalfSquaredError())
    rows = Rows.of(network, np.zeros((1, 1)), np.ones((1, 1)), np.dtype(float))
    params = np.array([3.0, 0.0])  # the weight meets inputs of 0; the bias is to be 1
    moved, _ = step(Adam(), NetworkObjective(network, rows), params, Adam().init(params), RATE)
    np.testing.assert_allclose(moved, [3, 0.02])


def test_float32_stays_float32() -> None:
    params = start().astype("f4")
    state = Adam().init(params)
    for _ in range(2):
        params, state = step(Adam(), objective("f4"), params, state, RATE.astype("f4"))
    assert params.dtype == state["mean"].dtype == state["square"].dtype == np.float32
    assert state["steps"] == 2
