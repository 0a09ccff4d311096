"""A fault in a config: what is wrong, where, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from bpcli.errors import ConfigError
from bpcli.text import text_width, visible


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
    carets = "^" * max(1, text_width(within))
    return f"    {before}{within}{after}\n    {' ' * text_width(before)}{carets}"


_EXCERPT = 76
_LONGEST_OPTION = 120
