"""The style of plots, and their conversion to files.

matplotlib is imported when a plot is drawn. It draws into memory, without a display, and with the
settings of bpnet.mplstyle only. Lines differ by colour and dashes, areas by colour and hatches, so
that they can be distinguished in grey.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bpcli.data.types import SplitName
from bpcli.plots.fonts import drawable
from bpcli.text import text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

FORMATS = {".svg": {"Date": None}, ".png": {}, ".pdf": {"CreationDate": None}}
"""The file formats, with metadata that omit the time of drawing."""

DPI = 200
"""Dots per inch of png files."""

SETTINGS = Path(__file__).with_name("bpnet.mplstyle")
"""Sizes, weights, fonts, spines and grids."""

COLOURS = ("#20558A", "#E58A3C", "#17806D", "#7A3367", "#7DB7E8", "#222222", "#E0C23C")
"""Blue, orange, green, plum, sky blue, black, yellow.

Colour-blind readers can tell all of them apart, and the lightness of neighbours differs in grey.
"""

INK, MUTED, FAINT = "#222222", "#6B6B6B", "#C8C8C8"
"""Lines and texts that are not data: strong, as of a fitted line; secondary; in the background."""

REFERENCE: dict[str, Any] = {"color": MUTED, "linewidth": 1, "linestyle": (0, (4, 3))}
"""The style of lines to compare with, such as that of chance or of perfect predictions."""

CURVE_WIDTH = 1.6
"""The width in points of one of several curves; that of a single one is set in the style file."""

MINUS = "\N{MINUS SIGN}"

DASHES = ("solid", "dashed", "dashdot", "dotted")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "oooo")


def colour(number: int) -> str:
    """The colour of a line or class, by its index from 0."""
    return COLOURS[number % len(COLOURS)]


def dashes(number: int) -> str:
    """The dashes of a line, by its index; neighbours differ."""
    return DASHES[number % len(DASHES)]


def marker(number: int) -> str:
    """The marker of a class, by its index; neighbours differ."""
    return MARKERS[number % len(MARKERS)]


class LineStyle(NamedTuple):
    """The style of one of several lines."""

    colour: str
    dashes: str
    marker: str


def line_style(number: int) -> LineStyle:
    """The style of a line, by its index from 0."""
    return LineStyle(colour(number), dashes(number), marker(number))


def split_style(split: SplitName) -> LineStyle:
    """The style of a split, the same in all plots."""
    return line_style({"train": 0, "val": 1, "test": 2, "data": 3}[split])


def ordered_style(number: int, count: int) -> LineStyle:
    """The style of a line among ordered ones such as layers: many lines go from dark to light.

    The colours are cividis, the same for colour-blind readers (Nuñez, Anderton & Renslow 2018).
    """
    if count <= len(DASHES):
        return line_style(number)
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    shade = to_hex(colormaps["cividis"](0.9 * number / (count - 1)))
    return LineStyle(shade, dashes(number), marker(number))


@contextmanager
def house_style() -> Iterator[None]:
    """A context with the settings of the style file, in which figures are made and saved."""
    from matplotlib import style

    with style.context(["default", str(SETTINGS)]):
        yield


def rendered(figure: Figure, suffix: str) -> bytes:
    """A figure in the format of a suffix; equal figures give equal bytes."""
    buffer = io.BytesIO()
    with house_style():
        _settle(figure)
        figure.savefig(buffer, format=suffix[1:], dpi=DPI, metadata=FORMATS[suffix])
    return buffer.getvalue()


def rendered_pages(figures: Sequence[Figure]) -> bytes:
    """A pdf with one page per figure."""
    from matplotlib.backends.backend_pdf import PdfPages

    buffer = io.BytesIO()
    with house_style(), PdfPages(buffer, metadata=FORMATS[".pdf"]) as pages:
        for figure in figures:
            _settle(figure)
            pages.savefig(figure)
    return buffer.getvalue()


def _settle(figure: Figure) -> None:
    """Fix the layout of a figure, with rounded positions.

    The last digits of the layout solver's results depend on memory addresses.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")
    _round_positions(figure)


_STEPS = 2.0**17
"""Positions are multiples of its inverse, so that usual margins are never halfway between two.

With decimal steps they would be: a margin of 0.04167 inches is 0.006945 of a width of 6 inches.
"""


def on_grid(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Relative positions, rounded so that errors in the last digits make no difference."""
    return (points * _STEPS).round() / _STEPS


def _round_positions(figure: Figure | SubFigure) -> None:
    """Round the positions of axes and subfigures, relative to the figure."""
    from matplotlib.transforms import Bbox

    for axes in figure.axes:
        corners = axes.get_position(original=True).get_points()
        axes.set_position(Bbox(on_grid(corners)))
        axes.set_in_layout(True)  # `set_position` removes it from the layout
    for subfigure in figure.subfigs:
        box = subfigure.bbox_relative
        box.p0, box.p1 = on_grid(box.p0), on_grid(box.p1)
        _round_positions(subfigure)


def with_minus(number: str) -> str:
    """A number's text with the minus sign that the labels of axes have."""
    return number.replace("-", MINUS)


def literal(text: str, most: int = 50) -> str:
    """A name from the user as text to draw: one line, no mathematics, at most `most` characters.

    Characters that no installed font has become boxes (`fonts.py`). Wide ones count twice.
    """
    visible = drawable(text)
    if text_width(visible) > most:
        visible = (
            _start(visible, most - most // 3 - 1) + "…" + _start(visible[::-1], most // 3)[::-1]
        )
    return visible.replace("$", r"\$")


def _start(text: str, width: int) -> str:
    """The longest beginning of a text that is no wider."""
    widths = itertools.accumulate(map(text_width, text))
    return text[: sum(each <= width for each in widths)]
