"""A sheet: one figure with several plots side by side, each in a subfigure of its own size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from bpcli.plots.base import Panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


Size: TypeAlias = tuple[float, float]
"""Width and height in inches."""

_WIDTH = 24.0
"""The largest width of a sheet, in inches."""

_LEAST = 1e-6
"""Less free space than this, in inches, is a rounding error."""


def sheet(sizes: Sequence[Size]) -> tuple[Figure, list[SubFigure]]:
    """A figure with a subfigure of each size, in order, in rows as high as their highest plot."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = _rows(sizes)
    width = max(sum(size[0] for size in row) for row in rows)
    heights = [max(size[1] for size in row) for row in rows]
    layout = ConstrainedLayoutEngine(wspace=0, hspace=0)  # relative to the sheet, so too wide
    figure = Figure(figsize=(width, sum(heights)), layout=layout)
    bands = figure.subfigures(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
    panels: list[SubFigure] = []
    for band, row, height in zip(bands, rows, heights, strict=True):
        widths = _with_rest([size[0] for size in row], width)
        cells = band.subfigures(1, len(widths), squeeze=False, width_ratios=widths)[0]
        panels += [_top_of(cell, size[1], height) for cell, size in zip(cells, row, strict=False)]
    return figure, panels


def _rows(sizes: Sequence[Size]) -> list[list[Size]]:
    """The sizes in order, with as many per row as fit."""
    rows: list[list[Size]] = []
    free = 0.0
    for size in sizes:
        if size[0] > free:
            rows.append([])
            free = _WIDTH
        rows[-1].append(size)
        free -= size[0]
    return rows


def _top_of(cell: Panel, height: float, whole: float) -> SubFigure:
    """The upper part of a cell, of this height."""
    heights = _with_rest([height], whole)
    top: SubFigure = cell.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[0, 0]
    return top


def _with_rest(lengths: list[float], whole: float) -> list[float]:
    """The lengths, and the rest of the whole if there is any."""
    rest = whole - sum(lengths)
    return [*lengths, rest] if rest > _LEAST else lengths
