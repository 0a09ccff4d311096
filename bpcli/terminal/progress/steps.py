"""A line with a bar that shows how far a computation of many equal steps is."""

from __future__ import annotations

from time import perf_counter as clock
from typing import TYPE_CHECKING, Self

from bpcli.terminal.region import InRegion, Region
from bpcli.terminal.stream import Stream

if TYPE_CHECKING:
    from bpcli.terminal.console import Console

_REFRESH_SECONDS = 0.1
_WIDTH = 24


class SilentSteps:
    """Learns how far a computation is; shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, what: str, done: int, total: int) -> None:
        """Learn that so many of all steps are finished."""


class LiveSteps(InRegion, SilentSteps):
    """Redraws a line on a terminal."""

    def __init__(self, console: Console) -> None:
        self._region = Region(console)
        self._next = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        if clock() >= self._next:
            self._next = clock() + _REFRESH_SECONDS
            self._region.show(steps_line(what, done, total))


def steps_line(what: str, done: int, total: int) -> str:
    """What is computed, a bar, and the numbers."""
    full = _WIDTH * done // max(1, total)
    return f"{what}  {'━' * full}{'╌' * (_WIDTH - full)}  {done:,} of {total:,}"


def steps_of(err: Console | Stream, *, is_silent: bool = False) -> SilentSteps:
    """Return what shows the steps: a live line on a terminal, nothing elsewhere."""
    if is_silent or isinstance(err, Stream):
        return SilentSteps()
    return LiveSteps(err)
