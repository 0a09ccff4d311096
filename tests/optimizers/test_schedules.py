from __future__ import annotations

from math import prod

import numpy as np
import pytest

from bpcli.engine.rows import Rows
from bpcli.errors import Diverged
from bpcli.nn.activations import Identity
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import OPTIMIZERS, GradientDescent, Optimizer
from bpcli.optimizers.decays import Cosine, Exponential, InverseTime, Step
from bpcli.optimizers.schedules import SCHEDULES, Schedule, rate_at, rate_record
from bpcli.training.batches import Batches
from bpcli.training.loop import Training, TrainState, train_epochs
from bpcli.training.objective import NetworkObjective

EXAMPLES: list[Schedule] = [
    Step(0.5, factor=0.5, every=3),
    Exponential(0.5, decay=0.9),
    Cosine(0.5, end=0.01, epochs=8),
    InverseTime(0.5, decay=0.25),
]


def test_there_is_an_example_of_every_schedule() -> None:
    assert [type(schedule) for schedule in EXAMPLES] == list(SCHEDULES.values())


def test_a_number_is_the_rate_of_every_epoch() -> None:
    assert [rate_at(0.3, epoch) for epoch in (0, 7)] == [0.3, 0.3]
    assert rate_at(None, 7) is None
    assert rate_at(InverseTime(1.0, decay=1.0), 3) == 0.25


def test_a_rate_is_recorded_as_a_config_spells_it() -> None:
    assert (rate_record(0.3), rate_record(None)) == (0.3, None)
    schedule = {"schedule": "inverse_time", "start": 1.0, "decay": 0.5}
    assert rate_record(InverseTime(1.0, decay=0.5)) == schedule


# Training by a schedule.

ONE_WEIGHT = Network((Layer(1, 1, Identity(), "none"),), HalfSquaredError())


def training(
    learning_rate: float | Schedule | None,
    optimizer: Optimizer | None = None,
    *,
    dtype: type = float,
    batches: Batches = Batches(),  # noqa: B008  # frozen
) -> Training:
    """Of w, to be 0: as the input is 1 and the target 0, the gradient is w itself."""
    rows = Rows.of(ONE_WEIGHT, np.ones((4, 1)), np.zeros((4, 1)), np.dtype(dtype))
    return Training(
        NetworkObjective(ONE_WEIGHT, rows),
        optimizer or GradientDescent(),
        np.ones(1, dtype),
        learning_rate=learning_rate,
        batches=batches,
        rng=np.random.default_rng(0),
    )


@pytest.mark.parametrize("schedule", EXAMPLES)
@pytest.mark.parametrize("batches", [Batches(), Batches(2)])
def test_each_epoch_is_made_of_steps_at_its_own_rate(schedule: Schedule, batches: Batches) -> None:
    course, steps = training(schedule, batches=batches), 1 if batches.is_full else 2
    for epochs in range(12):
        w = prod((1 - schedule.rate(epoch)) ** steps for epoch in range(epochs))
        found = course.advance(course.start, epochs).params
        np.testing.assert_allclose(found, w, rtol=1e-13)


@pytest.mark.parametrize("schedule", EXAMPLES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_way_on_depends_on_the_epoch_alone(schedule: Schedule, dtype: type) -> None:
    adam = OPTIMIZERS["adam"]()
    whole = training(schedule, adam, dtype=dtype)
    there = whole.advance(whole.start, 11)
    begun = training(schedule, adam, dtype=dtype)
    middle = begun.advance(begun.start, 4)
    later = training(schedule, adam, dtype=dtype).advance(TrainState(*middle), 7)
    assert there.params.dtype == dtype
    np.testing.assert_array_equal(later.params, there.params)


def test_a_record_shows_the_rate_of_the_step_to_come() -> None:
    schedule = Step(0.5, factor=0.5, every=2)
    records = list(train_epochs(training(schedule), 4))
    assert [record.diagnostics["learning_rate"] for record in records] == [
        0.5,
        0.5,
        0.25,
        0.25,
        0.125,
    ]
    steps = [1 - after.params / before.params for before, after in zip(records, records[1:])]  # noqa: B905, RUF007
    np.testing.assert_allclose(steps, [[0.5], [0.5], [0.25], [0.25]])


def test_what_diverges_is_advised_on_the_schedules_start() -> None:
    schedule = Exponential(1e200, decay=0.99)
    advice = r"`training.learning_rate.start`, such as 1e\+199 instead of 1e\+200"
    with np.errstate(over="ignore"), pytest.raises(Diverged, match=advice):
        list(train_epochs(training(schedule), 10))
