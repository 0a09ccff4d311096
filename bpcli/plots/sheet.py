"""A sheet: one figure with several plots, each in a subfigure of its own size.

Plots stand in rows as high as their highest plot; beside a high plot, low ones stand above each
other. The width of the sheet is the one of several that leaves little of it empty; if that saves
much, large plots come first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from bpcli.plots.base import Panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


Size: TypeAlias = tuple[float, float]
"""Width and height in inches."""

_WIDTH = 24.0
"""The largest width of a sheet of several plots that are narrower, in inches."""

_SHAPE, _SHAPE_COUNTS = 1.4, 0.25
"""The preferred width by height of a sheet, and how much another one counts."""

_GUTTER = 0.35
"""The room between two plots, in inches."""

_OUT_OF_ORDER = 1.12
"""The factor of the cost of a sheet on which large plots come first."""

_LEAST = 1e-6
"""Shorter lengths than this, in inches, are rounding errors."""


@dataclass
class Stack:
    """Plots above each other, by their index in the list of sizes."""

    plots: list[int]
    width: float
    height: float


@dataclass
class Row:
    """Stacks beside each other."""

    stacks: list[Stack]

    @property
    def width(self) -> float:
        return sum(stack.width for stack in self.stacks) + _GUTTER * (len(self.stacks) - 1)

    @property
    def height(self) -> float:
        return max(stack.height for stack in self.stacks)


def sheet(sizes: Sequence[Size]) -> tuple[Figure, list[SubFigure]]:
    """A figure with a subfigure of each size, in order."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = arranged(sizes)
    width, height = extent(rows)
    layout = ConstrainedLayoutEngine(wspace=0, hspace=0)  # relative to the sheet, so too wide
    figure = Figure(figsize=(width, height), layout=layout)
    panels: dict[int, SubFigure] = {}
    bands = _below_each_other(figure, [row.height for row in rows], height)
    for band, row in zip(bands, rows, strict=True):
        cells = _beside_each_other(band, [stack.width for stack in row.stacks], width)
        for cell, stack in zip(cells, row.stacks, strict=True):
            heights = [sizes[index][1] for index in stack.plots]
            places = _below_each_other(cell, heights, row.height)
            for index, subfigure in zip(stack.plots, places, strict=True):
                panels[index] = _beside_each_other(subfigure, [sizes[index][0]], stack.width)[0]
    return figure, [panels[index] for index in range(len(sizes))]


def _below_each_other(panel: Panel, heights: Sequence[float], whole: float) -> list[SubFigure]:
    """Subfigures of these heights, with gutters and what is left of the whole between them."""
    ratios = _with_gutters(heights, whole)
    grid = panel.subfigures(len(ratios), 1, squeeze=False, height_ratios=ratios)
    return list(grid[::2, 0])[: len(heights)]


def _beside_each_other(panel: Panel, widths: Sequence[float], whole: float) -> list[SubFigure]:
    """Subfigures of these widths, with gutters and what is left of the whole between them."""
    ratios = _with_gutters(widths, whole)
    grid = panel.subfigures(1, len(ratios), squeeze=False, width_ratios=ratios)
    return list(grid[0, ::2])[: len(widths)]


def _with_gutters(lengths: Sequence[float], whole: float) -> list[float]:
    """The lengths, a gutter after each but the last, and the rest of the whole if there is any."""
    ratios = [ratio for length in lengths for ratio in (length, _GUTTER)][:-1]
    rest = whole - sum(ratios)
    return [*ratios, rest] if rest > _LEAST else ratios


def arranged(sizes: Sequence[Size]) -> list[Row]:
    """The rows of the best sheet: little is empty, and it is not very long."""
    in_order = range(len(sizes))
    largest_first = sorted(in_order, key=lambda index: -sizes[index][0] * sizes[index][1])
    sheets = [
        (factor * _cost(rows), rows)
        for factor, order in ((1.0, in_order), (_OUT_OF_ORDER, largest_first))
        for rows in (_rows(sizes, order, width) for width in _widths(sizes))
    ]
    return min(sheets, key=lambda sheet: sheet[0])[1]


def _widths(sizes: Sequence[Size]) -> list[float]:
    """Widths in which some neighbours fill a row."""
    widest = max(width for width, _ in sizes)
    sums = {
        round(sum(width + _GUTTER for width, _ in sizes[start:stop]) - _GUTTER, 6)
        for start in range(len(sizes))
        for stop in range(start + 1, len(sizes) + 1)
    }
    return sorted({widest, *(width for width in sums if widest < width <= _WIDTH)})


def _cost(rows: Sequence[Row]) -> float:
    """The area of the sheet, more for another shape than the preferred one."""
    width, height = extent(rows)
    return width * height * (1 + _SHAPE_COUNTS * abs(math.log(width / height / _SHAPE)))


def extent(rows: Sequence[Row]) -> Size:
    """Width and height of a sheet of these rows."""
    heights = sum(row.height for row in rows) + _GUTTER * (len(rows) - 1)
    return max(row.width for row in rows), heights


def _rows(sizes: Sequence[Size], order: Iterable[int], width: float) -> list[Row]:
    """The rows of a sheet of this width, which is not less than that of any plot."""
    rows: list[Row] = []
    for index in order:
        if not (rows and _add(rows[-1], index, sizes[index], width)):
            rows.append(Row([Stack([index], *sizes[index])]))
    return rows


def _add(row: Row, index: int, size: Size, width: float) -> bool:
    """Put a plot below others of a row, or beside them; False if there is no room."""
    for stack in row.stacks:
        wider = max(0.0, size[0] - stack.width)
        higher = stack.height + _GUTTER + size[1]
        if higher <= row.height + _LEAST and row.width + wider <= width + _LEAST:
            stack.plots.append(index)
            stack.width, stack.height = stack.width + wider, higher
            return True
    has_room = row.width + _GUTTER + size[0] <= width + _LEAST
    if has_room:
        row.stacks.append(Stack([index], *size))
    return has_room
