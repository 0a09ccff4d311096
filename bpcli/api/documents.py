"""The documents that `--json` prints, as mappings that are displayed as text or a table."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from bpcli.runs.files import strict_json, to_json
from bpcli.terminal.grid import Grid
from bpcli.terminal.stream import Stream


class Document(dict[str, Any]):
    """A JSON document of plain values, in which a number that is not finite is None.

    `text` is what the command prints; notebooks show it too.
    """

    def __init__(self, document: Mapping[str, Any], text: str, passed: bool = True) -> None:
        super().__init__(strict_json(to_json(document, indent=None)))
        self.text = text
        self._passed = passed

    def __bool__(self) -> bool:
        return self._passed

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<pre style="{_PRE}">{escape(self.text)}</pre>'


_PRE = "font-family: monospace; line-height: 1.3; white-space: pre; overflow-x: auto"
"""Notebooks set text of `pre` in a font with letters of different widths, and break its lines."""


class Page:
    """Collects what would be printed as text."""

    def __init__(self) -> None:
        self._file = io.StringIO()
        self.stream = Stream(self._file)

    @property
    def text(self) -> str:
        return self._file.getvalue().rstrip("\n")


def text_of(grids: Iterable[Grid]) -> str:
    """Tables as text, one below the other."""
    page = Page()
    for grid in grids:
        page.stream.show(grid)
    return page.text
