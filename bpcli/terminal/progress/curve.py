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

TRAIN, VAL, DIM, BOLD = (
    Style(color="cyan"),
    Style(color="yellow"),
    Style(dim=True),
    Style(bold=True),
)
VAL_MARK = "o"
_LABEL_WIDTH = 8
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

    @classmethod
    def of_encoding(cls, encoding: str) -> Glyphs:
        """Return braille and boxes if the encoding has them, else ASCII."""
        try:
            "⣿┤━".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return cls((1, 1), "*", "+", "|", "+", "-", "+", "=")
        return cls((4, 2), "⠤", "┤", "│", "└", "─", "┬", "━")


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
        self._is_mark = np.zeros((height, width), bool)

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
        self._is_mark[row, column] = True

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
        text, is_mark = "".join(self._cells[row].tolist()), self._is_mark[row]
        changes = np.flatnonzero(is_mark[1:] != is_mark[:-1]) + 1
        edges = [0, *changes.tolist(), len(text)]
        return [
            Segment(text[start:end], VAL if is_mark[start] else TRAIN)
            for start, end in pairwise(edges)
        ]

    def _labels(self, height: int) -> dict[int, str]:
        """Return tick labels of the loss axis by row."""
        ticks = self._scale.ticks(height)
        rows = np.rint(self._scale.rows(np.array(ticks), height)).astype(int).tolist()
        return {row: rounded(tick, 3) for row, tick in zip(rows, ticks, strict=True)}

    def _epoch_axis(self, width: int, glyphs: Glyphs) -> list[Line]:
        margin = _LABEL_WIDTH + 2
        axis, numbers = [glyphs.rule] * width, [" "] * (margin + width)
        for share in np.linspace(0, 1, max(2, min(6, width // 15))).tolist():
            column = round(share * (width - 1))
            axis[column] = glyphs.tick
            label = str(round(self._first + share * (self._last - self._first)))
            end = min(len(numbers), margin + column + len(label) // 2 + 1)
            numbers[end - len(label) : end] = label
        line = " " * (margin - 1) + glyphs.corner + "".join(axis)
        return [[Segment(line, DIM)], [Segment("".join(numbers), DIM)]]


def curve(
    epochs: Array, train: Array, val: Array, width: int, height: int, glyphs: Glyphs
) -> list[Line]:
    """Plot the training loss as a line and the validation loss as marks, in `height` lines.

    `train` and `val` belong to the `epochs`, which increase; infinite losses and NaN are skipped.
    """
    scale = LogScale.over(np.concatenate([train, val]))
    canvas = Canvas(epochs, scale, width - _LABEL_WIDTH - 2, height - 2)
    has_train, has_val = np.isfinite(train), np.isfinite(val)
    if has_train.any():
        canvas.line(epochs[has_train], train[has_train], glyphs)
    if has_val.any():
        canvas.marks(epochs[has_val], val[has_val])
    return canvas.lines(glyphs)
