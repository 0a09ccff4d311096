from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from bpcli import start


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, object]]]:
    """Each step of a start with what Ctrl-C does then; no command is run."""
    done: list[tuple[str, object]] = []

    def step(name: str) -> Callable[[], None]:
        return lambda: done.append((name, signal.getsignal(signal.SIGINT)))

    monkeypatch.setattr("bpcli.cli.limits.require_enough_to_start", step("limits"))
    monkeypatch.setattr("bpcli.cli.main.run", step("command"))
    before = signal.getsignal(signal.SIGINT)
    yield done
    signal.signal(signal.SIGINT, before)


Steps = list[tuple[str, object]]


def test_limits_are_checked_before_the_command_while_interrupts_are_the_systems(
    steps: Steps,
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start.run()
    assert steps == [("limits", signal.SIG_DFL), ("command", signal.SIG_DFL)]


def test_who_ignores_interrupts_or_handles_them_keeps_that(steps: Steps) -> None:
    for handler in (signal.SIG_IGN, lambda *_: None):
        signal.signal(signal.SIGINT, handler)
        start.run()
        assert {each for _, each in steps[-2:]} == {handler}


def test_where_limits_are_too_low_no_command_begins(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave() -> NoReturn:
        raise SystemExit(2)

    monkeypatch.setattr("bpcli.cli.limits.require_enough_to_start", leave)
    with pytest.raises(SystemExit):
        start.run()
    assert steps == []
