"""Several pictures in one file, beside each other: as dots, or as drawings within a drawing."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bpcli.plots.style import DPI, dots, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Placed(NamedTuple):
    """A picture with its distance from the left and from the top, in inches."""

    figure: Figure
    left: float
    top: float


_POINTS = 72
"""Points an inch: matplotlib's unit in an svg."""


def _png(placed: Sequence[Placed]) -> bytes:
    """The pictures' dots on white."""
    from matplotlib.image import imsave

    width, height = (math.ceil(length * DPI) for length in _size(placed))
    canvas = np.full((height, width, 3), 255, np.uint8)
    for figure, left, top in placed:
        drawn, row, column = dots(figure), int(top * DPI), int(left * DPI)
        canvas[row : row + len(drawn), column : column + drawn.shape[1]] = drawn
    buffer = io.BytesIO()
    imsave(buffer, canvas, format="png", dpi=DPI)
    return buffer.getvalue()


def _svg(placed: Sequence[Placed]) -> bytes:
    """The pictures' own documents, one in the other; what they share has the same name in each."""
    width, height = (length * _POINTS for length in _size(placed))
    parts = [_within(*each) for each in placed]
    head = (
        '<?xml version="1.0" encoding="utf-8" standalone="no"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width:g}pt" height="{height:g}pt" viewBox="0 0 {width:g} {height:g}" '
        'version="1.1">\n<rect width="100%" height="100%" fill="white"/>\n'
    )
    return (head + "\n".join([*parts, "</svg>", ""])).encode()


def _within(figure: Figure, left: float, top: float) -> str:
    """A picture's svg element, at its place in another one."""
    text = picture(figure, ".svg").decode()
    element = text[text.index("<svg") :].strip()
    width, height = (length * _POINTS for length in figure.get_size_inches())
    place = f'x="{left * _POINTS:g}" y="{top * _POINTS:g}" width="{width:g}" height="{height:g}"'
    return re.sub(r'width="[^"]*" height="[^"]*"', place, element, count=1)


def _size(placed: Sequence[Placed]) -> tuple[float, float]:
    """What holds all of them, in inches."""
    sizes = [figure.get_size_inches() for figure, _, _ in placed]
    return (
        max(left + size[0] for (_, left, _), size in zip(placed, sizes, strict=True)),
        max(top + size[1] for (_, _, top), size in zip(placed, sizes, strict=True)),
    )


SHEETS: dict[str, Callable[[Sequence[Placed]], bytes]] = {".png": _png, ".svg": _svg}
