"""Loss curves in characters, on a logarithmic axis: braille, 4 x 2 dots in each, or ASCII."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from rich.segment import Segment
from rich.style import Style

from bpcli.nn.arrays import Array
from bpcli.text import rounded

Line: TypeAlias = list[Segment]
"""Pieces of text, each in a style."""

TRAIN, VAL, BEST, DIM, BOLD = (
    Style(color="cyan"),
    Style(color="yellow"),
    Style(color="magenta", bold=True),
    Style(dim=True),
    Style(bold=True),
)
VAL_MARK = "o"
_LABEL_WIDTH = 8
_AXIS_NAME = "epoch"
_LEAST_GAP = 10
"""Characters between two ticks of the epoch axis."""
_STYLES = (TRAIN, VAL, BEST)
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


@dataclass(frozen=True)
class Glyphs:
    """The characters to draw with: braille and boxes, or ASCII."""

    dots: tuple[int, int]
    """Rows and columns of dots in a character."""
    line: str
    ticked: str
    axis: str
    corner: str
    rule: str
    tick: str
    done: str
    best: str

    @classmethod
    def of_encoding(cls, encoding: str) -> Glyphs:
        """Return braille and boxes if the encoding has them, else ASCII."""
        try:
            "⣿┤━".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return cls((1, 1), "*", "+", "|", "+", "-", "+", "=", "#")
        return cls((4, 2), "⠤", "┤", "│", "└", "─", "┬", "━", "◆")


@dataclass(frozen=True)
class Mark:
    """A point of the curve that has a mark of its own: an epoch and its validation loss."""

    epoch: int
    loss: float


@dataclass(frozen=True)
class LogScale:
    """A log axis from `high` on the first row to `low` on the last; values are clipped to it."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Array) -> LogScale:
        """Return a scale of all positive values, widened if their logarithms are equal.

        Subnormal numbers, which have few digits, count as 0.
        """
        positive = values[np.isfinite(values) & (values >= sys.float_info.min)]
        if not len(positive):
            return cls(0.1, 1.0)
        low, high = float(positive.min()), float(positive.max())
        if math.log(high) > math.log(low):
            return cls(low, high)
        return cls(low / 2, min(2 * high, sys.float_info.max))

    def rows(self, values: Array, count: int) -> Array:
        """Return the positions of values on `count` rows: 0 to count - 1."""
        inside = np.log(np.clip(values, self.low, self.high))
        low, high = math.log(self.low), math.log(self.high)
        rows: Array = (high - inside) / (high - low) * (count - 1)
        return rows

    def ticks(self, count: int) -> list[float]:
        """Return round numbers at least 1.5 of `count` rows apart, or else the ends."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = [(digits, 1) for digits in ("123456789", "125", "13", "1")]
        steps += [("1", stride) for stride in range(2, len(decades))]
        for digits, stride in steps:
            tens = [decade for decade in decades if decade % stride == 0]
            ticks = [float(f"{digit}e{decade}") for decade in tens for digit in digits]
            inside = [tick for tick in ticks if self.low <= tick <= self.high]
            if len(inside) > 1 and np.diff(self.rows(np.array(inside), count)).max() <= -1.5:
                return inside
        return [self.low, self.high]


class Canvas:
    """Characters (rows, columns) over epochs from first to last, and losses on a log scale."""

    def __init__(self, epochs: Array, scale: LogScale, width: int, height: int) -> None:
        self._first, self._last = epochs[0], max(epochs[-1], epochs[0] + 1)
        self._scale = scale
        self._cells = np.full((height, width), " ")
        self._styles = np.zeros((height, width), int)

    def line(self, epochs: Array, losses: Array, glyphs: Glyphs) -> None:
        """Draw a line: each column of dots spans its highest to its lowest loss."""
        height, width = self._cells.shape
        rows, columns = height * glyphs.dots[0], width * glyphs.dots[1]
        position = self._scale.rows(losses, rows)
        edges = np.interp(np.linspace(self._first, self._last, columns + 1), epochs, position)
        top, bottom = np.minimum(edges[1:], edges[:-1]), np.maximum(edges[1:], edges[:-1])
        share = (epochs - self._first) / (self._last - self._first)
        column = np.minimum((share * columns).astype(int), columns - 1)
        np.minimum.at(top, column, position)
        np.maximum.at(bottom, column, position)
        row = np.arange(rows)[:, np.newaxis]
        dots = (row >= np.rint(top)) & (row <= np.rint(bottom))
        self._fill(dots.reshape(height, glyphs.dots[0], width, glyphs.dots[1]), glyphs)

    def _fill(self, dots: Array, glyphs: Glyphs) -> None:
        if glyphs.dots == (1, 1):
            self._cells[dots[:, 0, :, 0]] = glyphs.line
            return
        code = np.einsum("iajb,ab->ij", dots, _DOTS)
        self._cells[code > 0] = [chr(0x2800 + bits) for bits in code[code > 0].tolist()]

    def marks(self, epochs: Array, losses: Array) -> None:
        """Draw a mark in every other column, so that a line behind the marks stays visible."""
        height, width = self._cells.shape
        column = np.arange(0, width, 2)
        at = self._first + (column + 0.5) / width * (self._last - self._first)
        row = np.rint(self._scale.rows(np.interp(at, epochs, losses), height)).astype(int)
        self._cells[row, column] = VAL_MARK
        self._styles[row, column] = _STYLES.index(VAL)

    def best(self, mark: Mark, glyphs: Glyphs) -> None:
        """Draw the mark of the best epoch above everything else."""
        height, width = self._cells.shape
        share = (mark.epoch - self._first) / (self._last - self._first)
        row = round(float(self._scale.rows(np.array(mark.loss), height)))
        column = min(int(share * width), width - 1)
        self._cells[row, column] = glyphs.best
        self._styles[row, column] = _STYLES.index(BEST)

    def lines(self, glyphs: Glyphs) -> list[Line]:
        """Return the lines of the plot with both axes."""
        height, width = self._cells.shape
        labels = self._labels(height)
        lines = []
        for row in range(height):
            axis = glyphs.ticked if row in labels else glyphs.axis
            margin = Segment(f"{labels.get(row, ''):>{_LABEL_WIDTH}} {axis}", DIM)
            lines.append([margin, *self._row(row)])
        return [*lines, *self._epoch_axis(width, glyphs)]

    def _row(self, row: int) -> Line:
        """Return a row in segments of equal style."""
        text, styles = "".join(self._cells[row].tolist()), self._styles[row]
        changes = np.flatnonzero(styles[1:] != styles[:-1]) + 1
        edges = [0, *changes.tolist(), len(text)]
        return [Segment(text[start:end], _STYLES[styles[start]]) for start, end in pairwise(edges)]

    def _labels(self, height: int) -> dict[int, str]:
        """Return tick labels of the loss axis by row."""
        ticks = self._scale.ticks(height)
        rows = np.rint(self._scale.rows(np.array(ticks), height)).astype(int).tolist()
        return {row: rounded(tick, 3) for row, tick in zip(rows, ticks, strict=True)}

    def _epoch_axis(self, width: int, glyphs: Glyphs) -> list[Line]:
        """The axis with its ticks; the line below has its name and the numbers of the ticks."""
        margin = _LABEL_WIDTH + 2
        axis, numbers = [glyphs.rule] * width, [" "] * width
        span, end = self._last - self._first, -1
        for epoch in epoch_ticks(self._first, self._last, width):
            column, label = round((epoch - self._first) / span * (width - 1)), str(epoch)
            start = min(max(column - (len(label) - 1) // 2, 0), width - len(label))
            if start > end:
                axis[column] = glyphs.tick
                end = start + len(label)
                numbers[start:end] = label
        line = f"{glyphs.corner:>{margin}}{''.join(axis)}"
        name = f"{_AXIS_NAME:>{_LABEL_WIDTH}}  "
        return [[Segment(line, DIM)], [Segment(name + "".join(numbers), DIM)]]


def epoch_ticks(first: float, last: float, width: int) -> list[int]:
    """Return round epochs from first to last, far enough apart on an axis of this width.

    If fewer than two are, both ends are returned.
    """
    gap = max(_LEAST_GAP, len(str(int(last))) + 3)
    least = (last - first) * gap / max(1, width - 1)
    power = 10 ** max(0, math.floor(math.log10(max(1, least))))
    step = next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least)
    ticks = [*range(math.ceil(first / step) * step, int(last) + 1, step)]
    return ticks if len(ticks) > 1 else [int(first), int(last)]


def curve(
    epochs: Array,
    train: Array,
    val: Array,
    width: int,
    height: int,
    glyphs: Glyphs,
    best: Mark | None = None,
) -> list[Line]:
    """Plot the training loss as a line and the validation loss as marks, in `height` lines.

    `train` and `val` belong to the `epochs`, which increase; infinite losses and NaN are skipped.
    `best` is the best epoch, marked if it is not before the first one.
    """
    mark = None if best is None or best.epoch < epochs[0] else best
    scale = LogScale.over(np.concatenate([train, val, [mark.loss] if mark else []]))
    canvas = Canvas(epochs, scale, width - _LABEL_WIDTH - 2, height - 2)
    has_train, has_val = np.isfinite(train), np.isfinite(val)
    if has_train.any():
        canvas.line(epochs[has_train], train[has_train], glyphs)
    if has_val.any():
        canvas.marks(epochs[has_val], val[has_val])
    if mark:
        canvas.best(mark, glyphs)
    return canvas.lines(glyphs)
