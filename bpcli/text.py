"""Text and numbers for output: widths on a line, escapes, quotations, suggestions."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from unicodedata import category, combining, east_asian_width, is_normalized, normalize

NAMES = "at most 64 letters and digits of any script, - _ and ., the first a letter or digit"
_MOST_BYTES = 200
"""The most bytes of a name in UTF-8. File systems allow 255 for a run's folder, whose name also
contains a date."""


def is_name(text: str) -> bool:
    """Whether a text may name a run or a tag: it satisfies `NAMES`, with composed accents (NFC)."""
    kinds = {category(c)[0] for c in text if c not in "-_."}
    if not text or len(text) > 64 or not kinds <= {*"LMN"} or category(text[0])[0] not in "LN":
        return False
    return is_normalized("NFC", text) and len(text.encode()) <= _MOST_BYTES


def as_name(text: str) -> str:
    """A valid name close to a text; empty if the text has no letter or digit."""
    text = "".join(
        c if c in "-_." or category(c)[0] in "LMN" else "-" for c in normalize("NFC", text)
    )
    text = re.sub(r"-{2,}", "-", text).strip("-_.")[:64]
    while text and not is_name(text):
        text = text[1:] if category(text[0])[0] == "M" else text[:-1]
    return text


def visible(text: str) -> str:
    """The text with escapes for all characters that could control a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def text_width(text: str) -> int:
    """The columns of a text on a terminal: two per wide character, none per combining mark."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 1 + (east_asian_width(c) in "WF") for c in text)


def did_you_mean(value: object, allowed: Iterable[str]) -> str:
    """`; did you mean x?` if something allowed is close to the value, else an empty string."""
    closest = suggestion(value, allowed)
    return f"; did you mean `{closest}`?" if closest else ""


def suggestion(value: object, allowed: Iterable[str]) -> str | None:
    """The allowed name that is closest to the value, if one is close."""
    if not isinstance(value, str | list) or len(str(value)) > _LONGEST_NAME:
        return None  # numbers and long texts resemble no name
    return nearest(str(value), list(allowed))


_LONGEST_NAME = 40


def nearest(text: str, known: Sequence[str]) -> str | None:
    """The known word with the most similar spelling; None if none is similar."""
    import difflib

    by_form = {folded(name): name for name in reversed(known)}
    close = difflib.get_close_matches(folded(text), by_form, n=1)
    return by_form[close[0]] if close else None


def folded(text: str) -> str:
    """The text without differences of case, width, spaces and the composition of accents."""
    return " ".join(normalize("NFKC", normalize("NFKC", text).casefold()).split())


def quoted(value: object) -> str:
    """A value of a config as a message quotes it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"`{visible(value if len(value) <= _LONGEST_NAME else value[:37] + '...')}`"
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def plain(text: str, most: int = 32) -> str:
    """A text on one line of at most `most` characters, escaped as by `visible`."""
    shown = visible(text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def harmless(text: str) -> str:
    """Text with escapes as by `visible`, except for line breaks and tabs."""
    lines = ("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))
    return "\n".join(lines)


def printable_json(text: str) -> str:
    """The same JSON document with escapes for all characters that could control a terminal.

    JSON itself escapes those below U+0020, and line breaks are only between its values.
    """
    if all(map(str.isprintable, text.split("\n"))):
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def wrapped(line: str, width: int) -> list[str]:
    """The line, wrapped between words; a command at its end stays on one line."""
    if len(line) <= width:
        return [line]
    prose, colon, command = re.fullmatch(r"(.*?)(?:(: )(bpnet .*))?", line, re.DOTALL).groups()  # type: ignore[union-attr]  # anything matches
    lines = textwrap.wrap(
        prose + (":" if colon else ""), width, break_long_words=False, break_on_hyphens=False
    )
    return [*lines, command] if colon else lines


def plural(count: int, noun: str) -> str:
    """1 row, 2 rows, 1,000 rows."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def listed(shown: Iterable[str], total: int) -> str:
    """The texts shown, and how many more there are of `total`: a, b and 3 more."""
    texts = list(shown)
    more = total - len(texts)
    return ", ".join(texts) + f" and {more:,} more" * (more > 0)


def listed_names(names: Sequence[str], most: int = 5) -> str:
    """The first names in backticks, and how many more there are."""
    return listed((f"`{name}`" for name in names[:most]), len(names))


def first_of(texts: Sequence[str], most: int = 10) -> str:
    """The first texts, and a sign that there are more: a, b, …"""
    return ", ".join(texts[:most]) + ", …" * (len(texts) > most)


def rounded(value: float | None, digits: int = 6) -> str:
    """A number with at most `digits` significant digits; a dash for None."""
    return "-" if value is None else f"{value:.{digits}g}"


def readable(value: float) -> str:
    """A number for a reader: five significant digits, and all those before the decimal point."""
    if 1e5 <= abs(value) < 1e15 or (value == round(value, 0) and abs(value) < 1e15):
        return f"{value:.0f}"
    return f"{value:.5g}"


def duration(seconds: float) -> str:
    """A time span in a suitable unit."""
    for factor, unit in ((1e-6, "us"), (1e-3, "ms")):
        if seconds < 999.5 * factor:  # three digits show 999.5 as 1e+03
            return f"{seconds / factor:.3g} {unit}"
    if seconds < 119.5:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
