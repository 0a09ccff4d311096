"""Training as it happens: a live table on a terminal, plain lines elsewhere.

A view is told of every record and decides by the clock (10 Hz) or by the epoch number whether to
look at it. Only then are the epoch's figures computed.

rich is imported by the view that draws with it: a short training is done before all of rich would
have been read.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from bpcli.views.numbers import duration, shown
from bpcli.views.tables import header

if TYPE_CHECKING:
    from rich.console import Group

    from bpcli.training.loop import Epoch
    from bpcli.views.console import Console
    from bpcli.views.stream import Stream

_REFRESH_SECONDS = 0.1
_MOST_OF_THE_TIME = 0.02
_ROWS_SHOWN = 10
_ROWS_A_TRAINING = 20


class ScoresOf(Protocol):
    """Gives the metrics of an epoch by path."""

    def of(self, epoch: Epoch) -> dict[str, float | None]: ...


class Columns:
    """The figures that a row of progress shows."""

    def __init__(
        self,
        metric: str | None,
        has_validation: bool,
        loss: str = "loss",
        figures: Sequence[str] = ("learning_rate",),
    ) -> None:
        self._paths = [f"train.{metric}"] if metric else []
        if has_validation:
            self._paths += ["val.loss", f"val.{metric}"] if metric else ["val.loss"]
        self.names = [
            "epoch", loss, *self._paths, "grad norm", *map(_spaced, figures), "time/epoch",
        ]  # fmt: skip
        self._expendable = [*map(_spaced, figures), "grad norm", "time/epoch", *self._paths]
        self._previous: tuple[int, float] = (0, 0.0)

    def row(self, epoch: Epoch, scores: ScoresOf) -> list[str]:
        """The cells for an epoch; the time is the mean since the row before."""
        found = scores.of(epoch)
        number, seconds = self._previous
        epochs = epoch.number - number
        pace = duration((epoch.seconds - seconds) / epochs) if epochs else "-"
        self._previous = (epoch.number, epoch.seconds)
        return [
            str(epoch.number),
            shown(epoch.loss),
            *(shown(found.get(path)) for path in self._paths),
            shown(epoch.grad_norm, 4),
            *(shown(figure, 4) for figure in epoch.figures.values()),
            pace,
        ]

    def that_fit(self, width: int) -> list[int]:
        """The positions of the columns that a terminal has room for, the least needed dropped."""
        kept = list(self.names)
        for name in self._expendable:
            if sum(map(_width, kept)) <= width:
                break
            kept.remove(name)
        return [position for position, name in enumerate(self.names) if name in kept]


def _spaced(figure: str) -> str:
    return figure.replace("_", " ")


def _width(column: str) -> int:
    """What a column takes on a terminal: numbers have up to 11 characters, epochs 7."""
    gap = 3
    return gap + (7 if column == "epoch" else max(len(column), 11))


class Rows:
    """The epochs that get a row: as the log where that was asked for, else about 20 and more.

    Early epochs change most, so 1, 2, 5, 10, 20, 50 … have rows too.
    """

    def __init__(self, epochs: int, log_every: int | None) -> None:
        self._interval = log_every or _round_interval(epochs)
        self._has_early = log_every is None

    def __contains__(self, epoch: int) -> bool:
        if epoch % self._interval == 0:
            return True
        return (
            self._has_early and epoch < self._interval and str(epoch).rstrip("0") in {"1", "2", "5"}
        )

    def after(self, epoch: int) -> int:
        """The next epoch that gets a row."""
        regular = epoch - epoch % self._interval + self._interval
        if not self._has_early or epoch >= self._interval:
            return regular
        tens: list[int] = [10**zeros for zeros in range(len(str(epoch)) + 1)]
        early = (digit * ten for ten in tens for digit in (1, 2, 5) if digit * ten > epoch)
        return min(regular, *early)


def _round_interval(epochs: int) -> int:
    """Epochs between about 20 rows, to one digit."""
    interval, step = max(1, epochs // _ROWS_A_TRAINING), 1
    while interval >= 10 * step:
        step *= 10
    return max(1, round(interval / step) * step)


class SilentView:
    """Shows nothing."""

    def __enter__(self) -> SilentView:
        return self

    def __exit__(self, *_: object) -> None: ...

    def start(self, record: Mapping[str, Any]) -> None: ...

    def next_due(self, number: int) -> int:
        return sys.maxsize

    def see(self, epoch: Epoch, scores: ScoresOf, is_last: bool) -> None: ...


class PlainView:
    """A line every so many epochs, for logs and pipes."""

    _WIDTH = 12

    def __init__(self, stream: Stream, columns: Columns, rows: Rows) -> None:
        self._stream = stream
        self._columns = columns
        self._rows = rows

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, *_: object) -> None: ...

    def start(self, record: Mapping[str, Any]) -> None:
        self._stream.show_facts(header(record))
        self._print(self._columns.names)

    def next_due(self, number: int) -> int:
        return self._rows.after(number)

    def see(self, epoch: Epoch, scores: ScoresOf, is_last: bool) -> None:
        if is_last or epoch.number in self._rows:
            self._print(self._columns.row(epoch, scores))

    def _print(self, cells: list[str]) -> None:
        widths = [max(self._WIDTH, len(name)) for name in self._columns.names]
        widths[0] = 8
        line = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        self._stream.say(line)


class LiveView:
    """The first row and the latest in a table, with a progress bar below.

    Redrawn at 10 Hz at most, and so seldom that between rows it takes under 2 % of the time.

    Draws from the training loop's own thread: a background thread would forbid forking workers.
    """

    def __init__(self, console: Console, columns: Columns, rows: Rows, epochs: int) -> None:
        from rich import progress
        from rich.live import Live

        self._console = console
        self._columns = columns
        self._rows = rows
        self._first: list[str] | None = None
        self._shown: deque[list[str]] = deque(maxlen=_ROWS_SHOWN)
        self._now: list[str] | None = None
        self._progress = progress.Progress(
            progress.TextColumn("epoch"),
            progress.BarColumn(bar_width=None),
            progress.MofNCompleteColumn(),
            progress.TextColumn("time left"),
            progress.TimeRemainingColumn(compact=True),
            console=console,
            auto_refresh=False,
        )
        self._task = self._progress.add_task("", total=epochs)
        self._live = Live(console=console, auto_refresh=False, get_renderable=self._render)
        self._next_drawing = 0.0

    def __enter__(self) -> LiveView:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live.is_started:
            self._live.refresh()
            self._live.stop()

    def start(self, record: Mapping[str, Any]) -> None:
        self._console.show_facts(header(record))
        self._live.start()

    def next_due(self, number: int) -> int:
        return self._rows.after(number)

    def see(self, epoch: Epoch, scores: ScoresOf, is_last: bool) -> None:
        is_row = is_last or epoch.number in self._rows
        began = time.perf_counter()
        if is_row:
            row = self._columns.row(epoch, scores)
            self._now = None
            if self._first is None:
                self._first = row
            else:
                self._shown.append(row)
        if is_last or began >= self._next_drawing:
            if not is_row:
                self._now = self._columns.row(epoch, scores)
            total = epoch.number if is_last else None  # a bar that stopped early is full too
            self._progress.update(self._task, completed=epoch.number, total=total)
            self._live.refresh()
            cost = time.perf_counter() - began
            self._next_drawing = began + max(_REFRESH_SECONDS, cost / _MOST_OF_THE_TIME)

    def _render(self) -> Group:
        from rich import box
        from rich.console import Group
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        positions = self._columns.that_fit(self._console.width)
        for position in positions:
            table.add_column(self._columns.names[position], justify="right", no_wrap=True)
        for row in filter(None, [self._first, *self._shown]):
            table.add_row(*(row[position] for position in positions))
        if self._now is not None:
            table.add_row(*(self._now[position] for position in positions), style="dim")
        return Group(table, self._progress)
