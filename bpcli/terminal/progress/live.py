"""The view for a terminal: a frame of the training that is redrawn while it goes on.

It has the terminal's second screen to itself, as an editor or a pager has: nothing that stood on
the first one moves, and a terminal that is resized is no trouble. When training has ended the first
screen comes back and gets a summary. A training of a moment never leaves the first screen.

Draws from the training loop's own thread: a background thread would forbid forking workers.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from time import perf_counter as clock
from typing import TYPE_CHECKING

from rich.control import Control
from rich.segment import Segment, Segments

from bpcli.terminal.progress.curve import Glyphs, Line
from bpcli.terminal.progress.frame import Seen, draw_frame, summary
from bpcli.terminal.progress.history import History
from bpcli.terminal.progress.rows import Columns, Rows, ScoresOf
from bpcli.terminal.tables import header, layers_text, objective_text
from bpcli.text import visible
from bpcli.training.stopping import Stopping

if TYPE_CHECKING:
    from rich.console import ScreenContext

    from bpcli.runs.run_json import RunRecord
    from bpcli.terminal.console import Console
    from bpcli.training.loop import Epoch

_REFRESH_SECONDS = 0.1
_SHARE_OF_THE_TIME = 0.005
_COSTS = 3
_SECONDS_BEFORE_THE_FIRST = 0.3
_EPOCHS_BEFORE_THE_FIRST = 10
_ONE_SCREEN = ("linux", "ansi", "cons25", "vt52", "vt100", "vt102", "vt220")


def has_second_screen(console: Console) -> bool:
    """False for those few terminals that have none, and for TERM=dumb."""
    return not console.is_dumb_terminal and os.environ.get("TERM") not in _ONE_SCREEN


class LiveView:
    """Draws at 10 Hz at most, and so seldom that it takes under 1 % of the time.

    Metrics, which may cost more than the rest together, are left out of a drawing where they would
    slow that down further; the rows of the table have them.
    """

    def __init__(
        self, console: Console, columns: Columns, rows: Rows, epochs: int, has_validation: bool
    ) -> None:
        self._console = console
        self._columns = columns
        self._rows = rows
        self._epochs = epochs
        self._history = History(has_validation)
        self._glyphs = Glyphs.of_encoding(console.encoding)
        self._seen: Seen | None = None
        self._next_drawing: float | None = None
        self._costs = deque([0.0] * _COSTS, maxlen=_COSTS)
        self._next_scoring = 0.0
        self._stack = ExitStack()
        self._screen: ScreenContext | None = None

    def __enter__(self) -> LiveView:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        if self._seen is not None and self._seen.first is not None:
            width, height = self._console.size
            self._console.print(_joined(summary(self._seen, width, height, self._glyphs), width))
            self._console.print()

    def on_start(self, record: RunRecord, stopping: Stopping) -> None:
        self._console.show_facts(header(record))
        self._seen = Seen(
            title=visible(
                f"{record.run_id}: {layers_text(record.layers)}, {objective_text(record)}"
            ),
            columns=self._columns,
            epochs=self._epochs,
            units=[layer.units for layer in record.layers],
            stopping=stopping,
            history=self._history,
        )

    def next_due(self, number: int) -> int:
        return self._rows.after(number)

    def on_epoch(self, epoch: Epoch, scores: ScoresOf, is_last: bool) -> None:
        began = clock()
        is_first = self._next_drawing is None
        if self._next_drawing is None:
            # Slow epochs are drawn from the first one on: who waits wants to know for what.
            soon = _SECONDS_BEFORE_THE_FIRST - _EPOCHS_BEFORE_THE_FIRST * epoch.seconds
            self._next_drawing = began + soon
        is_row = is_first or is_last or epoch.number in self._rows
        is_drawn = began >= self._next_drawing and not is_last
        if is_row or is_drawn:
            self._read(epoch, scores, is_row)
        if is_drawn or is_first or is_last:
            self._look_inside(epoch, scores)
        if epoch.is_evaluated:
            self._history.add(epoch)
        if is_drawn:
            self._draw()
            drawn = clock()
            self._next_drawing = drawn + self._pause(drawn - began)

    def _pause(self, cost: float) -> float:
        """Seconds between drawings, by the least that one of the latest few took.

        Others may have been interrupted, or waited for a terminal; the first reads modules.
        """
        self._costs.append(cost)
        return max(_REFRESH_SECONDS, min(self._costs) / _SHARE_OF_THE_TIME)

    def _read(self, epoch: Epoch, scores: ScoresOf, is_row: bool) -> None:
        """Read the figures of a row."""
        assert self._seen is not None, "training has started"
        row = self._columns.row(epoch, self._scored(epoch, scores, is_row))
        if is_row:
            self._seen.add_row(row)
        else:
            self._seen.now = row

    def _look_inside(self, epoch: Epoch, scores: ScoresOf) -> None:
        """Read the figures of the layers."""
        assert self._seen is not None, "training has started"
        seen = self._seen
        seen.speed.update(epoch)
        seen.number, seen.seconds = epoch.number, epoch.seconds
        seen.grad_norm, seen.grad_norms = epoch.grad_norm, epoch.grad_norms
        seen.counts = scores.units(epoch)

    def _scored(self, epoch: Epoch, scores: ScoresOf, is_row: bool) -> Mapping[str, float | None]:
        began = clock()
        if not is_row and began < self._next_scoring:
            return {"val.loss": epoch.val_loss}
        found = scores.of(epoch)
        cost = clock() - began
        self._next_scoring = began + cost / _SHARE_OF_THE_TIME - _REFRESH_SECONDS
        return found

    def _draw(self) -> None:
        assert self._seen is not None, "training has started"
        if self._screen is None:
            self._screen = self._stack.enter_context(self._console.screen())
        width, height = self._console.size
        lines = draw_frame(self._seen, width, height, self._glyphs)
        with self._console:  # written at once
            self._console.control(Control.home())
            self._screen.update(_joined(lines, width))


def _joined(lines: Sequence[Line], width: int) -> Segments:
    """Lines one below the other, cut where they are too long."""
    cut = (Segment.adjust_line_length(line, width, pad=False) for line in lines)
    return Segments([piece for line in cut for piece in (*line, Segment.line())])
