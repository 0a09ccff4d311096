from __future__ import annotations

import math
import time
import weakref
from itertools import islice

import numpy as np
import pytest

from bpcli.engine.rows import Rows
from bpcli.errors import Diverged
from bpcli.nn.activations import Identity, Sigmoid
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import GradientDescent, StepFailed
from bpcli.optimizers.base import Point
from bpcli.training import loop
from bpcli.training.batches import Batches
from bpcli.training.loop import Epoch, NextDue, Training, TrainState, every_epoch, train_epochs
from bpcli.training.objective import NetworkObjective
from bpcli.training.stopping import Best, Stopping, StopRules

NETWORK = Network((Layer(1, 3, Sigmoid()), Layer(3, 1, Identity())), HalfSquaredError())


def objective(rows: int = 10, seed: int = 0) -> NetworkObjective:
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (rows, 1))
    return NetworkObjective(NETWORK, Rows.of(NETWORK, X, np.sin(3 * X), np.dtype(float)))


def epochs(count: int = 5, *, learning_rate: float = 0.2, batches: Batches = Batches(), **options):  # noqa: B008
    return train_epochs(
        training(options.pop("objective", None), learning_rate, batches), count, **options
    )


def training(
    fit: NetworkObjective | None = None,
    learning_rate: float = 0.2,
    batches: Batches = Batches(),  # noqa: B008
) -> Training:
    return Training(
        fit or objective(),
        GradientDescent(),
        np.random.default_rng(1).normal(size=NETWORK.n_params),
        learning_rate=learning_rate,
        batches=batches,
        rng=np.random.default_rng(2),
    )


class OneStepADay(GradientDescent):
    """Gives up at its third step."""

    def init(self, params):
        return {"steps": np.asarray(0)}

    def step(self, objective, here, state, learning_rate):
        if state["steps"] == 2:
            raise StepFailed("tired", "Two steps are enough.")
        moved, _ = super().step(objective, here, {}, learning_rate)
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


def test_divergence_in_mini_batches_is_noticed_too() -> None:
    with np.errstate(all="ignore"), pytest.raises(Diverged):
        list(epochs(3000, learning_rate=1000.0, batches=Batches(size=2)))


def test_an_infinite_start_is_told_apart() -> None:
    huge = Rows.of(NETWORK, np.ones((2, 1)), np.full((2, 1), 1e300), np.dtype(float))
    with np.errstate(all="ignore"), pytest.raises(Diverged, match="initial parameters"):
        list(epochs(1, objective=NetworkObjective(NETWORK, huge)))


def drawn(batches: Batches, rows: int = 10) -> list[list[float]]:
    """The input of every row of every batch of one epoch."""
    fit = objective(rows)
    return [
        batch.data.columns[0][0].tolist()
        for batch in batches.of_epoch(fit, np.random.default_rng(0))
    ]


def test_shuffle_takes_each_row_once_in_new_order() -> None:
    every = objective().data.columns[0][0].tolist()
    seen = drawn(Batches(size=4))
    assert [len(batch) for batch in seen] == [4, 4, 2]
    flat = [value for batch in seen for value in batch]
    assert sorted(flat) == sorted(every)
    assert flat != every


def test_random_draws_with_replacement() -> None:
    seen = drawn(Batches(size=3, sampling="random", rows_per_epoch=56))
    assert [len(batch) for batch in seen] == [3] * 18 + [2]
    assert len({value for batch in seen for value in batch}) == 10


def test_rows_per_epoch_can_cut_a_shuffled_epoch_short() -> None:
    seen = drawn(Batches(size=2, rows_per_epoch=5))
    flat = [value for batch in seen for value in batch]
    assert len(flat) == len(set(flat)) == 5


def test_one_batch_of_all_rows_is_the_full_batch_in_another_order() -> None:
    full = [record.params for record in epochs(20)]
    batch = [record.params for record in epochs(20, batches=Batches(size=10))]
    np.testing.assert_allclose(full, batch, rtol=1e-10)


def stopped(rules: StopRules, records: object) -> tuple[str | None, int, Stopping]:
    best = Best()
    stopping = Stopping(rules, best)
    number, reason = -1, None
    for record in records:
        best.update(record)
        reason, number = stopping.update(record), record.number
        if reason:
            break
    return reason, number, stopping


def test_goal_stops_at_the_first_loss_that_reaches_it() -> None:
    losses = [record.loss for record in epochs(50)]
    goal = (losses[19] + losses[20]) / 2
    assert stopped(StopRules(50, goal=goal), epochs(50))[:2] == ("goal", 20)


def test_min_grad_stops_at_the_first_small_gradient() -> None:
    norms = [record.grad_norm for record in epochs(50)]
    number = next(e for e, norm in enumerate(norms) if norm <= norms[30])
    assert stopped(StopRules(50, min_grad=norms[30]), epochs(50))[:2] == ("min_grad", number)


def test_max_seconds_stops_by_the_clock() -> None:
    reason, number, _ = stopped(StopRules(10**9, max_seconds=0.05), epochs(10**9))
    assert reason == "max_seconds"
    assert number > 0


def test_epochs_is_a_criterion_with_start_now_and_target() -> None:
    reason, number, stopping = stopped(StopRules(7, goal=-1.0), epochs(7))
    assert (reason, number) == ("epochs", 7)
    table = {rule.name: (rule.start, rule.now, rule.target) for rule in stopping.criteria}
    assert table["epochs"] == (0, 7, 7)
    assert table["goal"][0] > table["goal"][1] > table["goal"][2]


class _Scripted(Epoch):
    """A record with a validation loss given by hand."""

    def __init__(self, number: int, val_loss: float) -> None:
        super().__init__(
            TrainState(number, Point(np.full(1, number)), {}, {}), 0.0, training(), None
        )
        self.__dict__["val_loss"] = val_loss


def test_max_fail_counts_epochs_since_the_lowest_validation_loss() -> None:
    losses = [5, 4, 4.5, 3, 3, 3.5, math.nan, 3.2, 9]
    records = [_Scripted(number, loss) for number, loss in enumerate(losses)]
    assert stopped(StopRules(100, max_fail=3), records)[:2] == ("max_fail", 6)
    assert stopped(StopRules(100, max_fail=6), records)[:2] == (None, 8)


def test_best_is_the_first_epoch_of_lowest_validation_loss() -> None:
    best = Best()
    for number, loss in enumerate([5, 3, 4, 3]):
        best.update(_Scripted(number, loss))
    assert (best.number, best.val_loss) == (1, 3)
    assert best.params is not None
    assert best.params[0] == 1


def test_a_validation_loss_that_is_not_a_number_is_never_the_best_for_long() -> None:
    best = Best()
    for number, loss in enumerate([math.nan, 0.5, math.nan, 0.3]):
        best.update(_Scripted(number, loss))
    assert (best.number, best.val_loss) == (3, 0.3)


def test_without_validation_the_latest_is_the_best() -> None:
    best = Best()
    for record in islice(epochs(9), 4):
        best.update(record)
    assert best.number == 3


def test_mean_loss_leaves_l2_and_the_reduction_out() -> None:
    plain = next(iter(epochs(0)))
    penalised = next(iter(epochs(0, objective=objective().like(l2=0.7, reduction="sum"))))
    assert penalised.mean_loss == plain.loss == plain.mean_loss
    assert penalised.loss > 10 * plain.loss


def test_validation_loss_leaves_l2_out() -> None:
    record = next(iter(epochs(1, validation=objective(6, seed=5))))
    assert record.val_loss == objective(6, seed=5).value(record.params)


class _Known(Epoch):
    """A record with a loss given by hand."""

    def __init__(self, number: int, loss: float) -> None:
        super().__init__(TrainState(number, Point(np.zeros(1)), {}, {}), 0.0, training(), None)
        self.__dict__["loss"] = loss


def now(stopping: Stopping) -> dict[str, float | None]:
    return {rule.name: rule.now for rule in stopping.criteria}


def test_generalization_loss_is_measured_at_the_end_of_each_strip() -> None:
    # Strips of 2: 5 is 25 % above 4, which is the lowest at such an end, and 8 is 100 % above it.
    # The losses inside strips count for nothing, neither the 2 nor the 9.
    losses = [6, 2, 4, 9, 5, 3, 8, 1]
    records = [_Scripted(number, loss) for number, loss in enumerate(losses)]
    early = stopped(StopRules(100, generalization_loss=26, strip=2), records[:6])
    assert early[:2] == (None, 5)
    assert now(early[2])["generalization_loss"] == 25
    reason, number, stopping = stopped(StopRules(100, generalization_loss=100, strip=2), records)
    assert (reason, number) == ("generalization_loss", 6)
    rule = next(rule for rule in stopping.criteria if rule.name == "generalization_loss")
    assert (rule.start, rule.now, rule.target) == (0, 100, 100)
    assert stopped(StopRules(100, generalization_loss=101, strip=2), records)[:2] == (None, 7)


def test_generalization_loss_after_a_validation_loss_of_zero() -> None:
    for last, reason in ((0.0, None), (1e-300, "generalization_loss")):
        records = [_Scripted(number, loss) for number, loss in enumerate([1.0, 0.0, last])]
        assert stopped(StopRules(9, generalization_loss=5, strip=1), records)[0] == reason


def test_a_validation_loss_that_is_not_a_number_is_no_lowest() -> None:
    losses = [9.0, math.nan, 1.0, math.nan, 1.2]
    records = [_Scripted(number, loss) for number, loss in enumerate(losses)]
    rules = StopRules(9, generalization_loss=15, strip=1)
    assert stopped(rules, records)[:2] == ("generalization_loss", 4)


def test_progress_compares_a_strips_mean_loss_with_its_lowest() -> None:
    # Strips of 2: (4 + 2) / (2 · 2) = 1.5; (1.6 + 2) / (2 · 1.6) = 1.125; and 1.625 / 1.625 = 1.
    losses = [9, 4, 2, 1.6, 2, 1.625, 1.625]
    records = [_Known(number, loss) for number, loss in enumerate(losses)]
    early = stopped(StopRules(100, progress=100, strip=2), records[:6])
    assert early[:2] == (None, 5)
    assert now(early[2])["progress"] == pytest.approx(125)
    assert stopped(StopRules(100, progress=126, strip=2), records)[:2] == ("progress", 4)
    reason, number, stopping = stopped(StopRules(100, progress=0.1, strip=2), records)
    assert (reason, number) == ("progress", 6)
    rule = next(rule for rule in stopping.criteria if rule.name == "progress")
    assert (rule.start, rule.now, rule.target) == (500, 0, 0.1)


def test_before_the_end_of_the_first_strip_nothing_is_measured() -> None:
    records = [_Known(number, 1.0) for number in range(5)]
    reason, number, stopping = stopped(StopRules(4, progress=0.1), records)
    assert (reason, number) == ("epochs", 4)
    assert now(stopping)["progress"] is None


def test_progress_of_losses_of_zero_is_none() -> None:
    for losses, reason in (([1.0, 0.0, 0.0], "progress"), ([1.0, 1.0, 0.0], None)):
        records = [_Known(number, loss) for number, loss in enumerate(losses)]
        assert stopped(StopRules(9, progress=0.1, strip=2), records)[0] == reason


@pytest.mark.parametrize("rule", ["generalization_loss", "progress"])
def test_rules_on_strips_need_every_epoch(rule: str) -> None:
    assert StopRules(9, **{rule: 1.0}).need_every_epoch
    assert not StopRules(9).need_every_epoch


def test_a_goal_reached_exactly_and_in_the_last_epoch_is_named() -> None:
    stopping = Stopping(StopRules(epochs=1, goal=0.5), Best())
    assert stopping.update(_Known(0, 0.6)) is None
    assert stopping.update(_Known(1, 0.5)) == "goal"


def test_seconds_are_those_of_the_clock_on_the_wall() -> None:
    records = epochs(1)
    first = next(records)
    time.sleep(0.2)
    second = next(records)
    assert second.seconds - first.seconds >= 0.2  # time asleep counts


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


def until_diverged(batches: Batches, next_due: NextDue) -> tuple[int, np.ndarray, str]:
    records = epochs(
        3000, learning_rate=1000.0, batches=batches, next_due=next_due,
        is_checked=lambda number: number % 1000 == 0,
    )  # fmt: skip
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
