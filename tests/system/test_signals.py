"""Signals that ask this process to end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest

from bpcli import system


def test_the_signals_are_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    assert {signal.SIGINT, signal.SIGTERM, 21} <= set(system.stop_signals())
    monkeypatch.delattr(signal, "SIGHUP", raising=False)
    assert system.stop_signals() == [signal.SIGINT, signal.SIGTERM, 21]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def interrupts() -> Iterator[None]:
    """What was to be done at Ctrl-C before, and will be again."""
    before, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
    yield
    signal.signal(signal.SIGINT, before)
    sys.unraisablehook = hook


@pytest.mark.usefixtures("interrupts")
def test_interrupts_are_heard_and_then_end_the_process_again() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    system.hear_interrupts()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    system.end_on_interrupts()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


@pytest.mark.usefixtures("interrupts")
def test_interrupts_that_are_to_be_ignored_stay_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    system.hear_interrupts()
    system.end_on_interrupts()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_the_end_of_the_terminal_is_none_under_nohup(monkeypatch: pytest.MonkeyPatch) -> None:
    hangup = 99
    monkeypatch.setattr(signal, "SIGHUP", hangup, raising=False)
    for handler, is_heard in ((signal.SIG_IGN, False), (signal.SIG_DFL, True)):
        monkeypatch.setattr(signal, "getsignal", lambda _, handler=handler: handler)
        assert (hangup in system.stop_signals()) == is_heard
