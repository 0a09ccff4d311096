from __future__ import annotations

from collections.abc import Sequence
from math import cos, exp, log, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

from bpcli.optimizers.decays import Cosine, Exponential, InverseTime, Step
from bpcli.optimizers.schedules import EpochSchedule

decays = st.floats(0, 1, exclude_min=True, exclude_max=True)
schedules = st.one_of(
    st.builds(Step, st.floats(1e-6, 10), decays, st.integers(1, 10**6)),
    st.builds(Exponential, st.floats(1e-6, 10), decays),
    st.builds(Cosine, st.floats(1e-6, 10), epochs=st.integers(1, 10**6)),
    st.builds(
        InverseTime,
        st.floats(1e-6, 10),
        st.floats(0, 1e300, exclude_min=True),
        st.floats(0, 100, exclude_min=True),
    ),
)


@given(schedules, st.lists(st.integers(0, 10**7)))
def test_a_rate_begins_at_its_start_and_never_rises(
    schedule: EpochSchedule, epochs: list[int]
) -> None:
    rates = [schedule.rate(epoch) for epoch in [0, *sorted(epochs)]]
    assert rates[0] == schedule.start
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] >= 0


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (Step(0.8, factor=0.5, every=2), [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1]),
        (Step(0.8, factor=0.1, every=1), [0.8, 0.08, 0.008]),
        (Exponential(2.0, decay=0.5), [2, 1, 0.5, 0.25]),
        (Cosine(1.0, epochs=4), [1, (1 + sqrt(0.5)) / 2, 0.5, (1 - sqrt(0.5)) / 2, 0, 0, 0]),
        (Cosine(1.0, end=0.6, epochs=2), [1, 0.8, 0.6, 0.6]),
        (Cosine(0.1, end=0.5, epochs=3), [0.1, 0.2, 0.4, 0.5]),
        (InverseTime(3.0, decay=0.5), [3, 2, 1.5, 1.2, 1]),
        (InverseTime(6.0, decay=3.0, power=0.5), [6, 3, 6 / sqrt(7), 6 / sqrt(10)]),
    ],
)
def test_rates_by_hand(schedule: EpochSchedule, rates: Sequence[float]) -> None:
    found = [schedule.rate(epoch) for epoch in range(len(rates))]
    np.testing.assert_allclose(found, rates, rtol=1e-15, atol=1e-16)


@given(st.integers(0, 10**12), st.floats(1e-6, 10))
def test_rates_at_any_epoch_are_the_formulas_in_another_form(epoch: int, start: float) -> None:
    found = Exponential(start, decay=1 - 1e-9).rate(epoch)
    assert found == pytest.approx(start * exp(epoch * log(1 - 1e-9)), rel=1e-9, abs=1e-300)
    found = Cosine(start, epochs=10**12).rate(epoch)
    assert found == pytest.approx(start * cos(pi * epoch / 2e12) ** 2, rel=1e-9, abs=1e-12)
    assert InverseTime(start, decay=0.5).rate(epoch) == pytest.approx(2 * start / (2 + epoch))
    fallen = Step(start, factor=0.5, every=10**9).rate(epoch)
    assert fallen == start / 2 ** (epoch // 10**9)


@given(st.integers(1, 1000), st.floats(1e-3, 3), st.lists(st.integers(1, 10**6), max_size=5))
def test_a_decay_of_the_rows_per_epoch_is_invscaling(
    rows: int, power: float, epochs: list[int]
) -> None:
    theirs = SGDOptimizer([], 0.3, "invscaling", power_t=power)
    for epoch in epochs:
        theirs.iteration_ends(epoch * rows)
        assert InverseTime(0.3, decay=rows, power=power).rate(epoch) == theirs.learning_rate


def test_a_rate_too_small_for_a_number_is_zero() -> None:
    assert Exponential(0.1, decay=0.5).rate(10**12) == 0
    assert Step(0.1, factor=0.5, every=1).rate(10**12) == 0
    assert InverseTime(0.1, decay=1e300, power=2).rate(1) == 0


def test_the_cosine_lasts_as_long_as_the_training_unless_it_is_told() -> None:
    assert Cosine(1.0).over(50) == Cosine(1.0, epochs=50)
    assert Cosine(1.0, epochs=20).over(50) == Cosine(1.0, epochs=20)
    assert Cosine(1.0, end=0.5).over(0).rate(0) == 1


@pytest.mark.parametrize(
    "schedule", [Step(0.5, 0.5, every=3), Exponential(0.5, decay=0.9), InverseTime(0.5, decay=0.25)]
)
def test_the_others_do_not_ask_how_long_the_training_is(schedule: EpochSchedule) -> None:
    assert schedule.over(50) == schedule
