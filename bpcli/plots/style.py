"""How plots look, and how they become files.

matplotlib is imported when a plot is drawn, and draws into memory: there is no display, and no
settings but those of this file. What tells lines apart are colours and dashes, and what tells
areas apart are colours and hatches, so that nothing is lost in grey.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

FORMATS = {".svg": {"Date": None}, ".png": {}, ".pdf": {"CreationDate": None}}
"""The kinds of plot, with what keeps the time of drawing out of them."""

DPI = 150
"""Dots an inch of a plot that has dots."""

# Okabe & Ito 2008, Color Universal Design: told apart by colour-blind readers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("solid", "dashed", "dashdot", "dotted")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "oooo")


def colour(number: int) -> str:
    """The colour of the line or class with a number, from 0."""
    return COLOURS[number % len(COLOURS)]


def dashes(number: int) -> str:
    """The dashes of the line with a number: neighbours differ."""
    return DASHES[number % len(DASHES)]


def marker(number: int) -> str:
    """The marker of the class with a number: neighbours differ."""
    return MARKERS[number % len(MARKERS)]


class LineStyle(NamedTuple):
    """How one of several lines is drawn."""

    colour: str
    dashes: str
    marker: str


def line_style(number: int) -> LineStyle:
    """The style of the line with a number, from 0."""
    return LineStyle(colour(number), dashes(number), marker(number))


def ordered_style(number: int, count: int) -> LineStyle:
    """As `line_style`, for lines in an order such as layers: many go from dark to light.

    cividis, which looks the same to colour-blind readers (Nuñez, Anderton & Renslow 2018).
    """
    if count <= len(DASHES):
        return line_style(number)
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    shade = to_hex(colormaps["cividis"](0.9 * number / (count - 1)))
    return LineStyle(shade, dashes(number), marker(number))


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with these settings alone: make figures and save them in here."""
    from matplotlib import rc_context, style

    with style.context("default"), rc_context({"svg.hashsalt": "bpnet"}):
        yield


def rendered(figure: Figure, suffix: str) -> bytes:
    """A figure in the format of a suffix; equal figures give equal bytes."""
    buffer = io.BytesIO()
    with house_style():
        _settle(figure)
        figure.savefig(buffer, format=suffix[1:], dpi=DPI, metadata=FORMATS[suffix])
    return buffer.getvalue()


def rendered_pages(figures: Sequence[Figure]) -> bytes:
    """A pdf with a page for each figure."""
    from matplotlib.backends.backend_pdf import PdfPages

    buffer = io.BytesIO()
    with house_style(), PdfPages(buffer, metadata=FORMATS[".pdf"]) as pages:
        for figure in figures:
            _settle(figure)
            pages.savefig(figure)
    return buffer.getvalue()


def _settle(figure: Figure) -> None:
    """Lay a figure out for good, with places that are rounded.

    The last digits of the layout's linear equations depend on where they stand in memory.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    _round_places(figure)


_STEPS = 2.0**17
"""Places are multiples of its inverse: margins of so many inches are never halfway between two.

Decimals would be: matplotlib's margin of 0.04167 inches is 0.006945 of a width of 6 inches.
"""


def on_grid(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Relative places, rounded so that errors of the last digits make no difference."""
    return (points * _STEPS).round() / _STEPS


def _round_places(figure: Figure | SubFigure) -> None:
    """Of the axes and parts of a figure, relative to the figure."""
    from matplotlib.transforms import Bbox

    for axes in figure.axes:
        corners = axes.get_position(original=True).get_points()
        axes.set_position(Bbox(on_grid(corners)))
        axes.set_in_layout(True)  # `set_position` takes it out
    for part in figure.subfigs:
        box = part.bbox_relative
        box.p0, box.p1 = on_grid(box.p0), on_grid(box.p1)
        _round_places(part)


def literal(text: str, most: int = 50) -> str:
    """A name from the user as it is drawn: on one line, never mathematics, of so many characters.

    What the font lacks, matplotlib would draw as a box with a warning: the box alone is drawn.
    """
    known = _characters()
    visible = "".join(c if ord(c) in known else "\N{WHITE SQUARE}" for c in text)
    if len(visible) > most:
        visible = visible[: most - most // 3 - 1] + "…" + visible[-(most // 3) :]
    return visible.replace("$", r"\$")


@cache
def _characters() -> frozenset[int]:
    """The characters of the font that matplotlib ships."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
    return frozenset(code for code in font.get_charmap() if chr(code).isprintable())
