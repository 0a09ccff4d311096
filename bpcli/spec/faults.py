"""A fault in a config: what is wrong, where, and how it is shown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple

from bpcli.errors import ConfigError


class Mark(NamedTuple):
    """A place in the text, counted from 0; or, in `origin`, the option that set the value."""

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
    lines = text.splitlines()
    shown = [_render(name, lines, fault) for fault in ordered]
    count = "1 fault" if len(shown) == 1 else f"{len(shown)} faults"
    return ConfigError("\n".join([*shown, f"{count} in {name}"]))


def _order(mark: Mark | None) -> tuple[int, int]:
    if mark is None or mark.origin is not None:
        return (-1, 0)
    return (mark.line, mark.column)


def _render(name: str, lines: list[str], fault: Fault) -> str:
    mark = fault.mark
    if mark is None:
        return f"{name}: {fault.message}"
    if mark.origin is not None:
        return f"{mark.origin}: {fault.message}"
    head = f"{name}:{mark.line + 1}:{mark.column + 1}: {fault.message}"
    if mark.line >= len(lines):
        return head
    start = max(0, mark.column - _EXCERPT // 2)
    excerpt = lines[mark.line][start : start + _EXCERPT]
    width = max(1, min(mark.end_column, start + len(excerpt)) - mark.column)
    return f"{head}\n    {excerpt}\n    {' ' * (mark.column - start)}{'^' * width}"


_EXCERPT = 76


def did_you_mean(found: object, allowed: Iterable[str]) -> str:
    """`; did you mean x?` where something allowed is close to what was found, else nothing."""
    close = difflib.get_close_matches(str(found).lower(), list(allowed), n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else ""


def shown(value: object) -> str:
    """A value of a config as a message quotes it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"`{value if len(value) <= 40 else value[:37] + '...'}`"
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else repr(value)
