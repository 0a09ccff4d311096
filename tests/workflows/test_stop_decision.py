from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest
from systems import CONFIGS
from workflows.epochs import epoch

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.optimizers import StepFailed
from bpcli.training.stopping import StopRules
from bpcli.workflows.interrupts import StopRequest
from bpcli.workflows.stop_decision import StopDecision, needs_every_epoch, stop_rules

FAILED = StepFailed("line_search", "No step lowers the loss.")


@pytest.mark.parametrize(
    ("number", "is_interrupted", "ended", "reason"),
    [
        (1, False, None, None),
        (5, False, None, "epochs"),
        (1, False, FAILED, "line_search"),
        (5, False, FAILED, "epochs"),
        (5, True, FAILED, "interrupted"),
        (1, True, None, "interrupted"),
    ],
)
def test_a_signal_comes_before_a_rule_and_that_before_the_optimizer(
    number: int, is_interrupted: bool, ended: StepFailed | None, reason: str | None
) -> None:
    request = StopRequest()
    decision = StopDecision(StopRules(5), request)
    if is_interrupted:
        request.receive(signal.SIGINT, None)
    assert decision.after(epoch(number, ended=ended)) == reason


@pytest.mark.parametrize(
    ("is_interrupted", "ended", "last", "reason"),
    [
        (False, None, 5, "callback"),
        (False, None, 1, "epochs"),
        (False, FAILED, 5, "line_search"),
        (True, None, 5, "interrupted"),
    ],
)
def test_an_observer_ends_training_if_nothing_else_does(
    is_interrupted: bool, ended: StepFailed | None, last: int, reason: str
) -> None:
    request = StopRequest()
    if is_interrupted:
        request.receive(signal.SIGINT, None)
    decision = StopDecision(StopRules(last), request, observers=[lambda each: each.number == 1])
    assert decision.after(epoch(1, ended=ended)) == reason


def test_every_observer_sees_every_epoch_once() -> None:
    numbers: list[list[int]] = [[], []]
    observers = [lambda each, seen=seen: seen.append(each.number) or True for seen in numbers]
    decision = StopDecision(StopRules(9), StopRequest(), observers=observers)
    for number in (0, 1, 2, 1):  # the last one as where training diverges
        decision.after(epoch(number))
    assert numbers == [[0, 1, 2], [0, 1, 2]]
    resumed = StopDecision(StopRules(9), StopRequest(), checkpoint(decision, 2), observers)
    assert resumed.after(epoch(2)) is None
    assert resumed.after(epoch(3)) == "callback"
    assert numbers[0] == [0, 1, 2, 3]


def checkpoint(decision: StopDecision, number: int) -> Any:
    return SimpleNamespace(
        number=number, best=decision.best.memory(), stopping=decision.stopping.memory()
    )


def test_the_epoch_of_a_checkpoint_is_not_measured_twice() -> None:
    rules = StopRules(50, progress=1e-9, strip=2)
    losses = [1.0, 0.9, 0.8, 0.8, 0.8]
    whole, first = (StopDecision(rules, StopRequest()) for _ in range(2))
    for number in (0, 1):
        assert whole.after(epoch(number, losses[number])) is None
        first.after(epoch(number, losses[number]))
    resumed = StopDecision(rules, StopRequest(), checkpoint(first, 1))
    assert resumed.after(epoch(1, losses[1])) is None
    for number in (2, 3, 4):
        reasons = [each.after(epoch(number, losses[number])) for each in (whole, resumed)]
        assert reasons[0] == reasons[1]
        memories = [each.stopping.memory() for each in (whole, resumed)]
        assert memories[0]["progress.losses"].tolist() == memories[1]["progress.losses"].tolist()
    assert reasons == ["progress", "progress"]


def test_the_best_epoch_of_a_checkpoint_is_kept() -> None:
    first = StopDecision(StopRules(9), StopRequest())
    first.after(epoch(0, val_loss=0.5))
    first.after(epoch(1, val_loss=0.7))
    resumed = StopDecision(StopRules(9), StopRequest(), checkpoint(first, 1))
    resumed.after(epoch(1, val_loss=0.1))  # measured before: not taken
    resumed.after(epoch(2, val_loss=0.6))
    assert (resumed.best.number, resumed.best.val_loss) == (0, 0.5)


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        (["data.split={}", "training.stop={}"], False),
        (["data.split={}", "training.stop={max_seconds: 9}"], False),
        (["data.split={}", "training.stop={goal: 0.1}"], True),
        (["data.split={val: 0.2}", "training.stop={}"], True),
    ],
)
def test_every_epoch_is_needed_for_the_best_one_and_for_rules_that_measure_losses(
    overrides: list[str], wanted: bool
) -> None:
    experiment: Any = build(load_config(CONFIGS / "moons.yaml", overrides))
    assert needs_every_epoch(experiment) == wanted


def test_the_rules_are_those_of_the_config() -> None:
    overrides = ["training.stop={goal: 0.1, strip: 7}", "training.epochs=77"]
    experiment = build(load_config(CONFIGS / "moons.yaml", overrides))
    assert stop_rules(experiment) == StopRules(77, goal=0.1, strip=7)
