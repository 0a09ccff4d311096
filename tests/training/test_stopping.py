from __future__ import annotations

import inspect
import math
from itertools import count, islice

import numpy as np
import pytest
from courses import epochs, training
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neural_network import MLPRegressor

from bpcli.optimizers.base import Point
from bpcli.training import loop
from bpcli.training.epoch import Epoch
from bpcli.training.state import TrainState
from bpcli.training.stopping import Best, PlateauRule, Stopping, StopRules, Watched


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


def test_max_seconds_stops_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()
    monkeypatch.setattr(loop, "clock", lambda: float(next(ticks)))
    reason, number, _ = stopped(StopRules(10**9, max_seconds=50), epochs(10**9))
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


class _OnPlateau(Epoch):
    """A record with a value of each kind given by hand."""

    def __init__(self, number: int, value: float, of: Watched) -> None:
        super().__init__(TrainState(number, Point(np.zeros(1)), {}, {}), 0.0, training(), None)
        self.__dict__ |= {"loss": 7.0, "val_loss": 7.0, "val_score": 7.0, of: value}


def last_of_scikit_learn(rule: PlateauRule, values: list[float]) -> int | None:
    """The epoch, counted from 1, after which `_fit_stochastic` stops by its own rule."""
    theirs = MLPRegressor(tol=rule.tol)
    theirs._no_improvement_count, theirs.coefs_, theirs.intercepts_ = 0, [], []
    theirs.loss_curve_, theirs.best_loss_ = [], math.inf
    theirs.validation_scores_, theirs.best_validation_score_ = [], -math.inf
    scores = iter(values)
    theirs._score = lambda *_, **__: next(scores)
    is_score = rule.of == "val_score"
    arguments = len(inspect.signature(theirs._update_no_improvement_count).parameters) - 1
    for number, value in enumerate(values, 1):
        theirs.loss_curve_.append(value)
        theirs._update_no_improvement_count(is_score, *[None] * arguments)
        if theirs._no_improvement_count > rule.epochs:
            return number
    return None


values = st.lists(st.floats(-3, 3) | st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.25]), max_size=50)
plateaus = st.builds(
    PlateauRule,
    st.sampled_from([0.0, 1e-4, 0.25, 1.0]),
    st.integers(1, 5),
    st.sampled_from(["loss", "val_loss", "val_score"]),
)


@given(plateaus, values, st.floats(-9, 9), st.integers(0, 50))
def test_a_plateau_ends_with_the_epoch_that_scikit_learn_ends_with(
    rule: PlateauRule, values: list[float], initial: float, resumed_at: int
) -> None:
    """Whatever the value before the first epoch is, and wherever training is resumed."""
    rules, found = StopRules(10**9, plateau=rule), None
    stopping = Stopping(rules, Best())
    for number, value in enumerate([initial, *values]):
        if number == resumed_at:
            memory, stopping = stopping.memory(), Stopping(rules, Best())
            stopping.restore(memory)
        if stopping.update(_OnPlateau(number, value, rule.of)):
            found = number
            break
    assert found == last_of_scikit_learn(rule, values)
    assert stopping.reason == (None if found is None else "plateau")


def test_a_plateau_counts_epochs_in_a_row_from_epoch_one() -> None:
    # An epoch improves if it is 0.25 below the lowest of all before, which epoch 0 is not one of.
    losses = [0.0, 1.0, 0.875, 0.5, 0.375, 0.125, 0.0, -0.125]
    records = [_OnPlateau(number, loss, "loss") for number, loss in enumerate(losses)]
    counts = []
    stopping = Stopping(StopRules(100, plateau=PlateauRule(0.25, 1)), Best())
    for record in records:
        stopping.update(record)
        counts.append(now(stopping)["plateau"])
    assert counts == [None, 0, 1, 0, 1, 0, 1, 2]
    assert stopping.reason == "plateau"
    rule = next(rule for rule in stopping.criteria if rule.name == "plateau")
    assert (rule.start, rule.target) == (0, 2)


@pytest.mark.parametrize(
    ("of", "meaning"),
    [("loss", "loss"), ("val_loss", "validation loss"), ("val_score", "validation score")],
)
def test_a_plateau_says_what_it_is_of_and_needs_every_epoch(of: Watched, meaning: str) -> None:
    rules = StopRules(9, plateau=PlateauRule(of=of))
    assert rules.need_every_epoch
    (plateau, _) = Stopping(rules, Best()).criteria
    assert plateau.meaning == f"epochs in a row without a better {meaning}"


def test_nan_is_no_improvement_and_no_lowest() -> None:
    values = [math.nan, 2.0, math.nan, math.nan, 1.9, math.nan]
    records = [_OnPlateau(number, value, "val_loss") for number, value in enumerate(values)]
    plateau = PlateauRule(0.5, 3, "val_loss")
    assert stopped(StopRules(9, plateau=plateau), records)[:2] == ("plateau", 5)


def test_a_plateau_of_something_else_begins_anew() -> None:
    stopping = Stopping(StopRules(9, plateau=PlateauRule(epochs=1)), Best())
    for number in range(4):
        stopping.update(_OnPlateau(number, 1.0, "loss"))
    assert stopping.reason == "plateau"
    for of, reason in (("loss", "plateau"), ("val_score", None)):
        other = Stopping(StopRules(9, plateau=PlateauRule(epochs=1, of=of)), Best())
        other.restore(stopping.memory())
        assert other.reason == reason
