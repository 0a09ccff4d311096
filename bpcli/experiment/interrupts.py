"""Ctrl-C, SIGTERM and SIGHUP in training: the first asks to stop, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class StopRequest:
    """Remembers the signal that asked training to stop."""

    signal_number: int | None = None

    def receive(self, number: int, frame: FrameType | None) -> None:
        """The handler: note the first signal; the next one leaves at once."""
        if self.signal_number is not None:
            raise KeyboardInterrupt
        self.signal_number = number


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Collect those signals while the block runs; elsewhere than in the main thread, none.

    Within such a block another one is part of it.
    """
    outer = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    if isinstance(outer, StopRequest):
        yield outer
        return
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    previous: dict[int, Any] = {
        number: signal.signal(number, request.receive) for number in _SIGNALS
    }
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
