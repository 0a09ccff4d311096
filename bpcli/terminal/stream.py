"""Printing of results and progress where there is no terminal: plain lines, no escape codes.

It needs no rich, whose import would take longer than a whole short training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from bpcli.terminal.grid import Facts, Grid, facts_lines
from bpcli.text import harmless


class Stream:
    """A file or a pipe."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        speaks_unicode = (file.encoding or "utf-8").lower().startswith("utf")
        self._rule = "─" if speaks_unicode else "-"

    def say(self, text: str) -> None:
        """Print a line."""
        print(harmless(text), file=self.file, flush=True)

    def show(self, grid: Grid, expendable: Sequence[str] = ()) -> list[str]:
        """Print a table and a blank line; no column is left out, as a stream has no width."""
        self.say("".join(f"{line}\n" for line in grid.lines(self._rule)))
        return []

    def show_facts(self, facts: Facts) -> None:
        """Print names and values, and a blank line."""
        self.say("".join(f"{line}\n" for line in facts_lines(facts)))
