"""The heading of a plot: what is shown, and below it in small grey type the run and details."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bpcli.plots.style import MUTED
from bpcli.text import text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

_TITLE, _DETAILS = 14.0, 9.5
"""Font sizes in points."""

_LEFT = 0.12
"""The margin on the left, in inches."""

_EM = 0.58
"""The usual width of a character, as a fraction of the font size."""

SEPARATOR = " · "


def heading(figure: Figure | SubFigure, title: str, *details: str) -> None:
    """Write a heading: the title, and the details that are not empty below it.

    Constrained layout makes room for one title, so the title has empty lines for the details.
    """
    from matplotlib.text import Annotation

    width = figure.bbox.width / figure.dpi - 2 * _LEFT
    lines = _joined(filter(None, details), width)
    titles = _wrapped(title, width, _TITLE)
    above = figure.suptitle(
        "\n".join(titles) + "\n" * len(lines), x=_LEFT / (width + 2 * _LEFT), ha="left",
        fontsize=_TITLE, linespacing=1.25, gid=TITLE,
    )  # fmt: skip
    below = Annotation(
        "\n".join(lines), xy=(0, 1), xycoords=above, ha="left", va="top", linespacing=1.45,
        xytext=(0, -1.35 * _TITLE * len(titles)), textcoords="offset points",
        fontsize=_DETAILS, color=MUTED, gid=DETAILS,
    )  # fmt: skip
    figure.add_artist(below)


TITLE, DETAILS = "title", "details"
"""The group ids of the two texts."""


def _joined(details: Iterable[str], width: float) -> list[str]:
    """The lines of details; a line breaks within a detail only if it has no room on a line."""
    lines: list[str] = []
    for detail in details:
        longer = f"{lines[-1]}{SEPARATOR}{detail}" if lines else detail
        whole = _wrapped(longer, width, _DETAILS)
        lines[-1:] = whole if len(whole) == 1 else [*lines[-1:], *_wrapped(detail, width, _DETAILS)]
    return lines


def _wrapped(text: str, width: float, size: float) -> list[str]:
    """The lines of a text that fit into a width in inches."""
    most = max(12, int(width * 72 / (_EM * size)))
    wide = text_width(text) / max(1, len(text))
    return textwrap.wrap(text, int(most / max(1.0, wide)), break_on_hyphens=False)
