from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from strategies import Problem, dense_jacobian, problems

from bpcli.nn import jacobian
from bpcli.nn.activations import ACTIVATIONS, Identity, Tanh
from bpcli.nn.jacobian import jacobian_rows, sweep_output, write_products
from bpcli.nn.losses import LOSSES, HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import Workspace, forward, predict


def inputs_of(problem: Problem) -> np.ndarray:
    """a[0], with a row of ones if the first layer has a bias."""
    ones = np.ones((int(problem.network.layers[0].has_bias), len(problem.X)))
    return np.concatenate([problem.X.T, ones])


@given(problems())
def test_the_jacobian_of_any_network_is_that_of_the_complex_step(problem: Problem) -> None:
    every = np.arange(problem.network.n_params)
    ours = jacobian_rows(problem.network, problem.params, inputs_of(problem), every)
    theirs = dense_jacobian(problem.network, problem.params, problem.X)
    np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("output", sorted(ACTIVATIONS))
def test_central_differences_of_the_outputs_agree(output: str) -> None:
    """For every output activation: no complex numbers here."""
    rng = np.random.default_rng(0)
    network = Network((Layer(3, 4, Tanh()), Layer(4, 3, ACTIVATIONS[output]())), HalfSquaredError())
    params, X = rng.normal(size=network.n_params), rng.normal(size=(5, 3))
    ours = jacobian_rows(network, params, np.vstack([X.T, np.ones(5)]), np.arange(len(params)))
    for entry, row in enumerate(ours):
        step = np.zeros_like(params)
        step[entry] = 1e-6
        ahead, behind = predict(network, params + step, X), predict(network, params - step, X)
        np.testing.assert_allclose(row, (ahead - behind).T / 2e-6, rtol=1e-6, atol=1e-9)


def test_row_weights_enter_by_their_root() -> None:
    rng = np.random.default_rng(0)
    network = Network((Layer(2, 3, Tanh()), Layer(3, 2, Identity())), HalfSquaredError())
    params, inputs = rng.normal(size=network.n_params), rng.normal(size=(3, 4))
    weight = rng.uniform(0, 2, 4)
    work = Workspace(network, params)
    work.fit(4)
    forward(work, inputs)
    plain, weighted = (np.empty((network.n_params, 4)) for _ in range(2))
    for output in range(2):
        for root, out in ((None, plain), (np.sqrt(weight), weighted)):
            sweep_output(work, output, root)
            write_products(work, out)
        np.testing.assert_allclose(weighted, plain * np.sqrt(weight), rtol=1e-14)


def test_many_samples_are_taken_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    network = Network((Layer(2, 3, Tanh()), Layer(3, 2, Identity())), HalfSquaredError())
    params, inputs = rng.normal(size=network.n_params), rng.normal(size=(3, 100))
    every = np.arange(network.n_params)
    whole = jacobian_rows(network, params, inputs, every)
    monkeypatch.setattr(jacobian, "_BYTES_AT_ONCE", 7 * whole[:, 0, 0].nbytes)
    np.testing.assert_allclose(
        jacobian_rows(network, params, inputs, every), whole, rtol=1e-12, atol=1e-14
    )


def test_only_sums_of_squares_say_that_they_are() -> None:
    rng = np.random.default_rng(0)
    a, y = rng.uniform(0.1, 0.9, (3, 5)), rng.uniform(0.1, 0.9, (3, 5))
    z = np.log(a / (1 - a))
    for name, kind in LOSSES.items():
        assert kind.is_sum_of_squares == (name in {"mse", "squared_error", "half_squared_error"})
        if kind.is_sum_of_squares:
            expected = kind().factor_of_squares(3) * ((a - y) ** 2).sum(axis=0)
            np.testing.assert_allclose(kind().per_sample(z, a, y), expected, rtol=1e-14)
