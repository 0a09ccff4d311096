"""The issues of a config as one error: in the order of their lines, each with its line's text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bpcli.config.look_alikes import with_hint
from bpcli.errors import ConfigError, ConfigIssue, Mark
from bpcli.text import text_width, visible


def config_error(name: str, text: str, issues: Iterable[ConfigIssue]) -> ConfigError:
    """All issues of a text as one error: issues of `--set` first, then in the order of lines."""
    lines = lines_of(text)
    unique = {(issue.message, issue.mark): with_hint(issue, lines) for issue in issues}
    ordered = sorted(unique.values(), key=_order)
    shown = [_render(name, lines, issue) for issue in ordered[:MOST_ISSUES]]
    count = "1 error" if len(ordered) == 1 else f"{len(ordered)} errors"
    if len(ordered) > MOST_ISSUES:
        count = f"the first {MOST_ISSUES} errors"
    placed = [issue if issue.origin else issue._replace(file=name) for issue in ordered]
    return ConfigError("\n".join([*shown, f"{count} in {name}"]), placed[:MOST_ISSUES])


MOST_ISSUES = 100
"""The most issues shown at once: when there are more, they probably share one cause."""


def lines_of(text: str) -> list[str]:
    """The lines of a text as PyYAML counts them, without byte order marks, which have no column."""
    return _LINE_BREAK.split(text.replace("\ufeff", ""))


_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def _order(issue: ConfigIssue) -> tuple[int, int]:
    return (issue.line or 0, issue.column or 0) if issue.origin is None else (-1, 0)


def _render(name: str, lines: list[str], issue: ConfigIssue) -> str:
    mark = issue.mark
    if mark is None:
        return f"{name}: {issue.message}"
    if mark.origin is not None:
        return f"{_short(mark.origin)}: {issue.message}\n{_excerpt(mark.origin, mark)}"
    head = f"{name}:{issue.line}:{issue.column}: {issue.message}"
    return f"{head}\n{_excerpt(lines[mark.line], mark)}" if mark.line < len(lines) else head


def _short(option: str) -> str:
    """An option as a heading, shortened; the line below it shows the part that matters."""
    return visible(
        option if len(option) <= _LONGEST_OPTION else f"{option[: _LONGEST_OPTION - 3]}..."
    )


def _excerpt(line: str, mark: Mark) -> str:
    """The line, or the part of a long line around the mark, with carets under the exact text."""
    start = max(0, mark.column - _EXCERPT // 2)
    end = min(mark.end_column, start + _EXCERPT)
    pieces = (line[start : mark.column], line[mark.column : end], line[end : start + _EXCERPT])
    before, within, after = (visible(piece.replace("\t", "    ")) for piece in pieces)
    carets = "^" * max(1, text_width(within))
    return f"    {before}{within}{after}\n    {' ' * text_width(before)}{carets}"


_EXCERPT = 76
_LONGEST_OPTION = 120
