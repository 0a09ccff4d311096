"""Printing of results and progress on a terminal. `stream` prints where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rich.console
from rich import box
from rich.table import Table
from rich.text import Text

from bpcli.terminal.grid import Cell, Facts, Grid
from bpcli.text import harmless, text_width, visible, wrapped


class Console(rich.console.Console):
    """A rich console without markup."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, highlight=False, markup=False, emoji=False)

    def say(self, text: str) -> None:
        """Print lines, broken between words; a word that is too long is not cut."""
        for line in harmless(text).split("\n"):
            self.print("\n".join(wrapped(line, self.width)), soft_wrap=True)

    def show(self, grid: Grid, expendable: Sequence[str] = ()) -> list[str]:
        """Print a table and a blank line; return the columns left out.

        If the table is too wide, expendable columns are dropped first. If it still is, each row is
        printed as lines of names and values: a number is never cut.
        """
        rest, left_out = grid.fitting(self.width, expendable)
        if rest.width <= self.width:
            self.print(_table(rest), "")
        else:
            for facts in rest.stacked():
                self._stack(facts)
        return left_out

    def _stack(self, facts: Facts) -> None:
        """Print names and values; a value that is too wide is printed below its name."""
        widest = max(text_width(name) for name, _ in facts)
        for name, value in facts:
            lines = [f"{name}{' ' * (widest - text_width(name))}  {value}"]
            if text_width(lines[0]) > self.width:
                lines = [name, *(f"  {part}" for part in wrapped(value, self.width - 2))]
            self.print("\n".join(lines), soft_wrap=True)
        self.print("")

    def show_facts(self, facts: Facts) -> None:
        """Print names and values, wrapped if they are too long, and a blank line."""
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, value in facts:
            table.add_row(Text(visible(name), "bold"), visible(value))
        self.print(table, "")


def _table(grid: Grid) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, name in enumerate(grid.headers):
        table.add_column(name, justify="left" if grid.is_text(index) else "right")
    for row in grid.rows:
        table.add_row(*map(_text, row))
    return table


def _text(cell: Cell) -> str | Text:
    return cell if isinstance(cell, str) else Text(*cell)
