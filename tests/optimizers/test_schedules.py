from __future__ import annotations

from collections.abc import Iterable
from math import prod

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from bpcli.engine.rows import Rows
from bpcli.errors import Diverged
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import OPTIMIZERS, GradientDescent, Optimizer
from bpcli.optimizers.decays import Cosine, Exponential, InverseTime, Step
from bpcli.optimizers.plateau import Plateau
from bpcli.optimizers.schedules import (
    SCHEDULES,
    EpochSchedule,
    Schedule,
    first_rate,
    rate_at,
    rate_record,
)
from bpcli.training.batches import Batches
from bpcli.training.loop import train_epochs
from bpcli.training.objective import NetworkObjective
from bpcli.training.state import TrainState
from bpcli.training.steps import Training

EXAMPLES: list[EpochSchedule] = [
    Step(0.5, factor=0.5, every=3),
    Exponential(0.5, decay=0.9),
    Cosine(0.5, end=0.01, epochs=8),
    InverseTime(0.5, decay=0.25, power=1.5),
]
PLATEAU = Plateau(0.5, factor=0.5, epochs=1, tol=0.1, end=0.1)


def test_there_is_an_example_of_every_schedule() -> None:
    assert [type(schedule) for schedule in (*EXAMPLES, PLATEAU)] == list(SCHEDULES.values())


def test_a_number_is_the_rate_of_every_epoch() -> None:
    assert [rate_at(0.3, epoch, {}) for epoch in (0, 7)] == [0.3, 0.3]
    assert rate_at(None, 7, {}) is None
    assert rate_at(InverseTime(1.0, decay=1.0), 3, {}) == 0.25


def test_a_rate_on_a_plateau_depends_on_its_state_alone() -> None:
    reduced = {**PLATEAU.init(), "reductions": np.asarray(2)}
    assert [rate_at(PLATEAU, epoch, reduced) for epoch in (0, 7)] == [0.125, 0.125]
    assert [first_rate(rate) for rate in (None, 0.3, EXAMPLES[0], PLATEAU)] == [None, 0.3, 0.5, 0.5]


def test_a_rate_is_recorded_as_a_config_spells_it() -> None:
    assert (rate_record(0.3), rate_record(None)) == (0.3, None)
    schedule = {"schedule": "inverse_time", "start": 1.0, "decay": 0.5, "power": 1.0}
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
def test_each_epoch_is_made_of_steps_at_its_own_rate(
    schedule: EpochSchedule, batches: Batches
) -> None:
    course, steps = training(schedule, batches=batches), 1 if batches.is_full else 2
    for epochs in range(12):
        w = prod((1 - schedule.rate(epoch)) ** steps for epoch in range(epochs))
        found = course.advance(course.start, epochs).params
        np.testing.assert_allclose(found, w, rtol=1e-13)


@pytest.mark.parametrize("schedule", [*EXAMPLES, PLATEAU])
@pytest.mark.parametrize("batches", [Batches(), Batches(3)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_way_on_depends_on_the_state_alone(
    schedule: Schedule, batches: Batches, dtype: type
) -> None:
    def course() -> Training:
        return training(schedule, OPTIMIZERS["adam"](), dtype=dtype, batches=batches)

    there = course().advance(course().start, 11)
    middle = course().advance(course().start, 4)
    later = course().advance(TrainState(*middle), 7)
    assert there.params.dtype == dtype
    assert (later.number, str(later.ended)) == (there.number, str(there.ended))
    np.testing.assert_array_equal(later.params, there.params)
    assert later.rate_state == there.rate_state
    assert later.random_state == there.random_state


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


# A learning rate that follows the losses.


class _InOrder(Batches):
    """Mini-batches in the order of the rows, as those of scikit-learn without shuffling."""

    def _draw(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        return np.arange(rows)


class _Recorded(MLPRegressor):
    """scikit-learn's regressor, which keeps a copy of its initial weights."""

    def _init_coef(self, fan_in: int, fan_out: int, dtype: np.dtype) -> tuple:
        W, b = super()._init_coef(fan_in, fan_out, dtype)
        self.starts = [*getattr(self, "starts", []), (W.copy(), b.copy())]
        return W, b


def flat(layers: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Parameters as here: W, with b as its last column, layer by layer."""
    return np.concatenate([np.column_stack([W.T, b]).ravel() for W, b in layers])


@pytest.mark.parametrize("size", [20, 6])
def test_weights_and_epochs_are_those_of_scikit_learn(size: int) -> None:
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    theirs = _Recorded(
        hidden_layer_sizes=(5,), activation="tanh", solver="sgd", learning_rate="adaptive",
        learning_rate_init=0.01, alpha=0, batch_size=size, shuffle=False, max_iter=3000,
        n_iter_no_change=2, tol=1e-3, random_state=0,
    ).fit(X, y)  # fmt: skip
    network = Network((Layer(3, 5, Tanh()), Layer(5, 1, Identity())), HalfSquaredError())
    ours = Training(
        NetworkObjective(network, Rows.of(network, X, y[:, np.newaxis], np.dtype(float))),
        GradientDescent(momentum=0.9, nesterov=True),
        flat(theirs.starts),
        learning_rate=Plateau(0.01, epochs=2, tol=1e-3),
        batches=Batches() if size == len(X) else _InOrder(size),
        rng=np.random.default_rng(0),
    )
    end = ours.advance(ours.start, 3000)
    assert end.ended is not None
    assert end.ended.reason == "smallest_rate"
    assert 20 < end.number == theirs.n_iter_
    rate = ours.diagnostics(end)["learning_rate"]
    assert rate == pytest.approx(theirs._optimizer.learning_rate, rel=1e-12)
    expected = flat(zip(theirs.coefs_, theirs.intercepts_, strict=True))
    np.testing.assert_allclose(end.params, expected, rtol=1e-9)


@pytest.mark.parametrize("batches", [Batches(), Batches(3)])
def test_the_records_between_change_nothing(batches: Batches) -> None:
    all_records = list(train_epochs(training(PLATEAU, batches=batches), 40))
    few = list(train_epochs(training(PLATEAU, batches=batches), 40, next_due=lambda _: 40))
    assert all_records[-1].ended is not None
    assert all_records[-1].number == few[-1].number < 40
    np.testing.assert_array_equal(all_records[-1].params, few[-1].params)


def test_its_losses_cost_no_pass_in_full_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    for name in ("value", "mean_loss", "grad", "value_and_grad"):
        original = getattr(NetworkObjective, name)

        def count(self: NetworkObjective, params: np.ndarray, original=original) -> object:
            counted.append(original.__name__)
            return original(self, params)

        monkeypatch.setattr(NetworkObjective, name, count)
    course = training(Plateau(0.1, tol=0.0))
    course.advance(course.start, 7)
    assert counted == ["value_and_grad"] * 7


def test_a_record_shows_the_rate_after_a_reduction() -> None:
    # The gradient is w: the losses are w²/2, first 0.5 and 0.125, and then within 0.1 of these.
    records = list(train_epochs(training(PLATEAU), 40))
    rates = [record.diagnostics["learning_rate"] for record in records]
    assert rates == [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625, 0.0625, 0.0625]
    assert records[-1].ended is not None
    steps = [1 - after.params / before.params for before, after in zip(records, records[1:])]  # noqa: B905, RUF007
    np.testing.assert_allclose(np.ravel(steps), rates[:-1])


def test_a_resumed_training_keeps_the_state_of_its_rate_or_begins_one() -> None:
    course = training(PLATEAU)
    reduced = course.advance(course.start, 4)
    course.resume(reduced)
    assert course.start.rate_state == reduced.rate_state
    constant = training(0.5)
    constant.resume(reduced)
    assert not constant.start.rate_state
    course.resume(constant.start)
    assert course.start.rate_state == PLATEAU.init()
