"""Text and numbers made fit to be shown: widths on a line, escapes, quotations, suggestions."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from unicodedata import combining, east_asian_width


def visible(text: str) -> str:
    """The text with nothing in it that could steer a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def text_width(text: str) -> int:
    """The places a text takes on a line: two for a wide character, none for a mark above one."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 1 + (east_asian_width(c) in "WF") for c in text)


def did_you_mean(found: object, allowed: Iterable[str]) -> str:
    """`; did you mean x?` where something allowed is close to what was found, else nothing."""
    meant = suggestion(found, allowed)
    return f"; did you mean `{meant}`?" if meant else ""


def suggestion(found: object, allowed: Iterable[str]) -> str | None:
    """What is allowed and close to what was found."""
    if not isinstance(found, str | list) or len(str(found)) > _LONGEST_NAME:
        return None  # a number is near to no word
    import difflib

    close = difflib.get_close_matches(str(found).lower(), list(allowed), n=1, cutoff=0.6)
    return close[0] if close else None


_LONGEST_NAME = 40


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
    """A text on one line, of so many characters, none of which could steer the terminal."""
    shown = visible(text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def harmless(text: str) -> str:
    """Lines, and the tabs between columns, with nothing else that could steer a terminal."""
    lines = ("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))
    return "\n".join(lines)


def printable_json(text: str) -> str:
    """The same JSON document, with an escape for every character that could steer a terminal.

    JSON itself escapes those below U+0020, and line breaks stand between its values alone.
    """
    if all(map(str.isprintable, text.split("\n"))):
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def wrapped(line: str, width: int) -> list[str]:
    """The line, broken between words where it is too wide; a command at its end stays whole."""
    if len(line) <= width:
        return [line]
    prose, colon, command = re.fullmatch(r"(.*?)(?:(: )(bpnet .*))?", line, re.DOTALL).groups()  # type: ignore[union-attr]  # anything matches
    lines = textwrap.wrap(
        prose + (":" if colon else ""), width, break_long_words=False, break_on_hyphens=False
    )
    return [*lines, command] if colon else lines


def rounded(value: float | None, digits: int = 6) -> str:
    """A number with so many significant digits; a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}g}"


def duration(seconds: float) -> str:
    """A time span in the unit that suits it."""
    for factor, unit in ((1e-6, "us"), (1e-3, "ms")):
        if seconds < 1000 * factor:
            return f"{seconds / factor:.3g} {unit}"
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
