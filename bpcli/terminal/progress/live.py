"""The view for a terminal: a frame that is redrawn during training.

It uses the terminal's alternate screen, as an editor does: the text on the main screen does not
move, and the terminal may be resized. After training the main screen returns, with a summary. A
very short training never leaves the main screen.

Ctrl-Z leaves the alternate screen, and `fg` returns to it. In the background nothing is drawn.

Draws from the training loop's own thread: with a background thread, workers could not be forked.
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

from bpcli import system
from bpcli.terminal.progress.curve import Glyphs, Line
from bpcli.terminal.progress.frame import ViewState, draw_frame, summary
from bpcli.terminal.progress.history import History
from bpcli.terminal.progress.plain import QuietView
from bpcli.terminal.progress.rows import Columns, RowEpochs, ScoresOf
from bpcli.terminal.training import header, layers_text, objective_text
from bpcli.text import visible
from bpcli.training.stopping import Stopping

if TYPE_CHECKING:
    from rich.console import ScreenContext

    from bpcli.cluster.connection import ClusterConnection
    from bpcli.runs.run_json import RunRecord
    from bpcli.terminal.console import Console
    from bpcli.training.epoch import Epoch

_REFRESH_SECONDS = 0.1
_SHARE_OF_THE_TIME = 0.005
_COSTS = 3
_SECONDS_BEFORE_THE_FIRST = 0.3
_EPOCHS_BEFORE_THE_FIRST = 10
_ONE_SCREEN = ("linux", "ansi", "cons25", "vt52", "vt100", "vt102", "vt220")


def has_second_screen(console: Console) -> bool:
    """False for the few terminals without an alternate screen, and for TERM=dumb."""
    return not console.is_dumb_terminal and os.environ.get("TERM") not in _ONE_SCREEN


class LiveView(QuietView):
    """Draws at most 10 times a second, and so rarely that it takes under 1 % of the time.

    Metrics may take most of that time: a drawing leaves them out if they would exceed it.
    The rows of the table always have them.
    """

    def __init__(
        self, console: Console, columns: Columns, rows: RowEpochs, epochs: int, has_validation: bool
    ) -> None:
        super().__init__(console)
        self._console = console
        self._columns = columns
        self._rows = rows
        self._epochs = epochs
        self._history = History(has_validation)
        self._glyphs = Glyphs.of_encoding(console.encoding)
        self._state: ViewState | None = None
        self._next_drawing: float | None = None
        self._costs = deque([0.0] * _COSTS, maxlen=_COSTS)
        self._next_scoring = 0.0
        self._cluster: ClusterConnection | None = None
        self._second_screen = ExitStack()
        self._screen: ScreenContext | None = None

    def __exit__(self, *_: object) -> None:
        system.off_suspension(self)
        self.suspend()
        if self._state is not None and self._state.first is not None:
            width, height = self._console.size
            self._console.print(_joined(summary(self._state, width, height, self._glyphs), width))
            self._console.print()

    def on_cluster(self, cluster: ClusterConnection) -> None:
        self._cluster = cluster
        self._console.say(cluster.description)

    def on_start(self, record: RunRecord, stopping: Stopping) -> None:
        super().on_start(record, stopping)
        self._console.show_facts(header(record))
        self._state = ViewState(
            title=visible(
                f"{record.run_id}: {layers_text(record.layers)}, {objective_text(record)}"
            ),
            columns=self._columns,
            epochs=self._epochs,
            units=[layer.units for layer in record.layers],
            stopping=stopping,
            history=self._history,
            cluster=self._cluster,
        )

    def next_due(self, number: int) -> int:
        return self._rows.after(number)

    def suspend(self) -> None:
        """Leave the second screen, and show the cursor."""
        self._second_screen.close()
        self._screen = None

    def resume(self) -> None:
        """Go back to the second screen."""
        self._draw()

    def resize(self) -> None:
        """Draw at once, as the next epoch may take long."""
        self._draw()

    def on_epoch(self, epoch: Epoch, scores: ScoresOf, is_last: bool) -> None:
        with system.suspension_postponed:
            self._update(epoch, scores, is_last)

    def _update(self, epoch: Epoch, scores: ScoresOf, is_last: bool) -> None:
        began = clock()
        is_first = self._next_drawing is None
        if self._next_drawing is None:
            # Slow epochs are drawn from the first one on, as the user waits for each.
            soon = _SECONDS_BEFORE_THE_FIRST - _EPOCHS_BEFORE_THE_FIRST * epoch.seconds
            self._next_drawing = began + soon
        is_row = is_first or is_last or epoch.number in self._rows
        is_drawn = began >= self._next_drawing and not is_last
        if is_row or is_drawn:
            self._read_row(epoch, scores, is_row)
        if is_drawn or is_first or is_last:
            self._read_layers(epoch, scores)
        if epoch.is_evaluated:
            self._history.add(epoch)
        if is_drawn:
            self._draw()
            drawn = clock()
            self._next_drawing = drawn + self._pause(drawn - began)

    def _pause(self, cost: float) -> float:
        """Return the seconds until the next drawing, from the fastest of the latest few.

        Slower ones may have been interrupted or have waited for the terminal; the first imports.
        """
        self._costs.append(cost)
        return max(_REFRESH_SECONDS, min(self._costs) / _SHARE_OF_THE_TIME)

    def _read_row(self, epoch: Epoch, scores: ScoresOf, is_row: bool) -> None:
        """Take the values of a row."""
        assert self._state is not None, "training has started"
        row = self._columns.row(epoch, self._scored(epoch, scores, is_row))
        if is_row:
            self._state.add_row(row)
        else:
            self._state.now = row

    def _read_layers(self, epoch: Epoch, scores: ScoresOf) -> None:
        """Take the values of the layers."""
        assert self._state is not None, "training has started"
        state = self._state
        state.speed.update(epoch)
        state.number, state.seconds = epoch.number, epoch.seconds
        state.grad_norm, state.grad_norms = epoch.grad_norm, epoch.grad_norms
        state.counts = scores.units(epoch)

    def _scored(self, epoch: Epoch, scores: ScoresOf, is_row: bool) -> Mapping[str, float | None]:
        began = clock()
        if not is_row and began < self._next_scoring:
            return {"val.loss": epoch.val_loss}
        values = scores.of(epoch)
        cost = clock() - began
        self._next_scoring = began + cost / _SHARE_OF_THE_TIME - _REFRESH_SECONDS
        return values

    def _draw(self) -> None:
        """Draw a frame, unless the training is in the background of its terminal."""
        assert self._state is not None, "training has started"
        if not system.is_in_foreground(self._console.file):
            return
        if self._screen is None:
            system.on_suspension(self)
            self._screen = self._second_screen.enter_context(self._console.screen())
        width, height = self._console.size
        lines = draw_frame(self._state, width, height, self._glyphs)
        with self._console:  # written at once
            self._console.control(Control.home())
            self._screen.update(_joined(lines, width))


def _joined(lines: Sequence[Line], width: int) -> Segments:
    """Join lines, cut at the given width."""
    cut = (Segment.adjust_line_length(line, width, pad=False) for line in lines)
    return Segments([piece for line in cut for piece in (*line, Segment.line())])
