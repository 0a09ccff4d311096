"""A sheet: one figure with several plots, each in a subfigure of its own size.

A plot stands as high up as it fits, then as far left, so that low plots fill the room beside high
ones. The width of the sheet is the one of several that leaves little of it empty; if that saves
much, large plots come first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

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


@dataclass(frozen=True)
class Place:
    """A rectangle in inches, from the sheet's upper left corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


def sheet(sizes: Sequence[Size]) -> tuple[Figure, list[SubFigure]]:
    """A figure with a subfigure of each size, in order."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    places = arranged(sizes)
    width, height = _extent(places)
    layout = ConstrainedLayoutEngine(wspace=0, hspace=0)  # relative to the sheet, so too wide
    figure = Figure(figsize=(width, height), layout=layout)
    across = _edges([width, *(edge for place in places for edge in (place.left, place.right))])
    down = _edges([height, *(edge for place in places for edge in (place.top, place.bottom))])
    grid = figure.add_gridspec(
        len(down) - 1,
        len(across) - 1,
        width_ratios=[right - left for left, right in pairwise(across)],
        height_ratios=[bottom - top for top, bottom in pairwise(down)],
    )
    cells = [
        grid[_between(down, place.top, place.bottom), _between(across, place.left, place.right)]
        for place in places
    ]
    return figure, [figure.add_subfigure(cell) for cell in cells]


def arranged(sizes: Sequence[Size]) -> list[Place]:
    """The places of plots on the best sheet: little is empty, and it is not very long."""
    in_order = range(len(sizes))
    largest_first = sorted(in_order, key=lambda index: -sizes[index][0] * sizes[index][1])
    sheets = [
        (factor * _cost(places), places)
        for factor, order in ((1.0, in_order), (_OUT_OF_ORDER, largest_first))
        for places in (_placed(sizes, order, width) for width in _widths(sizes))
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


def _cost(places: Sequence[Place]) -> float:
    """The area of the sheet, more for another shape than the preferred one."""
    width, height = _extent(places)
    return width * height * (1 + _SHAPE_COUNTS * abs(math.log(width / height / _SHAPE)))


def _extent(places: Sequence[Place]) -> Size:
    return max(place.right for place in places), max(place.bottom for place in places)


def _placed(sizes: Sequence[Size], order: Iterable[int], width: float) -> list[Place]:
    """The places on a sheet of this width, which is not less than that of any plot."""
    places: dict[int, Place] = {}
    for index in order:
        own, height = sizes[index]
        lefts = [0.0, *(place.right + _GUTTER for place in places.values())]
        fitting = [left for left in lefts if left + own <= width + _LEAST]
        top, left = min((_floor(places.values(), left, own), left) for left in fitting)
        places[index] = Place(left, top, own, height)
    return [places[index] for index in range(len(sizes))]


def _floor(places: Iterable[Place], left: float, width: float) -> float:
    """How far down the places above a strip reach, with room below them."""
    above = (
        place.bottom + _GUTTER
        for place in places
        if place.left < left + width + _GUTTER - _LEAST and left < place.right + _GUTTER - _LEAST
    )
    return max(above, default=0.0)


def _edges(lengths: Iterable[float]) -> list[float]:
    """0 and the different lengths in order."""
    edges = [0.0]
    for length in sorted(lengths):
        if length > edges[-1] + _LEAST:
            edges.append(length)
    return edges


def _between(edges: Sequence[float], start: float, stop: float) -> slice:
    """The cells from one edge to another."""
    first, last = (
        min(range(len(edges)), key=lambda index: abs(edges[index] - position))
        for position in (start, stop)
    )
    return slice(first, last)
