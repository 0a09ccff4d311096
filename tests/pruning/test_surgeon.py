"""The surgeon, against least squares: with squared errors, a linear network is its own model."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network
from bpcli.pruning.surgeon import damped_inverse, hessian, moved, rise
from bpcli.training.objective import NetworkObjective

LINEAR = Network((Layer(4, 2, Identity()),), Mse())


def objective_of(network: Network, *, l2: float = 0.0) -> tuple[NetworkObjective, Array, Array]:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, network.inputs)) @ rng.normal(size=(network.inputs, network.inputs))
    Y = X[:, :1] * [1.0, -2.0][: network.outputs] + rng.normal(size=(30, network.outputs))
    rows = Rows.filled(network, [(X, Y)], len(X), np.dtype(np.float64), None)
    return NetworkObjective(network, rows, l2=l2), X, Y


def least_squares(X: Array, Y: Array) -> tuple[Vector, float]:
    """The parameters [W b] with the least mean squared error, and that error, by numpy."""
    A = np.column_stack([X, np.ones(len(X))])
    solution = np.linalg.lstsq(A, Y)[0]
    return solution.T.ravel(), float(np.square(A @ solution - Y).mean())


def all_of(network: Network) -> Array:
    return np.arange(network.n_params)


@pytest.mark.parametrize("removed_inputs", [[1], [0, 3]])
def test_a_removal_leads_to_the_least_squares_of_the_other_inputs(
    removed_inputs: list[int],
) -> None:
    objective, X, Y = objective_of(LINEAR)
    params, before = least_squares(X, Y)
    inverse = damped_inverse(hessian(objective.hessian_product, params, all_of(LINEAR)))
    removed = np.sort(LINEAR.matrices(all_of(LINEAR))[0][:, removed_inputs], axis=None)
    after = moved(inverse, params, removed)
    kept = np.delete(np.arange(4), removed_inputs)
    expected, loss = least_squares(X[:, kept], Y)
    assert np.delete(after, removed) == pytest.approx(expected, rel=1e-9)
    assert not after[removed].any()
    assert rise(inverse, params, removed) == pytest.approx(loss - before, rel=1e-9)


def test_the_matrix_is_that_of_differences_of_the_gradient() -> None:
    network = Network((Layer(3, 2, Tanh()), Layer(2, 1, Identity())), Mse())
    objective, _, _ = objective_of(network, l2=0.5)
    params = np.random.default_rng(0).normal(size=network.n_params)
    trained = np.array([0, 2, 5, 8, 10])
    H = hessian(objective.hessian_product, params, trained)
    step = 1e-5 * np.eye(network.n_params)[trained]
    differences = [(objective.grad(params + d) - objective.grad(params - d)) / 2e-5 for d in step]
    assert np.array_equal(H, H.T)
    assert pytest.approx(np.array(differences)[:, trained], rel=1e-6, abs=1e-8) == H


def test_a_direction_that_falls_or_changes_nothing_costs_something() -> None:
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    H = rotation @ np.diag([-4.0, 2.0, 0.0]) @ rotation.T
    found = np.linalg.eigvalsh(damped_inverse(H))
    assert found == pytest.approx([1 / 4, 1 / 2, 1 / 4e-6], rel=1e-6)


@pytest.mark.parametrize(("value", "why"), [(np.nan, "not finite"), (0.0, "are all 0")])
def test_a_matrix_without_information_is_refused(value: float, why: str) -> None:
    with pytest.raises(ArithmeticError, match=why):
        damped_inverse(np.full((2, 2), value))
