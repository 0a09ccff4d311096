"""Which signals ask a training to stop."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from bpcli.errors import LeftAtOnce
from bpcli.workflows import interrupts
from bpcli.workflows.interrupts import Abandoned, StopRequest, stop_requests


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGHUP")
@pytest.mark.parametrize("is_nohup", [False, True])
def test_the_end_of_the_terminal_asks_to_stop_but_not_under_nohup(is_nohup: bool) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if is_nohup else signal.SIG_DFL)
    try:
        with stop_requests() as request:
            if not is_nohup:
                assert signal.getsignal(signal.SIGHUP) == request.receive  # or it ends this process
            os.kill(os.getpid(), signal.SIGHUP)
        assert request.signal_number == (None if is_nohup else signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(("seconds", "is_said"), [(0.3, True), (0.001, False)])
def test_a_signal_in_a_long_epoch_is_answered_at_once(
    seconds: float,
    is_said: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    now = [100.0]
    monkeypatch.setattr(interrupts, "clock", lambda: now[0])
    request = StopRequest()
    for _ in range(2):
        request.on_epoch(None, None, is_last=False)
        now[0] += seconds
    request.receive(signal.SIGINT, None)
    assert ("Interrupted: the current epoch is finished first" in capfd.readouterr().err) == is_said


def test_the_second_signal_leaves_at_once_and_the_first_lets_an_epoch_be_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(interrupts, "clock", lambda: now[0])
    request = StopRequest()
    request.check()
    request.receive(signal.SIGINT, None)
    request.check()
    now[0] += 2.5
    with pytest.raises(Abandoned):
        request.check()
    with pytest.raises(LeftAtOnce):
        request.receive(signal.SIGINT, None)


def test_a_request_asks_for_no_epoch() -> None:
    assert StopRequest().next_due(10**12) > 10**15


def test_inner_blocks_share_the_request() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_requests() as outer:
        with stop_requests() as inner:
            assert inner is outer
        assert signal.getsignal(signal.SIGINT) == outer.receive
    assert signal.getsignal(signal.SIGINT) == before


def test_outside_the_main_thread_no_signal_is_handled() -> None:
    before, during = signal.getsignal(signal.SIGINT), []

    def collect() -> None:
        with stop_requests():
            during.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=collect)
    thread.start()
    thread.join()
    assert during == [before]
