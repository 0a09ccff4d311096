"""Which signals ask a training to stop."""

from __future__ import annotations

import os
import signal

import pytest

from bpcli.workflows.interrupts import stop_requests


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
