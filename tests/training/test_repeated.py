from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Problem, problems

from bpcli.engine.rows import Rows
from bpcli.engine.sums import RowSums
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Bias, Layer, Network
from bpcli.nn.propagation import Workspace, backward
from bpcli.optimizers import GradientDescent, Optimizer
from bpcli.optimizers.adam import Adam
from bpcli.optimizers.decays import Exponential
from bpcli.optimizers.rprop import Rprop
from bpcli.optimizers.schedules import LearningRate
from bpcli.training.batches import Batches
from bpcli.training.loop import Training
from bpcli.training.objective import Objective
from bpcli.training.repeated import RepeatedStep

DESCENTS = [
    GradientDescent(),
    GradientDescent(momentum=0.9),
    GradientDescent(momentum=0.5, nesterov=True),
]
RATES: list[LearningRate] = [0.05, Exponential(0.1, decay=0.7)]


def training(
    objective: Objective, optimizer: Optimizer, params: np.ndarray, rate: LearningRate
) -> Training:
    return Training(
        objective,
        optimizer,
        params,
        learning_rate=rate,
        batches=Batches(),
        rng=np.random.default_rng(0),
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(problem=problems(), optimizer=st.sampled_from(DESCENTS), rate=st.sampled_from(RATES))
@settings(max_examples=150, deadline=None)
def test_many_steps_at_once_are_the_same_steps_to_the_bit(
    problem: Problem, optimizer: GradientDescent, rate: LearningRate, dtype: type
) -> None:
    params = problem.params.astype(dtype)
    assert problem.objective(dtype).recorded is not None
    at_once = training(problem.objective(dtype), optimizer, params, rate)
    by_one = training(problem.objective(dtype), optimizer, params, rate)
    here = by_one.start
    with np.errstate(all="ignore"):  # some diverge: they do so alike
        there = at_once.advance(at_once.advance(at_once.start, 3), 5)
        for _ in range(8):
            here = by_one.advance(here, 1)
    assert there.number == here.number == 8
    np.testing.assert_array_equal(there.params, here.params)
    assert there.state.keys() == here.state.keys() == optimizer.init(params).keys()
    for name in here.state:
        np.testing.assert_array_equal(there.state[name], here.state[name])


def small(bias: Bias = "trained", rows: int = 30, **options: object) -> Objective:
    network = Network((Layer(2, 3, Tanh(), bias), Layer(3, 1, Identity())), HalfSquaredError())
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(rows, 2)), rng.normal(size=(rows, 1))
    return Objective(network, Rows.of(network, X, Y, np.dtype(float)), **options)


@pytest.mark.parametrize("optimizer", DESCENTS)
@pytest.mark.parametrize(
    "objective", [small(), small("none"), small(l2=0.1), small(reduction="sum"), small(rows=1)]
)
def test_gradient_descent_over_a_block_is_recorded(
    optimizer: GradientDescent, objective: Objective
) -> None:
    state = optimizer.init(np.zeros(objective.network.n_params))
    assert RepeatedStep.of(objective, optimizer, state) is not None


def wrong(work: Workspace, y: np.ndarray, row_weight: np.ndarray | None) -> None:
    backward(work, y, row_weight)


class Watching(Objective):
    """Its `grad` must be asked for."""


@pytest.mark.parametrize(
    ("objective", "optimizer"),
    [
        (small("frozen"), GradientDescent()),
        (small(backward=wrong), GradientDescent()),
        (small(rows=5000), GradientDescent()),
        (small().rows(np.arange(5)), GradientDescent()),
        (small().like(Watching), GradientDescent()),
        (small(), GradientDescent(update="layerwise")),
        (small(), Adam()),
        (small(), Rprop()),
    ],
)
def test_what_is_more_than_a_recorded_pass_is_not(
    objective: Objective, optimizer: Optimizer
) -> None:
    params = np.full(objective.network.n_params, 0.1)
    assert RepeatedStep.of(objective, optimizer, optimizer.init(params)) is None
    of = training(objective, optimizer, params, 0.05)
    assert of.advance(of.start, 3).number == 3


def test_positions_stay_as_they_are() -> None:
    of = training(small(), GradientDescent(momentum=0.9), np.full(13, 0.1), 0.05)
    first = of.advance(of.start, 4)
    params, velocity = first.params.copy(), first.state["velocity"].copy()
    second = of.advance(first, 4)
    np.testing.assert_array_equal(first.params, params)
    np.testing.assert_array_equal(first.state["velocity"], velocity)
    np.testing.assert_array_equal(of.advance(first, 4).params, second.params)
    assert of.objective.value(second.params) < of.objective.value(first.params)


def test_a_gradient_that_is_known_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    of = training(small(), GradientDescent(), np.full(13, 0.1), 0.05)
    here = of.advance(of.start, 2)
    expected = of.advance(here, 3).params
    of.objective.value_and_grad(here.params)
    monkeypatch.delattr(RowSums, "grad")
    np.testing.assert_array_equal(of.advance(here, 3).params, expected)
