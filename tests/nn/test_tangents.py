"""The derivative of the outputs along a direction, against the complex step of the forward pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import Problem, problems

from bpcli.nn.activations import ACTIVATIONS, Identity, Maxout, Tanh
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import Workspace, backward_from_top, forward_rows, predict
from bpcli.nn.tangents import gauss_newton_backward, output_tangents, tangent_storage


def after_forward(problem: Problem) -> Workspace:
    work = Workspace(problem.network, problem.params)
    forward_rows(work, problem.X)
    return work


def tangents(work: Workspace, v: np.ndarray) -> np.ndarray:
    """J v as a copy, from memory that holds no zeros."""
    storage = tangent_storage(work.network, work.samples, v.dtype)
    storage[...] = np.nan
    return output_tangents(work, work.network.matrices(v), storage).copy()


def direction_of(problem: Problem, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=problem.network.n_params)


def by_complex_step(problem: Problem, v: np.ndarray) -> np.ndarray:
    return predict(problem.network, problem.params + 1e-30j * v, problem.X).imag.T / 1e-30


@given(problems())
def test_it_is_the_complex_step_along_the_direction(problem: Problem) -> None:
    v = direction_of(problem)
    found, expected = tangents(after_forward(problem), v), by_complex_step(problem, v)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("bias", ["trained", "frozen", "none"])
def test_for_every_activation_in_every_layer(name: str, bias: str) -> None:
    """Frozen biases have tangents like others: only an objective knows that they do not move."""
    rng = np.random.default_rng(0)
    kind = ACTIVATIONS[name]()
    layers = (Layer(3, 4, kind, bias), Layer(4, 3, kind, bias), Layer(3, 2, kind, bias))
    network = Network(layers, HalfSquaredError())
    params, X = rng.normal(0, 0.4, network.n_params), rng.normal(size=(7, 3))
    problem = Problem(network, params, X, np.zeros((7, 2)), None, 0.0, "mean")
    v = direction_of(problem)
    np.testing.assert_allclose(
        tangents(after_forward(problem), v), by_complex_step(problem, v), rtol=1e-12, atol=1e-14
    )


def test_maxout_of_many_pieces_needs_more_rows_than_units() -> None:
    rng = np.random.default_rng(0)
    layers = (Layer(3, 2, Maxout(5)), Layer(2, 4, Tanh()), Layer(4, 1, Maxout(3)))
    network = Network(layers, HalfSquaredError())
    params, X = rng.normal(size=network.n_params), rng.normal(size=(6, 3))
    problem = Problem(network, params, X, np.zeros((6, 1)), None, 0.0, "mean")
    v = direction_of(problem)
    np.testing.assert_allclose(
        tangents(after_forward(problem), v), by_complex_step(problem, v), rtol=1e-12
    )


@given(problems())
def test_the_backward_sweep_is_its_transpose(problem: Problem) -> None:
    """Vᵀ (Jᵀ U) = Uᵀ (J v) for any U (outputs, rows)."""
    work, v = after_forward(problem), direction_of(problem)
    U = np.random.default_rng(1).normal(size=(problem.network.outputs, len(problem.X)))
    forwards = (U * tangents(work, v)).sum()
    top = work.layers[-1]
    top.activation.pullback(top.z, top.a, U, top.delta)
    backward_from_top(work)
    size = np.abs(v * work.grad).sum()
    np.testing.assert_allclose(v.dot(work.grad), forwards, rtol=1e-12, atol=1e-13 * size)


def test_it_is_linear_and_changes_nothing_in_the_workspace() -> None:
    rng = np.random.default_rng(0)
    network = Network((Layer(3, 4, Tanh()), Layer(4, 2, Identity())), HalfSquaredError())
    problem = Problem(
        network, rng.normal(size=26), rng.normal(size=(5, 3)), np.zeros((5, 2)), None, 0.0, "mean"
    )
    work = after_forward(problem)
    before = [(layer.z.copy(), layer.a.copy()) for layer in work.layers]
    v, w = direction_of(problem, 1), direction_of(problem, 2)
    np.testing.assert_allclose(
        tangents(work, 2 * v - w), 2 * tangents(work, v) - tangents(work, w), atol=1e-13
    )
    for layer, (z, a) in zip(work.layers, before, strict=True):
        np.testing.assert_array_equal(layer.z, z)
        np.testing.assert_array_equal(layer.a, a)


@given(problems())
@settings(max_examples=50)
def test_row_weights_enter_a_product_once(problem: Problem) -> None:
    weight = np.random.default_rng(3).uniform(0, 2, len(problem.X))
    v, total = direction_of(problem), np.zeros(problem.network.n_params)
    for row, each in enumerate(weight):
        one = replace(problem, X=problem.X[row : row + 1])
        total += each * product(one, v, None)
    np.testing.assert_allclose(product(problem, v, weight), total, rtol=1e-9, atol=1e-11)


def product(problem: Problem, v: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    work = after_forward(problem)
    storage = tangent_storage(work.network, work.samples, v.dtype)
    gauss_newton_backward(work, work.network.matrices(v), weight, storage)
    return work.grad
