"""A table as data: columns that can be left out where there is no room for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeAlias

from rich import box
from rich.table import Table
from rich.text import Text

Cell: TypeAlias = str | Text


@dataclass
class Grid:
    """Headers and rows of cells; the first `text_columns` hold text, the others numbers."""

    headers: list[str]
    text_columns: int = 1
    rows: list[list[Cell]] = field(default_factory=list)

    def add_row(self, *cells: Cell) -> None:
        self.rows.append(list(cells))

    def table(self, left_out: Collection[str] = ()) -> Table:
        """The table to print, without some columns."""
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        kept = [place for place, name in enumerate(self.headers) if name not in left_out]
        for place in kept:
            is_text = place < self.text_columns
            table.add_column(self.headers[place], justify="left" if is_text else "right")
        for row in self.rows:
            table.add_row(*(row[place] for place in kept))
        return table
