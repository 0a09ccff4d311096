"""Ctrl-C, SIGTERM and SIGHUP in training: the first asks to stop, the second stops at once.

Imports little, so that it can handle signals before anything else is imported.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import perf_counter as clock
from types import FrameType
from typing import Any

from bpcli import system
from bpcli.errors import Interrupted, LeftAtOnce, NumericsNotPinned

_LONG_EPOCH_SECONDS = 0.2
_PATIENCE_SECONDS = 2.0
_NOTICE = (
    b"Interrupted: the current epoch is finished first, and what was trained is kept. "
    b"Interrupt again to stop at once.\n"
)


class Abandoned(Exception):
    """The current epoch was abandoned: the state is that after the previous epoch."""


class StopRequest:
    """The signal that requested a stop, if any.

    As a callback of a training, it learns whether epochs are long: then it prints a notice as soon
    as the signal arrives.
    """

    signal_number: int | None = None
    _received = 0.0
    _epochs: tuple[float, float] | None = None

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first is noted, the second raises `LeftAtOnce`."""
        if self.signal_number is not None:
            raise LeftAtOnce(number)
        self.signal_number, self._received = number, clock()
        if self._epochs is not None and self._is_long(*self._epochs):
            with suppress(OSError):
                os.write(2, _NOTICE)  # at once: Python's own stderr may be in use just now

    def next_due(self, number: int) -> int:
        """Return an epoch that is never reached: the request needs none in particular."""
        return sys.maxsize

    def on_epoch(self, epoch: object, scores: object, is_last: bool) -> None:
        """Note the time, so that the handler knows whether epochs are long."""
        now = clock()
        self._epochs = (now if self._epochs is None else self._epochs[1], now)

    def check(self) -> None:
        """Raise `Abandoned` if the epoch goes on for some seconds after the signal."""
        if self.signal_number is not None and clock() - self._received > _PATIENCE_SECONDS:
            raise Abandoned

    def _is_long(self, earlier: float, latest: float) -> bool:
        return max(latest - earlier, clock() - latest) > _LONG_EPOCH_SECONDS


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Collect stop signals while the block runs; outside the main thread there are none.

    A nested block shares the request of the outer one.
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
        number: signal.signal(number, request.receive) for number in system.stop_signals()
    }
    try:
        yield request
    except NumericsNotPinned:
        if request.signal_number is not None:  # the restarted process would not know it
            raise Interrupted("Interrupted before training began.", request.signal_number) from None
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
