"""Bounds that hold however fast or busy the machine is: of work, counted in function calls.

And a net under what may wait for ever.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from cProfile import Profile
from multiprocessing.context import ForkProcess
from types import FrameType


@contextmanager
def at_most(calls: int) -> Iterator[None]:
    """Asserts that a block, also one that raises, calls no more functions, C's among them."""
    profile = Profile()
    gc.disable()  # what others call at each collection would count
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        gc.enable()
        found = sum(entry.callcount for entry in profile.getstats())
        assert found <= calls, f"{found:,} calls"


_TOO_LONG_SECONDS = 120


@contextmanager
def no_hang() -> Iterator[None]:
    """Raises `TimeoutError` in a block that has not ended when whatever it does must long have."""

    def fail(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"nothing in {_TOO_LONG_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(_TOO_LONG_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def forked_children() -> list[ForkProcess]:
    """The processes that bpnet has forked; other libraries keep processes of their own."""
    return [each for each in multiprocessing.active_children() if isinstance(each, ForkProcess)]
