"""What is printed while a table is converted: notes, and on a terminal the progress."""

from __future__ import annotations

from time import perf_counter as clock
from typing import TYPE_CHECKING, Self

from bpcli.terminal.region import InRegion, Region
from bpcli.terminal.stream import Stream
from bpcli.text import duration, plain

if TYPE_CHECKING:
    from bpcli.terminal.console import Console

_LONGEST_NOTE = 200
_REFRESH_SECONDS = 0.2
_MEGA, _GIGA = 10**6, 10**9


class SilentConversion:
    """Learns how far a conversion is, and what is to be said; shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def note(self, text: str) -> None:
        """Learn a note on how the table is read or converted."""

    def read(self, done: int, total: int, rows: int) -> None:
        """Learn how many bytes of how many are read, and how many rows; 0 if that is unknown."""

    def written(self, rows: int, total: int) -> None:
        """Learn how many rows of the array are written."""


class PlainConversion(SilentConversion):
    """Prints notes."""

    def __init__(self, out: Console | Stream) -> None:
        self._out = out

    def note(self, text: str) -> None:
        self._out.say(f"note: {plain(text, _LONGEST_NOTE)}")


class LiveConversion(InRegion, PlainConversion):
    """Prints notes above a line that is redrawn, which has bytes, rows, rate and time left."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._region = Region(console)
        self._started = self._next = clock()
        self._first: int | None = None

    def read(self, done: int, total: int, rows: int) -> None:
        if self._first is None or done < self._first:
            self._first, self._started = done, clock()
        self._show(read_line(done, total, rows, done - self._first, clock() - self._started))

    def written(self, rows: int, total: int) -> None:
        self._show(f"wrote {rows:,} of {total:,} rows")

    def _show(self, line: str) -> None:
        if clock() >= self._next:
            self._next = clock() + _REFRESH_SECONDS
            self._region.show(line)


def read_line(done: int, total: int, rows: int, since: int, seconds: float) -> str:
    """How far the reading is: `since` bytes took these seconds."""
    parts = [_bytes(done)] if done else []
    if total:
        parts = [f"{_bytes(done)} of {_bytes(total)} ({done / total:.0%})"]
    parts.append(f"{rows:,} rows")
    if since and seconds > 0:
        rate = since / seconds
        parts.append(f"{_bytes(rate)}/s")
        if total:
            parts.append(f"{duration(max(1, round((total - done) / rate)))} left")
    return f"read {', '.join(parts)}"


def _bytes(count: float) -> str:
    """A number of bytes, such as 3.2 MB or 41.7 GB."""
    return f"{count / _GIGA:.1f} GB" if count >= _GIGA else f"{count / _MEGA:.1f} MB"


def progress_of(err: Console | Stream) -> SilentConversion:
    """Return what shows a conversion: a live line on a terminal, notes elsewhere."""
    if isinstance(err, Stream) or err.is_dumb_terminal:
        return PlainConversion(err)
    return LiveConversion(err)
