"""The live view's frame of a training, for a terminal of any size.

The frame is a list of lines, as many as fit. The bar comes first, then the curve and the latest
rows; gradients and units by layer, stop criteria and the title follow where there is room.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.segment import Segment

from bpcli.nn.units import UnitCounts
from bpcli.terminal.progress.curve import BOLD, DIM, TRAIN, VAL, VAL_MARK, Glyphs, Line, curve
from bpcli.terminal.progress.history import History, Speed
from bpcli.terminal.progress.rows import Columns, width_of
from bpcli.text import duration, rounded
from bpcli.training.stopping import Criterion, Stopping

_LATEST_ROWS = 10
_LEAST_CURVE = 6
_LEAST_WIDTH = 24
_LEAST_ROWS = 3
_ROWS_OF_SUMMARY = 5
_LINES_OF_SUMMARY = 18
_WIDTH_OF_SUMMARY = 100
_LABEL = 9


@dataclass
class Seen:
    """What the view has seen of a training."""

    title: str
    columns: Columns
    epochs: int
    units: Sequence[int]
    stopping: Stopping
    history: History
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
        """Keep a row of the table; the first one stays for good."""
        self.now = None
        if self.first is None:
            self.first = row
        else:
            self.latest.append(row)


def draw_frame(seen: Seen, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """At most `height` lines of at most `width` characters."""
    room = height - 1
    has_curve = room >= _LEAST_CURVE + _LEAST_ROWS and width >= _LEAST_WIDTH
    room -= _LEAST_ROWS + _LEAST_CURVE * has_curve
    layers = _fitting(_layers(seen, width), room)
    stops = _fitting(_stops(seen.stopping), room - len(layers))
    title = _fitting([[Segment(seen.title, BOLD)]], room - len(layers) - len(stops))
    room -= len(layers) + len(stops) + len(title)
    table = _rows(seen, width, _LEAST_ROWS + (room // 3 if has_curve else room))
    drawn = height - 1 - len(title) - len(layers) - len(stops) - len(table)
    drawing = _curve(seen, width, drawn, glyphs) if has_curve else []
    return [*title, *drawing, *layers, *stops, *table, _bar(seen, width, glyphs)]


def summary(seen: Seen, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """What stays when training has ended: the curve, the layers, and the first and last rows."""
    width = min(width, _WIDTH_OF_SUMMARY)
    layers, table = _layers(seen, width), _rows(seen, width, _ROWS_OF_SUMMARY)
    room = min(height - 1, _LINES_OF_SUMMARY) - len(layers) - len(table)
    has_curve = room >= _LEAST_CURVE and width >= _LEAST_WIDTH
    drawing = _curve(seen, width, room, glyphs) if has_curve else []
    took = f"{seen.number} epochs in {duration(seen.seconds)}"
    pace = f", {_pace(seen.number / seen.seconds)}" if seen.number and seen.seconds else ""
    return [*drawing, *layers, *table, [Segment(took + pace)]]


def _fitting(lines: list[Line], room: int) -> list[Line]:
    return lines if len(lines) <= room else []


def _curve(seen: Seen, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    has_val = seen.history.has_validation
    name = "mean loss" if has_val else seen.columns.loss
    legend = [Segment(f"{name} (log axis)   "), Segment(2 * glyphs.line, TRAIN)]
    legend.append(Segment(" train"))
    if has_val:
        legend += [Segment("   "), Segment(VAL_MARK, VAL), Segment(" validation")]
    epochs, train, val = seen.history.arrays
    return [legend, *curve(epochs, train, val, width, height - 1, glyphs)]


def _layers(seen: Seen, width: int) -> list[Line]:
    """Gradient norm, dead and saturated units: of all layers, then of each."""
    count = 1 + len(seen.units)
    room, cell, digits = width - _LABEL, 7, 2
    if count * cell > room:
        cell, digits = 6, 1
    kept = _ends(count, room // cell)
    norms = [seen.grad_norm, *seen.grad_norms]
    units = [sum(seen.units), *seen.units]
    table = {
        "layer": ["all", *map(str, range(1, count))],
        "gradient": [_compact(norm, digits) for norm in norms],
        "dead": _shares(seen.counts.dead, units, cell),
        "saturated": _shares(seen.counts.saturated, units, cell),
    }
    return [
        [
            Segment(f"{name:<{_LABEL}}", BOLD),
            Segment("".join(("..." if at is None else cells[at]).rjust(cell) for at in kept)),
        ]
        for name, cells in table.items()
    ]


def _ends(count: int, most: int) -> list[int | None]:
    """The first and the last of `count` places, with None for those between, `most` in all."""
    if count <= most:
        return [*range(count)]
    last = most // 2
    return [*range(most - 1 - last), None, *range(count - last, count)]


def _shares(counts: Sequence[int], units: Sequence[int], cell: int) -> list[str]:
    """Of all and of each layer: 3/16, or 3 where that is too long."""
    texts = (f"{count}/{all_}" for count, all_ in zip([sum(counts), *counts], units, strict=True))
    return [text if len(text) < cell else text.partition("/")[0] for text in texts]


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
    """Where the criteria stand that could end training before its last epoch."""
    rules = [rule for rule in stopping.criteria if rule.name != "epochs"]
    widest = max((len(rule.name) for rule in rules), default=0)
    lines = [[Segment(f"{rule.name:<{widest}}", BOLD), Segment(_standing(rule))] for rule in rules]
    best = stopping.best
    if math.isfinite(best.val_loss):
        lowest = f"best validation loss {rounded(best.val_loss)} at epoch {best.number}"
        lines.append([Segment(lowest)])
    return lines


def _standing(rule: Criterion) -> str:
    sign = "<=" if rule.falls else ">="
    is_count = rule.now is not None and float(rule.now).is_integer()
    now = rounded(rule.now, 9 if is_count else 4)
    return f"  {now:>9} {sign} {rule.target:<9g} {rule.meaning}"


def _rows(seen: Seen, width: int, most: int) -> list[Line]:
    """The header, the first row, the latest ones and the present state: `most` lines at most."""
    positions = seen.columns.that_fit(width)
    widths = [width_of(seen.columns.names[position]) for position in positions]

    def line(cells: Sequence[str]) -> str:
        chosen = zip((cells[position] for position in positions), widths, strict=True)
        return "".join(cell.rjust(room) for cell, room in chosen)

    rows = [[Segment(line(row))] for row in (seen.first, *seen.latest) if row]
    if seen.now:
        rows.append([Segment(line(seen.now), DIM)])
    if len(rows) >= most:
        rows = [*rows[: most > 2], *rows[len(rows) - max(0, most - 2) :]]
    return [[Segment(line(seen.columns.names), BOLD)], *rows][: max(0, most)]


def _bar(seen: Seen, width: int, glyphs: Glyphs) -> Line:
    """How far training has come, how fast, and for how long at most it goes on."""
    speed = seen.speed.epochs_a_second
    before, after = f"epoch {seen.number}/{seen.epochs} ", ""
    if speed:
        left = duration(max(1, round((seen.epochs - seen.number) / speed)))
        after = f" {_pace(speed)}, {left} left"
    room = max(0, width - len(before) - len(after))
    done = round(room * seen.number / seen.epochs)
    bar = [Segment(glyphs.done * done, TRAIN), Segment(glyphs.rule * (room - done), DIM)]
    return [Segment(before), *bar, Segment(after)]


def _pace(epochs_a_second: float) -> str:
    if epochs_a_second < 1:
        return f"{duration(1 / epochs_a_second)} an epoch"
    return f"{round(float(f'{epochs_a_second:.3g}')):,} epochs/s"
