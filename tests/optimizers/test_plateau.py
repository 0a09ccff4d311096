"""The learning rate of a plateau: scikit-learn's `learning_rate="adaptive"`, epoch by epoch."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

from bpcli.optimizers import StepFailed
from bpcli.optimizers.plateau import Plateau

losses = st.lists(st.floats(-3, 3) | st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.25]), max_size=60)
tols = st.sampled_from([0.0, 1e-4, 0.25, 1.0])


def rates(schedule: Plateau, losses: list[float]) -> tuple[list[float], bool]:
    """The rate after each epoch, and whether the last of them ended training."""
    state, found = schedule.init(), []
    for loss in losses:
        try:
            state = schedule.update(state, loss)
        except StepFailed:
            return [*found, schedule.rate_in(state)], True
        found.append(schedule.rate_in(state))
    return found, False


def rates_of_scikit_learn(schedule: Plateau, losses: list[float]) -> tuple[list[float], bool]:
    """The loop of `_fit_stochastic`, with scikit-learn's optimizer; it always divides by 5."""
    optimizer = SGDOptimizer([], schedule.start, "adaptive")
    best, count, found = math.inf, 0, []
    for loss in losses:
        count = count + 1 if loss > best - schedule.tol else 0
        best = min(best, loss)
        if count > schedule.epochs:
            if optimizer.trigger_stopping("", False):
                return [*found, optimizer.learning_rate], True
            count = 0
        found.append(optimizer.learning_rate)
    return found, False


@given(losses, tols, st.integers(1, 4), st.sampled_from([1e-6, 3e-6, 2e-5, 0.1]))
def test_it_reduces_and_ends_when_scikit_learn_does(
    losses: list[float], tol: float, epochs: int, start: float
) -> None:
    schedule = Plateau(start, epochs=epochs, tol=tol)
    found, has_ended = rates(schedule, losses)
    expected, should_end = rates_of_scikit_learn(schedule, losses)
    assert (len(found), has_ended) == (len(expected), should_end)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_rates_by_hand() -> None:
    schedule = Plateau(0.8, factor=0.5, epochs=1, tol=0.1, end=0.2)
    # 0.95 is not 0.1 below 1, and 0.9 not below 0.95, which is the lowest by then; 0.5 is.
    found, has_ended = rates(schedule, [1, 0.95, 0.9, 0.5, 0.5, 0.5, 0.6, 0.7, 0.1])
    assert (found, has_ended) == ([0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2], True)


def test_its_end_is_one_sentence_with_the_numbers() -> None:
    schedule = Plateau(1e-7, epochs=1, tol=0.5)
    state = schedule.update(schedule.update(schedule.init(), 1.0), 1.0)
    with pytest.raises(StepFailed) as caught:
        schedule.update(state, 1.0)
    assert caught.value.reason == "smallest_rate"
    assert str(caught.value) == (
        "The loss did not fall by 0.5 in 2 epochs in a row, and the learning rate 1e-07 is "
        "already at or below its `end`, 1e-06."
    )


def test_its_states_are_within_their_bounds_and_a_loss_of_nan_is_not_the_lowest() -> None:
    schedule = Plateau(0.5, epochs=1)
    states = [schedule.init()]
    for loss in (2.0, math.nan, 1.0, 1.0, 1.0):
        states.append(schedule.update(states[-1], loss))
    assert [float(state["lowest"]) for state in states] == [math.inf, 2, 2, 1, 1, 1]
    for state in states:
        assert state.keys() == schedule.bounds.keys()
        for name, (low, high) in schedule.bounds.items():
            assert low <= state[name] <= high
