from __future__ import annotations

import numpy as np
import pytest
import textbook
from hypothesis import given, settings
from strategies import Problem, problems

from bpcli.nn.activations import Identity, Relu, Sigmoid, Tanh
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import Workspace, backward, forward, loss_sum, predict


@given(problems())
def test_value_and_gradient_are_the_textbooks(problem: Problem) -> None:
    evaluation = problem.objective().value_and_grad(problem.params)
    value, grads = textbook.value_and_grads(
        problem.textbook_layers(),
        problem.X,
        problem.Y,
        problem.loss_name,
        weight=problem.weight,
        l2=problem.l2,
        reduction=problem.reduction,
    )
    assert evaluation.value == pytest.approx(value, rel=1e-12, abs=1e-13)
    found = dict(problem.network.tensors(evaluation.grad))
    for number, (grad_W, grad_b) in enumerate(grads, start=1):
        np.testing.assert_allclose(found[f"W{number}"], grad_W, rtol=1e-9, atol=1e-12)
        if grad_b is not None:
            np.testing.assert_allclose(found[f"b{number}"], grad_b, rtol=1e-9, atol=1e-12)


@given(problems())
def test_predictions_are_the_textbooks(problem: Problem) -> None:
    zs, activations = textbook.forward(problem.textbook_layers(), problem.X)
    Z = problem.objective().outputs(problem.params)
    A = predict(problem.network, problem.params, problem.X)
    np.testing.assert_allclose(Z.T, zs[-1], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(A, activations[-1], rtol=1e-11, atol=1e-13)


@given(problems())
@settings(max_examples=50)
def test_float32_stays_float32_and_close(problem: Problem) -> None:
    single = problem.objective(np.float32).value_and_grad(problem.params.astype(np.float32))
    double = problem.objective().value_and_grad(problem.params)
    assert single.grad.dtype == np.float32
    assert single.value == pytest.approx(double.value, rel=1e-4, abs=1e-5)
    scale = max(1.0, float(np.abs(double.grad).max()))
    np.testing.assert_allclose(single.grad, double.grad, atol=2e-4 * scale)


def test_the_kernel_gives_sums_over_rows() -> None:
    network = Network((Layer(3, 2, Tanh()), Layer(2, 2, Identity())), HalfSquaredError())
    rng = np.random.default_rng(0)
    params = rng.normal(size=network.n_params)
    X, Y = rng.normal(size=(3, 10)), rng.normal(size=(2, 10))
    inputs = np.vstack([X, np.ones(10)])

    def sums(where: slice) -> tuple[float, np.ndarray]:
        work = Workspace(network, params)
        work.fit(inputs[:, where].shape[1])
        forward(work, inputs[:, where])
        backward(work, Y[:, where], None)
        return float(loss_sum(work, Y[:, where], None).real), work.grad

    whole, first, rest = sums(slice(10)), sums(slice(4)), sums(slice(4, 10))
    assert whole[0] == pytest.approx(first[0] + rest[0], rel=1e-14)
    np.testing.assert_allclose(whole[1], first[1] + rest[1], rtol=1e-12)


def test_a_workspace_can_change_its_width_back_and_forth() -> None:
    network = Network((Layer(2, 3, Sigmoid()), Layer(3, 1, Relu())), HalfSquaredError())
    rng = np.random.default_rng(1)
    work = Workspace(network, rng.normal(size=network.n_params))
    inputs = np.vstack([rng.normal(size=(2, 9)), np.ones(9)])
    outputs = []
    for width in (9, 4, 9, 1, 9):
        work.fit(width)
        forward(work, inputs[:, :width])
        outputs.append(work.layers[-1].a.copy())
    for output in outputs:
        np.testing.assert_array_equal(output, outputs[0][:, : output.shape[1]])


def test_rows_with_weight_two_count_twice() -> None:
    rng = np.random.default_rng(2)
    network = Network((Layer(2, 2, Tanh()), Layer(2, 1, Identity())), HalfSquaredError())
    params = rng.normal(size=network.n_params)
    X, Y = rng.normal(size=(5, 2)), rng.normal(size=(5, 1))
    weighted = Problem(network, params, X, Y, np.array([1.0, 2, 1, 1, 2]), 0.0, "mean")
    order = [0, 1, 1, 2, 3, 4, 4]
    repeated = Problem(network, params, X[order], Y[order], None, 0.0, "mean")
    a = weighted.objective().value_and_grad(params)
    b = repeated.objective().value_and_grad(params)
    assert a.value == pytest.approx(b.value, rel=1e-14)
    np.testing.assert_allclose(a.grad, b.grad, rtol=1e-13)


def test_predictions_of_several_blocks_are_those_of_each_row() -> None:
    network = Network((Layer(2, 3, Tanh()), Layer(3, 1, Sigmoid())), HalfSquaredError())
    rng = np.random.default_rng(0)
    params, X = rng.normal(size=network.n_params), rng.normal(size=(2000, 2))
    whole, some = predict(network, params, X), predict(network, params, X[1500:1600])
    np.testing.assert_allclose(whole[1500:1600], some, rtol=1e-12)
