"""Fonts for the characters of labels that matplotlib's own font does not have.

The own font has Latin, Greek, Cyrillic, Hebrew and Arabic letters, and comes with matplotlib, so
plots of equal runs are equal on all computers. For other characters, such as Chinese ones, the
installed fonts are looked through once per process, when a label has such a character.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bpcli.data.types import Labels

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure, SubFigure

OWN, GENERIC = "DejaVu Sans", "sans-serif"
"""The own font, and what viewers of .svg files use that have none of the named fonts."""

BOX = "\N{WHITE SQUARE}"
"""What is drawn for a character that no font has."""

_missing: ContextVar[set[str] | None] = ContextVar("missing", default=None)


@contextmanager
def missing_characters() -> Iterator[set[str]]:
    """A context that gives the set of the characters for which boxes are drawn in it.

    Controls are not among them, such as those that turn the direction of a line: no font has them.
    """
    missing: set[str] = set()
    token = _missing.set(missing)
    try:
        yield missing
    finally:
        _missing.reset(token)


def drawable(text: str) -> str:
    """The text with a box for each character that no installed font has."""
    shown = [c if _has_font(c) else BOX for c in text]
    missing = _missing.get()
    if missing is not None:
        boxed = (c for c, box in zip(text, shown, strict=True) if box != c)
        missing.update(c for c in boxed if unicodedata.category(c) not in _CONTROLS)
    return "".join(shown)


_CONTROLS = ("Cc", "Cf")


def families_for(text: str) -> list[str]:
    """The fonts that draw a text together, if the own one does not suffice; else none."""
    if text.isascii():
        return []
    others = [c for c in text if ord(c) not in own_characters()]
    region = _region(text)
    preferred = (_family_with(c, region) for c in dict.fromkeys(others))
    families = dict.fromkeys(family for family in preferred if family is not None)
    return [OWN, *families, GENERIC] if families else []


def set_fonts(figure: Figure | SubFigure) -> None:
    """Give the texts of a figure, and the labels of its ticks, fonts with their characters."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        families = families_for(text.get_text())
        if families:
            text.set_fontfamily(families)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _set_tick_fonts(axis)


def _set_tick_fonts(axis: Axis) -> None:
    """Set the font of ticks with names; they are made later."""
    from matplotlib.ticker import FixedLocator

    if isinstance(axis.get_major_locator(), FixedLocator):
        names = "".join(label.get_text() for label in axis.get_ticklabels())
        families = families_for(names)
        if families:
            axis.set_tick_params(labelfontfamily=families)


def note_on_fonts(missing: Iterable[str]) -> str:
    """Say which characters are drawn as boxes, and which Debian packages have fonts for them."""
    characters = sorted(missing)
    if not characters:
        return ""
    shown = " ".join(_shown(c) for c in characters[:_MOST_NAMED])
    rest = f" and {len(characters) - _MOST_NAMED:,} more" * (len(characters) > _MOST_NAMED)
    packages = dict.fromkeys(filter(None, map(_package, characters)))
    remedy = (
        f"install one, on Debian or Ubuntu with `apt install {' '.join(packages)}`, and draw again"
        if packages
        else "use other names"
    )
    return f"boxes are drawn for characters that no installed font has ({shown}{rest}): {remedy}"


_MOST_NAMED = 12


def _shown(character: str) -> str:
    return character if character.isprintable() else f"U+{ord(character):04X}"


def _package(character: str) -> str | None:
    """The Debian package with a font for a character; None if there is none."""
    category = unicodedata.category(character)
    if category[0] == "C":
        return None
    name = unicodedata.name(character, "")
    if unicodedata.east_asian_width(character) in "WF" and name.startswith(_EAST_ASIAN):
        return "fonts-noto-cjk"
    return "fonts-symbola" if category == "So" else "fonts-noto-core"


_EAST_ASIAN = (
    "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "IDEOGRAPHIC", "KANGXI"
)  # fmt: skip


@cache
def own_characters() -> frozenset[int]:
    """The characters of the font that matplotlib ships."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
    return frozenset(code for code in font.get_charmap() if chr(code).isprintable())


def _has_font(character: str) -> bool:
    return ord(character) in own_characters() or _file_with(character) is not None


def _region(text: str) -> str:
    """Whose forms of Chinese characters a text needs: JP, KR or, without a hint, SC."""
    names = " ".join(unicodedata.name(c, "") for c in text if ord(c) > 0x1100)
    if "HIRAGANA" in names or "KATAKANA" in names:
        return "JP"
    return "KR" if "HANGUL" in names else "SC"


@cache
def _family_with(character: str, region: str) -> str | None:
    """The name of the installed font that draws a character, in the forms of a region."""
    from matplotlib.font_manager import fontManager

    path = _file_with(character)
    if path is None:
        return None
    if not any(entry.fname == path for entry in fontManager.ttflist):
        fontManager.addfont(path)  # matplotlib's list may be older than the font
    names = [entry.name for entry in fontManager.ttflist if entry.fname == path]
    return next((name for name in names if name.endswith(region)), names[0])


@cache
def _file_with(character: str) -> str | None:
    """The file of the best installed font that has a character."""
    if not character.isprintable():
        return None
    return next((path for path in _files() if ord(character) in _codes(path)), None)


@cache
def _codes(path: str) -> Labels:
    """The characters of a font; none if it cannot be drawn, such as bitmaps of emoji.

    The font itself is not kept: it would hold its file open.
    """
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return np.array([], np.intp)
    return np.array([*font.get_charmap()] if font.scalable else [], np.intp)


@cache
def _files() -> tuple[str, ...]:
    """The files of the installed fonts, plain upright sans-serif ones first."""
    from matplotlib.font_manager import findSystemFonts

    return tuple(sorted(findSystemFonts(), key=_rank))


_PREFERRED = (
    "notosanscjk", "notosanssc", "sourcehansans", "notosans", "wqy-microhei", "wqy-zenhei",
    "droidsansfallback", "pingfang", "hiragino", "msyh", "yugoth", "malgun", "applesdgothic",
    "arial", "segoeui",
)  # fmt: skip
_SPECIAL = ("serif", "mono", "bold", "italic", "oblique", "black", "light", "thin", "medium",
            "condensed", "lastresort")  # fmt: skip


def _rank(path: str) -> tuple[int, int, str]:
    """A font's place in the order: by its kind, then by its name."""
    name = Path(path).stem.lower()
    preferred = [number for number, start in enumerate(_PREFERRED) if name.startswith(start)]
    special = sum(word in name for word in _SPECIAL)
    return special, min(preferred, default=len(_PREFERRED)), path
