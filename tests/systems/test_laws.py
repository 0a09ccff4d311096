"""Laws that hold for any data: two ways to the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from descents import step
from hypothesis import given
from hypothesis import strategies as st
from systems import trained

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Sigmoid, Softmax
from bpcli.nn.losses import BinaryCrossEntropy, CrossEntropy, HalfSquaredError, Mse, SquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import GradientDescent
from bpcli.training.objective import NetworkObjective

seeds = st.integers(0, 2**32 - 1)


def objective(
    network: Network, X: np.ndarray, Y: np.ndarray, **options: object
) -> NetworkObjective:
    return NetworkObjective(network, Rows.of(network, X, Y, np.dtype(float)), **options)


@given(seeds)
def test_two_class_softmax_regression_is_logistic_regression(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(9, 3)), rng.integers(0, 2, (9, 1)).astype(float)
    one = objective(Network((Layer(3, 1, Sigmoid()),), BinaryCrossEntropy()), X, y)
    two = objective(Network((Layer(3, 2, Softmax()),), CrossEntropy()), X, np.hstack([1 - y, y]))
    w, base = rng.normal(size=4), rng.normal(size=4)
    single, double = one.value_and_grad(w), two.value_and_grad(np.concatenate([base, base + w]))
    np.testing.assert_allclose(double.value, single.value, rtol=1e-12)
    np.testing.assert_allclose(
        double.grad.reshape(2, 4), [-single.grad, single.grad], rtol=1e-9, atol=1e-13
    )


@given(seeds)
def test_one_vector_added_to_every_classs_weights_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(9, 3)), np.eye(4)[rng.integers(0, 4, 9)]
    fit = objective(Network((Layer(3, 4, Softmax()),), CrossEntropy()), X, Y)
    params, shift = rng.normal(size=(4, 4)), rng.normal(size=4)
    before, after = fit.value_and_grad(params.ravel()), fit.value_and_grad((params + shift).ravel())
    np.testing.assert_allclose(after.value, before.value, rtol=1e-12)
    np.testing.assert_allclose(after.grad, before.grad, rtol=1e-9, atol=1e-13)


@given(seeds)
def test_the_squared_errors_differ_by_their_factors_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, Y, params = rng.normal(size=(5, 2)), rng.normal(size=(5, 3)), rng.normal(size=9)
    values = [
        objective(Network((Layer(2, 3, Identity()),), loss()), X, Y).value(params)
        for loss in (Mse, HalfSquaredError, SquaredError)
    ]
    np.testing.assert_allclose(np.array(values) * [6, 4, 2], 2 * values[2], rtol=1e-13)


@given(seeds, st.sampled_from([0.0, 0.2]))
def test_sum_is_n_times_mean_for_the_whole_objective(seed: int, l2: float) -> None:
    rng = np.random.default_rng(seed)
    X, Y, params = rng.normal(size=(7, 2)), rng.normal(size=(7, 3)), rng.normal(size=9)
    network = Network((Layer(2, 3, Identity()),), Mse())
    mean = objective(network, X, Y, l2=l2).value_and_grad(params)
    total = objective(network, X, Y, l2=l2, reduction="sum").value_and_grad(params)
    np.testing.assert_allclose(total.value, 7 * mean.value, rtol=1e-13)
    np.testing.assert_allclose(total.grad, 7 * mean.grad, rtol=1e-12, atol=1e-14)


@given(seeds)
def test_summed_mini_batches_of_an_epoch_make_the_whole_objective(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, Y, params = rng.normal(size=(7, 2)), rng.normal(size=(7, 3)), rng.normal(size=9)
    network = Network((Layer(2, 3, Identity()),), Mse())
    whole = objective(network, X, Y, l2=0.3, reduction="sum")
    order = rng.permutation(7)
    batches = [whole.rows(order[start : start + 3]) for start in (0, 3, 6)]
    total = sum(batch.value_and_grad(params).grad for batch in batches)
    np.testing.assert_allclose(total, whole.value_and_grad(params).grad, rtol=1e-11, atol=1e-13)


@given(seeds)
def test_a_linear_units_gradient_step_is_the_normal_equations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))
    fit = objective(Network((Layer(2, 1, Identity()),), HalfSquaredError()), X, y, l2=0.6)
    params = rng.normal(size=3)
    stepped, _ = step(GradientDescent(), fit, params, {}, 0.1)
    design = np.column_stack([X, np.ones(6)])
    grad = design.T @ (design @ params - y[:, 0]) / 6 + 0.6 / 6 * params * [1, 1, 0]
    np.testing.assert_allclose(stepped, params - 0.1 * grad, rtol=1e-12)


def test_a_permutation_of_hidden_units_changes_nothing_but_their_order(tmp_path: Path) -> None:
    first = trained(tmp_path, "xor", training__epochs=50)
    order = np.array([2, 0, 3, 1])
    W1, b1, W2, b2 = (first.initial[name] for name in ("W1", "b1", "W2", "b2"))
    layers = [
        {"weights": W1[order].tolist(), "bias": b1[order].tolist()},
        {"weights": W2[:, order].tolist(), "bias": b2.tolist()},
    ]
    second = trained(tmp_path, "xor", training__epochs=50, network__parameters=layers)
    np.testing.assert_allclose(second.tensors["W1"], first.tensors["W1"][order], rtol=1e-10)
