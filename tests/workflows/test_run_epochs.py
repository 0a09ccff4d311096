"""One loop for every training: the order of what happens, and each way to end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from workflows.epochs import epoch

from bpcli.errors import Diverged, Interrupted
from bpcli.training.stopping import StopRules
from bpcli.workflows import run_epochs as module
from bpcli.workflows.interrupts import Abandoned, StopRequest
from bpcli.workflows.run_epochs import Ending, earliest_due, run_epochs
from bpcli.workflows.stop_decision import StopDecision


class Noted:
    """A callback that notes its calls beside those of others."""

    def __init__(self, name: str, calls: list[tuple[str, int, bool]], act: Any = None) -> None:
        self.name, self.calls = name, calls
        self.act: Callable[[int], object] = act or (lambda _: None)

    def next_due(self, number: int) -> int:
        return number + len(self.name)

    def on_epoch(self, epoch: Any, scores: object, is_last: bool) -> None:
        self.calls.append((self.name, epoch.number, is_last))
        self.act(epoch.number)


def run(
    epochs: Iterable[Any], *, last: int = 3, act: Any = None, request: StopRequest | None = None
) -> tuple[Ending, list[tuple[str, int, bool]]]:
    calls: list[tuple[str, int, bool]] = []
    decision = StopDecision(StopRules(last), request or StopRequest())
    callbacks = [Noted("log", calls, act), Noted("view", calls)]
    return run_epochs(epochs, decision, callbacks, SimpleNamespace()), calls  # type: ignore[arg-type]


def test_callbacks_are_called_in_their_order_and_know_the_last_epoch() -> None:
    ending, calls = run(map(epoch, [0, 2, 3, 4]))
    assert calls == [
        ("log", 0, False), ("view", 0, False), ("log", 2, False), ("view", 2, False),
        ("log", 3, True), ("view", 3, True),
    ]  # fmt: skip
    assert (ending.reason, ending.failure, ending.skips_scores) == ("epochs", None, False)
    assert ending.last is not None
    assert ending.last.number == 3


def test_an_epoch_that_is_repeated_where_training_diverges_is_not_called_for_again() -> None:
    error, earlier = Diverged("too far"), epoch(1)

    def diverging() -> Iterator[Any]:
        yield from map(epoch, [0, 1, 2])
        yield earlier
        raise error

    ending, calls = run(diverging(), last=9)
    assert [number for name, number, _ in calls if name == "log"] == [0, 1, 2]
    assert ending.last is earlier
    assert (ending.reason, ending.failure) == ("diverged", error)


def test_training_that_cannot_begin_has_no_last_epoch() -> None:
    def diverging() -> Iterator[Any]:
        raise Diverged("at once")
        yield

    ending, calls = run(diverging())
    assert (ending.last, ending.reason, calls) == (None, "diverged", [])


def test_a_signal_ends_training_after_the_epoch_it_comes_in() -> None:
    request = StopRequest()

    def signalled() -> Iterator[Any]:
        yield epoch(0)
        request.receive(signal.SIGTERM, None)
        yield epoch(1)

    ending, calls = run(signalled(), request=request)
    assert calls[-1] == ("view", 1, True)
    assert (ending.reason, ending.skips_scores) == ("interrupted", False)
    assert isinstance(ending.failure, Interrupted)
    assert ending.failure.signal_number == signal.SIGTERM


def test_an_epoch_that_is_given_up_leaves_the_one_before() -> None:
    request = StopRequest()

    def given_up() -> Iterator[Any]:
        yield epoch(0)
        request.receive(signal.SIGINT, None)
        raise Abandoned

    ending, _ = run(given_up(), request=request)
    assert ending.last is not None
    assert (ending.last.number, ending.reason, ending.skips_scores) == (0, "interrupted", True)
    assert isinstance(ending.failure, Interrupted)


def test_a_failure_of_a_callback_is_returned_as_it_is() -> None:
    error = OSError("no room")

    def fail(number: int) -> None:
        if number == 1:
            raise error

    ending, calls = run(map(epoch, [0, 1, 2]), act=fail)
    assert calls[-1] == ("log", 1, False)  # the view is not called any more
    assert ending.last is not None
    assert (ending.last.number, ending.reason, ending.failure) == (1, "failed", error)


def test_callbacks_are_timed_without_the_steps_and_the_last_epoch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(module, "clock", lambda: now[0])

    def trained() -> Iterator[Any]:
        for number in range(4):
            now[0] += 100
            yield epoch(number)

    def take_a_second(number: int) -> None:
        now[0] += 1

    ending, _ = run(trained(), act=take_a_second)
    assert ending.callback_seconds == 3


def test_the_earliest_epoch_that_a_callback_asks_for_is_due() -> None:
    assert earliest_due([Noted("four", []), Noted("two", [])])(10) == 13
