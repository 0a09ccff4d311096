"""Where results and progress are printed: a terminal of some width, or a plain stream."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import rich.console
from rich.table import Table

from bpcli.views.grid import Grid

_WIDTH_OF_A_STREAM = 160
_WIDEST = 100_000


class Console(rich.console.Console):
    """A rich console without markup, which survives a reader that leaves."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, highlight=False, markup=False)
        if not self.is_terminal:
            self.width = _WIDTH_OF_A_STREAM  # a pipe has no width: do not fold lines for one

    def on_broken_pipe(self) -> None:
        """Go quiet where the reader has left: training goes on and is saved."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())

    def say(self, text: str) -> None:
        """Print a line as it is, however wide the terminal."""
        self.print(text, soft_wrap=True)

    def show(self, grid: Grid, expendable: Sequence[str] = ()) -> list[str]:
        """Print a table and a blank line; return the columns left out.

        On a terminal that is too narrow the expendable columns go first. What is then still too
        wide runs over the edge: a number is never cut short.
        """
        left_out: list[str] = []
        table = grid.table()
        for name in expendable if self.is_terminal else ():
            if self._width_of(table) <= self.width:
                break
            left_out.append(name)
            table = grid.table(left_out)
        if self._width_of(table) <= self.width:
            self.show_table(table)
        else:
            self.say(self._plain(table))
        return left_out

    def show_table(self, table: Table) -> None:
        """Print a table and a blank line; a terminal may fold its words."""
        if self.is_terminal:
            self.print(table, end="\n\n")
        else:
            self.say(self._plain(table))

    def _width_of(self, table: Table) -> int:
        return self.measure(table, options=self.options.update(max_width=_WIDEST)).maximum

    def _plain(self, table: Table) -> str:
        """The table as lines without trailing blanks."""
        terminal_width, self.width = self.width, self._width_of(table)
        with self.capture() as capture:
            self.print(table)
        self.width = terminal_width
        return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
