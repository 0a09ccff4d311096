"""The progress of a sweep on a terminal: the best settings, what is running, and a bar.

It is drawn by the process that starts the trainings, without a thread, as workers may be forked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter as clock
from typing import TYPE_CHECKING, Any

from rich.segment import Segment, Segments

from bpcli.terminal.cells import is_finite
from bpcli.terminal.progress.curve import BOLD, DIM, TRAIN, Glyphs, Line
from bpcli.terminal.region import InRegion, Region
from bpcli.terminal.sweep import PlainProgress, ended, sweep_table
from bpcli.text import duration, text_width

if TYPE_CHECKING:
    from bpcli.terminal.console import Console

_REFRESH_SECONDS = 0.2
_MOST_SETTINGS = 5
_LEAST_BAR = 10
_ECHO = 2
"""Characters that stay free behind the bar: the terminal writes ^Z there, and a line more would
not be erased."""
_FAILURES = ("failed", "diverged")
_STATES = ("failed", "stopped", "running")


class LiveProgress(InRegion, PlainProgress):
    """A table that is redrawn; trainings that failed have lines above it.

    A terminal that cannot redraw gets the plain lines.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._terminal = console
        self._glyphs = Glyphs.of_encoding(console.encoding)
        self._region = Region(console)
        self._document: Mapping[str, Any] | None = None
        self._processes = 1
        self._running: dict[str, float] = {}
        self._seconds: list[float] = []
        self._next_drawing = 0.0

    def on_start(self, document: Mapping[str, Any], processes: int) -> None:
        super().on_start(document, processes)
        self._document, self._processes = document, processes
        self.tick()

    def on_training_start(self, training: Mapping[str, Any]) -> None:
        self._running[training["label"]] = clock()

    def on_training_end(self, training: Mapping[str, Any], document: Mapping[str, Any]) -> None:
        self._document = document
        started = self._running.pop(training["label"], None)
        if started is not None:  # a training whose config is wrong fails before it starts
            self._seconds.append(clock() - started)
        if training["status"] in _FAILURES or self._terminal.is_dumb_terminal:
            super().on_training_end(training, document)

    def tick(self) -> None:
        if self._document is not None and self._region.is_open and clock() >= self._next_drawing:
            self._draw(self._document)
            self._next_drawing = clock() + _REFRESH_SECONDS

    def _draw(self, document: Mapping[str, Any]) -> None:
        width, height = self._terminal.size
        last = [self._running_line(width), self._bar(document, width - _ECHO)]
        lines = [*self._table(document, width, height - 1 - len(last)), *last]
        cut = (Segment.adjust_line_length(line, width, pad=False) for line in lines)
        pieces = [piece for line in cut for piece in (*line, Segment.line())]
        self._region.show(Segments(pieces[:-1]))

    def _table(self, document: Mapping[str, Any], width: int, height: int) -> list[Line]:
        """The best settings with a result so far, and a blank line; nothing if there is no room."""
        known = [each for each in document["settings"] if is_finite(each["mean"])]
        most = min(_MOST_SETTINGS, height - 3)
        if not known or most < 1:
            return []
        grid, expendable = sweep_table({**document, "settings": known[:most]}, most)
        keys = [name for name in grid.headers[1:] if name != document["metric"]]
        fitting, _ = grid.fitting(width, [*expendable, *reversed(keys)])
        header, *rows = fitting.lines(self._glyphs.rule)
        return [[Segment(header, BOLD)], *([Segment(row)] for row in rows), []]

    def _running_line(self, width: int) -> Line:
        """The trainings that run now, as many as fit: running: setting 3, seed 1; 2 more."""
        labels = [*self._running]
        if not labels:
            return [Segment("running: none", DIM)]
        texts = []
        for shown in range(len(labels), -1, -1):
            more = [f"{len(labels) - shown} more"] * (shown < len(labels))
            texts.append(f"running: {'; '.join([*labels[:shown], *more])}")
        return [Segment(_longest(texts, width), DIM)]

    def _bar(self, document: Mapping[str, Any], width: int) -> Line:
        """The share of trainings that have ended, their counts, and the remaining time.

        A narrow terminal has fewer of the counts, so that there is always a bar.
        """
        counts = document["counts"]
        total, done = counts["trainings"], ended(counts)
        states = {**counts, "running": len(self._running)}
        known = {name: [f"{states[name]} {name}"] * bool(states[name]) for name in _STATES}
        left = self._time_left(total - done)
        endings: list[list[str]] = [
            [text for texts in known.values() for text in texts] + left,
            known["failed"] + left,
            left,
            known["failed"],
        ]
        before = f"{done} of {total} "
        after = _longest(
            [*(f" {', '.join(parts)}" for parts in endings if parts), ""],
            width - len(before) - _LEAST_BAR,
        )
        room = max(0, width - len(before) - len(after))
        filled = round(room * done / max(1, total))
        return [
            Segment(before),
            Segment(self._glyphs.done * filled, TRAIN),
            Segment(self._glyphs.rule * (room - filled), DIM),
            Segment(after),
        ]

    def _time_left(self, remaining: int) -> list[str]:
        """The mean time of a training × those that remain, divided by the number of processes.

        The time that running trainings have taken already is subtracted.
        """
        if not self._seconds or not remaining:
            return []
        mean, now = sum(self._seconds) / len(self._seconds), clock()
        waiting = mean * max(0, remaining - len(self._running))
        rest = sum(max(0.0, mean - (now - started)) for started in self._running.values())
        seconds = (waiting + rest) / min(self._processes, remaining)
        return [f"{duration(max(1, round(seconds)))} left"]


def _longest(texts: Sequence[str], width: int) -> str:
    """The first of some texts that fits, or else the last."""
    return next((text for text in texts if text_width(text) <= width), texts[-1])
