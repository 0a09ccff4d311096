"""Updates with their numbers, which come from the code that trains."""

from __future__ import annotations

import numpy as np
import pytest
from builds import MOONS, built
from hypothesis import given, settings
from strategies import Problem, problems
from textbook import DF, DLOSS, value_and_grads

from bpcli.errors import Diverged
from bpcli.nn.activations import Maxout, Softmax, Tanh
from bpcli.nn.arrays import Vector
from bpcli.nn.network import Layer
from bpcli.optimizers import OPTIMIZERS, GradientDescent, Optimizer
from bpcli.optimizers.plateau import Plateau
from bpcli.optimizers.schedules import LearningRate
from bpcli.trace.updates import (
    Forward,
    is_layerwise,
    slots,
    trace_forward,
    trace_pass,
    trace_updates,
)
from bpcli.training.batches import Batches
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training


def training(
    objective: NetworkObjective,
    optimizer: Optimizer,
    params: Vector,
    rate: LearningRate | None = 0.1,
) -> Training:
    return Training(
        objective, optimizer, params, learning_rate=rate, batches=Batches(),
        rng=np.random.default_rng(0),
    )  # fmt: skip


@settings(max_examples=40)
@given(problems(most_rows=5))
def test_a_pass_has_the_objective_and_the_gradient_of_a_textbook(problem: Problem) -> None:
    one = trace_pass(problem.objective(), problem.params)
    value, grads = value_and_grads(
        problem.textbook_layers(), problem.X, problem.Y, problem.loss_name,
        weight=problem.weight, l2=problem.l2, reduction=problem.reduction,
    )  # fmt: skip
    assert one.loss.objective == pytest.approx(value, rel=1e-9)
    weight = np.ones(len(problem.X)) if problem.weight is None else problem.weight
    assert one.loss.total == pytest.approx(float(one.loss.per_row @ weight), rel=1e-12)
    scale = (len(problem.X) if problem.reduction == "sum" else 1) / weight.sum()
    assert one.loss.penalty == pytest.approx(value - scale * one.loss.total, rel=1e-6, abs=1e-9)
    for number, (W, b) in enumerate(grads, start=1):
        np.testing.assert_allclose(one.grad[f"W{number}"], W, rtol=1e-7, atol=1e-9)
        assert (b is None) == (f"b{number}" not in one.grad)


@settings(max_examples=40)
@given(problems(most_rows=5))
def test_each_layer_has_what_the_one_below_gave_and_what_the_one_above_sends_back(
    problem: Problem,
) -> None:
    one = trace_pass(problem.objective(), problem.params)
    np.testing.assert_array_equal(one.forward[0].below, problem.X.T)
    for below, above in zip(one.forward, one.forward[1:]):  # noqa: B905
        np.testing.assert_array_equal(above.below, below.a)
    for layer in one.forward:
        bias = 0 if layer.b is None else layer.b[:, np.newaxis]
        np.testing.assert_allclose(layer.z, layer.W @ layer.below + bias, rtol=1e-9, atol=1e-12)
    for number, down in enumerate(one.backward[:-1]):
        assert down.grad_a is not None
        sent = one.forward[number + 1].W.T @ one.backward[number + 1].delta
        np.testing.assert_allclose(down.grad_a, sent, rtol=1e-7, atol=1e-10)
    if not problem.network.loss.is_canonical:
        by_a = DLOSS[problem.loss_name](one.forward[-1].a.T, problem.Y).T
        weighted = by_a * (1 if problem.weight is None else problem.weight)
        np.testing.assert_allclose(one.backward[-1].grad_a, weighted, rtol=1e-9, atol=1e-12)
    for layer, down in zip(one.forward, one.backward, strict=True):
        by_W = down.delta @ layer.below.T
        np.testing.assert_allclose(down.loss_by_W, by_W, rtol=1e-7, atol=1e-10)
        if down.loss_by_b is not None:
            by_b = down.delta.sum(axis=1)
            np.testing.assert_allclose(down.loss_by_b, by_b, rtol=1e-7, atol=1e-10)
    found = trace_forward(problem.network, problem.params, problem.X)
    for layer, again in zip(one.forward, found, strict=True):
        np.testing.assert_array_equal(again.a, layer.a)


def test_a_slope_is_of_elementwise_activations_alone() -> None:
    z = np.array([[0.5, -1.0], [2.0, 0.0]])

    def layer(activation: object, a: np.ndarray) -> Forward:
        rows = len(a)
        kind = Layer(1, rows, activation)  # type: ignore[arg-type]
        return Forward(kind, np.ones((2, 1)), None, np.ones((1, 2)), z, a)

    slope = layer(Tanh(), np.tanh(z)).slope
    assert slope is not None
    np.testing.assert_allclose(slope, DF["tanh"](z), rtol=1e-14)
    assert layer(Softmax(), z).slope is None
    assert layer(Maxout(2), z[:1]).slope is None


@settings(max_examples=25)
@given(problems(most_rows=4))
def test_updates_are_the_steps_of_the_training_loop(problem: Problem) -> None:
    optimizer = GradientDescent(momentum=0.5)
    objective = problem.objective()
    course = training(objective, optimizer, problem.params)
    first, second = trace_updates(course, optimizer, 2)
    np.testing.assert_array_equal(second.before.params, first.after.params)
    np.testing.assert_array_equal(second.after.params, course.advance(course.start, 2).params)
    assert first.objective_after == second.passes[0].loss.objective
    assert first.ended is None


def test_layer_by_layer_each_pass_moves_one_layer_at_what_is_new_above() -> None:
    experiment = built(MOONS)
    optimizer = GradientDescent(update="layerwise")
    course = training(experiment.objective(), optimizer, experiment.initial_params)
    (update,) = trace_updates(course, optimizer, 1)
    assert [one.moves for one in update.passes] == [(2,), (1,)]
    assert [update.pass_of(layer).moves for layer in (1, 2)] == [(1,), (2,)]
    before, after = (
        dict(experiment.network.tensors(state.params)) for state in (update.before, update.after)
    )
    upper, lower = update.passes
    np.testing.assert_array_equal(upper.forward[1].W, before["W2"])
    np.testing.assert_array_equal(lower.forward[1].W, after["W2"])
    np.testing.assert_array_equal(lower.forward[0].W, before["W1"])
    expected = before["W1"] - 0.1 * lower.grad["W1"]
    np.testing.assert_allclose(after["W1"], expected, rtol=1e-12, atol=1e-15)


def test_only_gradient_descent_goes_layer_by_layer() -> None:
    assert is_layerwise(GradientDescent(update="layerwise"))
    assert not is_layerwise(GradientDescent())
    assert not is_layerwise(OPTIMIZERS["adam"]())


def test_updates_end_with_the_one_that_found_no_step() -> None:
    experiment = built(MOONS)
    optimizer = OPTIMIZERS["bfgs"]()
    course = training(experiment.objective(), optimizer, experiment.initial_params, None)
    updates = [*trace_updates(course, optimizer, 5000)]
    *made, last = updates
    assert last.ended is not None
    assert not any(update.ended for update in made)
    assert all(update.is_made for update in made)
    assert not last.is_made
    np.testing.assert_array_equal(last.after.params, last.before.params)


def test_updates_end_with_the_one_after_which_the_rate_is_too_small() -> None:
    experiment = built(MOONS)
    optimizer = GradientDescent()
    rate = Plateau(0.1, factor=0.1, epochs=1, tol=9.0, end=0.05)
    course = training(experiment.objective(), optimizer, experiment.initial_params, rate)
    *_, last = updates = [*trace_updates(course, optimizer, 50)]
    assert len(updates) == 5  # of which the first improves, and the third reduces the rate
    assert last.ended is not None
    assert all(update.is_made for update in updates)


def test_a_loss_that_is_not_finite_is_said_with_the_update() -> None:
    experiment = built(MOONS.replace("binary_cross_entropy", "mse").replace("sigmoid", "identity"))
    optimizer = GradientDescent()
    start = experiment.initial_params
    fast = training(experiment.objective(), optimizer, start, 1e300)
    with np.errstate(all="ignore"), pytest.raises(Diverged) as caught:
        [*trace_updates(fast, optimizer, 9)]
    assert str(caught.value).startswith("The loss after update 1 is not finite: check the scale")
    assert "and `training.learning_rate`" in str(caught.value)
    broken = training(experiment.objective(), optimizer, start * np.nan)
    with pytest.raises(Diverged, match=r"^The loss with these parameters is not finite"):
        [*trace_updates(broken, optimizer, 1)]


def test_slots_are_the_vectors_of_the_parameters_size() -> None:
    network = built(MOONS).network
    state = {
        "m": np.arange(float(network.n_params)),
        "steps": np.asarray(3),
        "pairs": np.zeros((2, network.n_params)),
    }
    found = slots(network, state)
    assert {*found} == {"m"}
    assert {*found["m"]} == {"W1", "b1", "W2", "b2"}
    np.testing.assert_array_equal(found["m"]["W1"], [[0, 1], [3, 4], [6, 7]])
