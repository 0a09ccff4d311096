from __future__ import annotations

import time
import weakref
from collections.abc import Callable

import numpy as np
import pytest
from courses import NETWORK, SumOfZ, epochs, objective, training

from bpcli.engine.rows import Rows
from bpcli.errors import Diverged
from bpcli.nn.activations import Exponential, Identity
from bpcli.nn.losses import HalfSquaredError, Poisson
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import GradientDescent, StepFailed
from bpcli.training import loop
from bpcli.training.batches import Batches
from bpcli.training.loop import NextDue, every_epoch, train_epochs
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training
from bpcli.training.validation import Validation


class OneStepADay(GradientDescent):
    """Gives up at its third step."""

    def init(self, params):
        return {"steps": np.asarray(0)}

    def step(self, objective, point, state, learning_rate):
        if state["steps"] == 2:
            raise StepFailed("tired", "Two steps are enough.")
        moved, _ = super().step(objective, point, {}, learning_rate)
        return moved, {"steps": state["steps"] + 1}


@pytest.mark.parametrize("next_due", [every_epoch, lambda _: 100])
def test_the_epoch_without_a_step_is_the_last(next_due: NextDue) -> None:
    course = Training(
        objective(), OneStepADay(), training().start.params,
        learning_rate=0.2, batches=Batches(), rng=np.random.default_rng(0),
    )  # fmt: skip
    records = list(train_epochs(course, 50, next_due=next_due))
    assert [record.ended for record in records[:-1]] == [None] * (len(records) - 1)
    last = records[-1]
    assert (last.number, last.ended.reason) == (3, "tired")
    np.testing.assert_array_equal(last.params, list(epochs(2))[-1].params)


def test_records_run_from_the_start_to_the_end() -> None:
    records = list(epochs(5))
    assert [record.number for record in records] == [0, 1, 2, 3, 4, 5]
    fit = objective()
    for record in records:
        assert record.loss == fit.value(record.params)
        grad = fit.value_and_grad(record.params).grad
        assert record.grad_norm == pytest.approx(np.sqrt((grad**2).sum()))
    losses = [record.loss for record in records]
    assert losses == sorted(losses, reverse=True)


def test_a_record_can_be_read_late() -> None:
    late = list(epochs(5))
    early = [(record.number, record.loss, record.grad_norm) for record in epochs(5)]
    assert [(record.number, record.loss, record.grad_norm) for record in late] == early


def test_a_record_keeps_its_figures_but_neither_its_gradient_nor_what_it_releases() -> None:
    records = epochs(5)
    record = next(records)
    figures = (record.loss, record.mean_loss, record.grad_norm, record.grad_norms)
    grad = weakref.ref(record._evaluation.grad)
    assert grad() is not None
    next(records).loss  # noqa: B018
    assert grad() is None
    record.release()
    assert (record.loss, record.mean_loss, record.grad_norm, record.grad_norms) == figures


def test_zero_epochs_give_the_start_alone() -> None:
    assert [record.number for record in epochs(0)] == [0]


def test_divergence_is_an_error_that_suggests_a_smaller_rate() -> None:
    with np.errstate(all="ignore"), pytest.raises(Diverged, match=r"such as 100 instead of 1000"):
        list(epochs(2000, learning_rate=1000.0))


@pytest.mark.parametrize(
    ("rate", "start", "expected"),
    [
        (1000.0, 1.0, "`x` is wide: scale it first, then try a smaller `training.learning_rate`, "),
        (1000.0, 1e200, "The loss of the initial parameters is not finite: `x` is wide: scale it."),
    ],
)
def test_divergence_names_the_scale_before_the_rate(
    rate: float, start: float, expected: str
) -> None:
    course = Training(
        objective(), GradientDescent(), start * training().start.params,
        learning_rate=rate, batches=Batches(), rng=np.random.default_rng(0),
        scale_advice=lambda: "`x` is wide: scale it",
    )  # fmt: skip
    with np.errstate(all="ignore"), pytest.raises(Diverged) as caught:
        list(train_epochs(course, 2000))
    assert expected in str(caught.value)


def test_divergence_in_mini_batches_is_noticed_too() -> None:
    with np.errstate(all="ignore"), pytest.raises(Diverged):
        list(epochs(3000, learning_rate=1000.0, batches=Batches(size=2)))


def test_an_exponential_that_overflows_is_a_divergence() -> None:
    network = Network((Layer(1, 1, Exponential()),), Poisson())
    x, counts = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [3.0], [9.0]])
    fit = NetworkObjective(network, Rows.of(network, x, counts, np.dtype(float)))
    course = Training(
        fit, GradientDescent(), np.zeros(2),
        learning_rate=500.0, batches=Batches(), rng=np.random.default_rng(0),
    )  # fmt: skip
    with np.errstate(all="ignore"), pytest.raises(Diverged, match="no longer finite after epoch 1"):
        list(train_epochs(course, 100))


def test_an_infinite_start_is_told_apart() -> None:
    huge = Rows.of(NETWORK, np.ones((2, 1)), np.full((2, 1), 1e300), np.dtype(float))
    with np.errstate(all="ignore"), pytest.raises(Diverged, match="initial parameters"):
        list(epochs(1, objective=NetworkObjective(NETWORK, huge)))


def test_mean_loss_leaves_l2_and_the_reduction_out() -> None:
    plain = next(iter(epochs(0)))
    penalised = next(iter(epochs(0, objective=objective().like(l2=0.7, reduction="sum"))))
    assert penalised.mean_loss == plain.loss == plain.mean_loss
    assert penalised.loss > 10 * plain.loss


def test_validation_loss_leaves_l2_out() -> None:
    validation = Validation(objective(6, seed=5), SumOfZ())
    record = next(iter(epochs(1, validation=validation)))
    assert record.val_loss == objective(6, seed=5).value(record.params)
    assert next(iter(epochs(1))).val_loss is None


def test_seconds_are_those_of_the_clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loop.clock is time.perf_counter  # of which time asleep is a part
    now = [5.0]
    monkeypatch.setattr(loop, "clock", lambda: now[0])
    records = epochs(1)
    first = next(records)
    now[0] += 0.25
    second = next(records)
    assert (first.seconds, second.seconds) == (0, 0.25)


# Which epochs have a record changes nothing.


@pytest.mark.parametrize(
    "batches", [Batches(), Batches(size=3), Batches(size=4, sampling="random", rows_per_epoch=7)]
)
def test_epochs_between_records_are_the_same_epochs(batches: Batches) -> None:
    every = {record.number: record.params for record in epochs(300, batches=batches)}
    some = {
        record.number: record.params
        for record in epochs(300, batches=batches, next_due=lambda number: number + 1000)
    }
    assert len(some) < len(every)
    assert {0, 300} <= set(some)
    for number, params in some.items():
        np.testing.assert_array_equal(params, every[number])


def test_due_epochs_have_a_record() -> None:
    due = [number + 17 - number % 17 for number in range(300)]
    numbers = {record.number for record in epochs(300, next_due=due.__getitem__)}
    assert {0, 300, *range(17, 300, 17)} <= numbers


def thousands(number: int) -> int:
    return number - number % 1000 + 1000


def until_diverged(
    batches: Batches,
    next_due: NextDue,
    is_checked: Callable[[int], bool] = lambda number: number % 1000 == 0,
) -> tuple[int, np.ndarray, str]:
    records = epochs(
        3000, learning_rate=1000.0, batches=batches, next_due=next_due, is_checked=is_checked
    )
    last = next(records)
    try:
        for record in records:
            last = record
    except Diverged as failure:
        return last.number, last.params, str(failure)
    raise AssertionError("it did not diverge")


@pytest.mark.parametrize("batches", [Batches(), Batches(size=2)])
def test_divergence_is_found_at_the_same_epoch_however_many_have_a_record(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_SECONDS_BETWEEN_RECORDS", 1e3)  # strides double and double
    with np.errstate(all="ignore"):
        every, some = (until_diverged(batches, due) for due in (every_epoch, thousands))
    assert every[0] == some[0] > 1
    np.testing.assert_array_equal(every[1], some[1])
    assert every[2] == some[2]


def test_a_loss_that_overflows_and_comes_back_ends_nothing() -> None:
    # Momentum carries w over an optimum so far away that only its own neighbourhood has a loss.
    network = Network((Layer(1, 1, Identity(), "none"),), HalfSquaredError())
    rows = Rows.of(network, np.ones((1, 1)), np.full((1, 1), 6.5e18), np.dtype("f4"))
    numbers = []
    for next_due in (every_epoch, thousands):
        swinging = Training(
            NetworkObjective(network, rows), GradientDescent(momentum=0.9), np.zeros(1, "f4"),
            learning_rate=3.5, batches=Batches(), rng=np.random.default_rng(0),
        )  # fmt: skip
        with np.errstate(all="ignore"):
            numbers.append(
                [
                    r.number
                    for r in train_epochs(
                        swinging, 300, next_due=next_due, is_checked=lambda n: n % 1000 == 0
                    )
                ][-1]
            )
    assert numbers == [300, 300]


def test_the_epoch_right_before_a_divergence_is_the_last() -> None:
    with np.errstate(all="ignore"):
        last, params, _ = until_diverged(Batches(), every_epoch)
        found = until_diverged(
            Batches(), lambda number: max(number, last) + 1, lambda number: number == last + 1
        )
    assert last > 1
    assert found[0] == last
    np.testing.assert_array_equal(found[1], params)
