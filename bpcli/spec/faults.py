"""A fault in a config: what is wrong, where, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from unicodedata import combining, east_asian_width

from bpcli.errors import ConfigError


class Mark(NamedTuple):
    """A place in the text, counted from 0; or in `origin`, the option that set the value."""

    line: int
    column: int
    end_column: int
    origin: str | None = None


class Fault(NamedTuple):
    """One thing that is wrong."""

    message: str
    mark: Mark | None


def faults_error(name: str, text: str, faults: Iterable[Fault]) -> ConfigError:
    """All faults as one error: those of `--set` first, then in the order of their lines."""
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: _order(fault.mark))
    lines = lines_of(text)
    shown = [_render(name, lines, fault) for fault in ordered[:MOST_FAULTS]]
    count = "1 fault" if len(ordered) == 1 else f"{len(ordered)} faults"
    if len(ordered) > MOST_FAULTS:
        count = f"the first {MOST_FAULTS} faults"
    return ConfigError("\n".join([*shown, f"{count} in {name}"]))


MOST_FAULTS = 100
"""Faults that are shown at once: where there are more, one misunderstanding is behind them."""


def lines_of(text: str) -> list[str]:
    """The lines of a text as PyYAML counts them, without what it gives no column."""
    return _LINE_BREAK.split(text.replace("\ufeff", ""))


_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def _order(mark: Mark | None) -> tuple[int, int]:
    if mark is None or mark.origin is not None:
        return (-1, 0)
    return (mark.line, mark.column)


def _render(name: str, lines: list[str], fault: Fault) -> str:
    mark = fault.mark
    if mark is None:
        return f"{name}: {fault.message}"
    if mark.origin is not None:
        return f"{_short(mark.origin)}: {fault.message}\n{_excerpt(mark.origin, mark)}"
    head = f"{name}:{mark.line + 1}:{mark.column + 1}: {fault.message}"
    return f"{head}\n{_excerpt(lines[mark.line], mark)}" if mark.line < len(lines) else head


def _short(option: str) -> str:
    """An option as a heading: the line below it shows what a long one has at the place."""
    return visible(
        option if len(option) <= _LONGEST_OPTION else f"{option[: _LONGEST_OPTION - 3]}..."
    )


def _excerpt(line: str, mark: Mark) -> str:
    """The line, or what is around the place in a long one, with carets under the exact text."""
    start = max(0, mark.column - _EXCERPT // 2)
    end = min(mark.end_column, start + _EXCERPT)
    pieces = (line[start : mark.column], line[mark.column : end], line[end : start + _EXCERPT])
    before, within, after = (visible(piece.replace("\t", "    ")) for piece in pieces)
    carets = "^" * max(1, places(within))
    return f"    {before}{within}{after}\n    {' ' * places(before)}{carets}"


_EXCERPT = 76
_LONGEST_OPTION = 120


def visible(text: str) -> str:
    """The text with nothing in it that could steer a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def places(text: str) -> int:
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


def shown(value: object) -> str:
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
