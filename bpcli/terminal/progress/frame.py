"""The live view's frame of a training, for a terminal of any size.

The frame is a list of lines, as many as fit. The bar comes first, then the curve and the latest
rows; gradients and units by layer, stop criteria and the title follow if there is room.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.segment import Segment

from bpcli.nn.units import UnitCounts
from bpcli.terminal.progress.curve import (
    BEST,
    BOLD,
    DIM,
    TRAIN,
    VAL,
    VAL_MARK,
    Glyphs,
    Line,
    Mark,
    curve,
)
from bpcli.terminal.progress.history import History, Speed
from bpcli.terminal.progress.rows import Columns, width_of
from bpcli.text import duration, rounded, text_width
from bpcli.training.stopping import Criterion, Stopping

if TYPE_CHECKING:
    from bpcli.cluster.connection import ClusterConnection

_LATEST_ROWS = 10
_LEAST_CURVE = 6
_LEAST_WIDTH = 24
_LEAST_ROWS = 3
_ROWS_OF_SUMMARY = 5
_LINES_OF_SUMMARY = 18
_WIDTH_OF_SUMMARY = 100
_LABEL = 9
_LEAST_BAR = 5


@dataclass
class ViewState:
    """The values that the live view shows of a training."""

    title: str
    columns: Columns
    epochs: int
    units: Sequence[int]
    stopping: Stopping
    history: History
    cluster: ClusterConnection | None = None
    speed: Speed = field(default_factory=Speed)
    number: int = 0
    seconds: float = 0.0
    grad_norm: float = math.nan
    grad_norms: Sequence[float] = ()
    counts: UnitCounts = field(default_factory=lambda: UnitCounts([], []))
    first: list[str] | None = None
    latest: deque[list[str]] = field(default_factory=lambda: deque(maxlen=_LATEST_ROWS))
    now: list[str] | None = None

    def add_row(self, row: list[str]) -> None:
        """Add a row to the table; the first row is always kept."""
        self.now = None
        if self.first is None:
            self.first = row
        else:
            self.latest.append(row)


def draw_frame(state: ViewState, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Return at most `height` lines of at most `width` characters."""
    room = height - 1
    has_curve = room >= _LEAST_CURVE + _LEAST_ROWS and width >= _LEAST_WIDTH
    room -= _LEAST_ROWS + _LEAST_CURVE * has_curve
    layers = _fitting(_layers(state, width), room)
    stops = _fitting([*_stops(state.stopping), *_cluster(state)], room - len(layers))
    title = _fitting([_title(state, width)], room - len(layers) - len(stops))
    room -= len(layers) + len(stops) + len(title)
    table = _rows(state, width, _LEAST_ROWS + (room // 3 if has_curve else room))
    drawn = height - 1 - len(title) - len(layers) - len(stops) - len(table)
    drawing = _curve(state, width, drawn, glyphs) if has_curve else []
    return [*title, *drawing, *layers, *stops, *table, _bar(state, width, glyphs)]


def summary(state: ViewState, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Return the lines shown after training: the curve, the layers, the first and last rows."""
    width = min(width, _WIDTH_OF_SUMMARY)
    layers, table = _layers(state, width), _rows(state, width, _ROWS_OF_SUMMARY)
    room = min(height - 1, _LINES_OF_SUMMARY) - len(layers) - len(table)
    has_curve = room >= _LEAST_CURVE and width >= _LEAST_WIDTH
    drawing = _curve(state, width, room, glyphs) if has_curve else []
    took = f"{state.number} epochs in {duration(state.seconds)}"
    pace = f", {_pace(state.number / state.seconds)}" if state.number and state.seconds else ""
    return [*drawing, *layers, *table, [Segment(took + pace)], *_cluster(state)]


def _title(state: ViewState, width: int) -> Line:
    """The title; parts that a comma or a colon separates are left out at the end if it is long."""
    title = state.title
    while text_width(title) > width and (parts := re.match(r"(.*)[,:] ", title)):
        title = parts[1]
    return [Segment(title, BOLD)]


def _fitting(lines: list[Line], room: int) -> list[Line]:
    return lines if len(lines) <= room else []


def _curve(state: ViewState, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    best = _best(state)
    drawing = curve(*state.history.arrays, width, height - 1, glyphs, best)
    return [_legend(state, best, width, glyphs), *drawing]


def _best(state: ViewState) -> Mark | None:
    """The epoch of lowest validation loss; None without validation."""
    best = state.stopping.best
    return Mark(best.number, best.val_loss) if math.isfinite(best.val_loss) else None


def _legend(state: ViewState, best: Mark | None, width: int, glyphs: Glyphs) -> Line:
    """The names of the axis and of the curves, and the best epoch; the longest line that fits."""
    has_val = state.history.has_validation
    name = "mean loss" if has_val else state.columns.loss
    curves = [Segment(2 * glyphs.line, TRAIN), Segment(" train")]
    if has_val:
        curves += [Segment("   "), Segment(VAL_MARK, VAL), Segment(" validation")]
    marks = [] if best is None else _names_of_best(best, glyphs)
    lines = [
        [Segment(f"{name}{scale}   "), *curves, *mark]
        for mark in [*marks, []]
        for scale in (" (log axis)", "")
    ]
    return next((line for line in lines if Segment.get_line_length(line) <= width), lines[-1])


def _names_of_best(best: Mark, glyphs: Glyphs) -> list[Line]:
    """The mark and what it stands for, with and without the loss."""
    return [
        [Segment("   "), Segment(glyphs.best, BEST), Segment(f" best{loss} at epoch {best.epoch}")]
        for loss in (f" {rounded(best.loss)}", "")
    ]


def _layers(state: ViewState, width: int) -> list[Line]:
    """Gradient norm, dead and saturated units: of the whole network, then per layer."""
    count = 1 + len(state.units)
    room, cell, digits = width - _LABEL, 7, 2
    if count * cell > room:
        cell, digits = 6, 1
    norms = [_short(norm, digits, cell) for norm in (state.grad_norm, *state.grad_norms)]
    cell = max(cell, 1 + max(map(len, norms)))
    kept = _ends(count, room // cell)
    units = [sum(state.units), *state.units]
    table = {
        "layer": ["all", *map(str, range(1, count))],
        "gradient": norms,
        "dead": _shares(state.counts.dead, units, cell),
        "saturated": _shares(state.counts.saturated, units, cell),
    }
    return [
        [
            Segment(f"{name:<{_LABEL}}", BOLD),
            Segment("".join(("..." if i is None else cells[i]).rjust(cell) for i in kept)),
        ]
        for name, cells in table.items()
    ]


def _ends(count: int, most: int) -> list[int | None]:
    """The first and last of `count` indices, None for those between: at most `most` entries."""
    if count <= most:
        return [*range(count)]
    last = most // 2
    return [*range(most - 1 - last), None, *range(count - last, count)]


def _shares(counts: Sequence[int], units: Sequence[int], cell: int) -> list[str]:
    """Counts of the network and of each layer: 3/16, or 3 if that is too long."""
    texts = (f"{count}/{total}" for count, total in zip([sum(counts), *counts], units, strict=True))
    return [text if len(text) < cell else text.partition("/")[0] for text in texts]


def _short(value: float, digits: int, cell: int) -> str:
    """A number in few characters, with one digit if it would fill its cell."""
    text = _compact(value, digits)
    return text if len(text) < cell else _compact(value, 1)


def _compact(value: float, digits: int) -> str:
    """A number in few characters: 0.012, 1.2, 123, 1.2e-5."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if -2 <= power <= 2:
        return f"{value:.{max(0, digits - 1 - power)}f}"
    return f"{mantissa}e{power}"


def _stops(stopping: Stopping) -> list[Line]:
    """Current and target values of the stop criteria, without the number of epochs."""
    rules = [rule for rule in stopping.criteria if rule.name != "epochs"]
    widest = max((len(rule.name) for rule in rules), default=0)
    return [[Segment(f"{rule.name:<{widest}}", BOLD), Segment(_standing(rule))] for rule in rules]


def _cluster(state: ViewState) -> list[Line]:
    """What a cluster has sent and received, if one computes the training."""
    return [] if state.cluster is None else [[Segment(state.cluster.progress)]]


def _standing(rule: Criterion) -> str:
    sign = "<=" if rule.falls else ">="
    is_count = rule.now is not None and float(rule.now).is_integer()
    now = rounded(rule.now, 9 if is_count else 4)
    return f"  {now:>9} {sign} {rule.target:<9g} {rule.meaning}"


def _rows(state: ViewState, width: int, most: int) -> list[Line]:
    """The header, the first row, the latest rows and the current epoch: at most `most` lines."""
    positions = state.columns.that_fit(width)
    widths = [width_of(state.columns.names[position]) for position in positions]

    def line(cells: Sequence[str]) -> str:
        chosen = zip((cells[position] for position in positions), widths, strict=True)
        return "".join(cell.rjust(room) for cell, room in chosen)

    rows = [[Segment(line(row))] for row in (state.first, *state.latest) if row]
    if state.now:
        rows.append([Segment(line(state.now), DIM)])
    if len(rows) >= most:
        rows = [*rows[: most > 2], *rows[len(rows) - max(0, most - 2) :]]
    return [[Segment(line(state.columns.names), BOLD)], *rows][: max(0, most)]


def _bar(state: ViewState, width: int, glyphs: Glyphs) -> Line:
    """The epoch, a progress bar, the speed, and the longest remaining time, as far as they fit."""
    speed = state.speed.epochs_per_second
    before = f"epoch {state.number}/{state.epochs} "
    endings = [""]
    if speed:
        left = duration(max(1, round((state.epochs - state.number) / speed)))
        endings = [f" {_pace(speed)}, {left} left", f" {left} left", ""]
    rooms = [width - len(before) - len(ending) for ending in endings]
    after, room = next(
        (fitting for fitting in zip(endings, rooms, strict=True) if fitting[1] >= _LEAST_BAR),
        ("", max(0, rooms[-1])),
    )
    done = round(room * state.number / state.epochs)
    bar = [Segment(glyphs.done * done, TRAIN), Segment(glyphs.rule * (room - done), DIM)]
    return [Segment(before), *bar, Segment(after)]


def _pace(epochs_per_second: float) -> str:
    if epochs_per_second < 1:
        return f"{duration(1 / epochs_per_second)} per epoch"
    return f"{round(float(f'{epochs_per_second:.3g}')):,} epochs/s"
