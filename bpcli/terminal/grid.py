"""A table as data, and its lines of plain text. Columns can be left out to save room."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from bpcli.text import text_width, visible

_GAP = " " * 3


class Styled(NamedTuple):
    """A text with a style for terminals, such as `bold red`."""

    text: str
    style: str


Cell: TypeAlias = str | Styled
Facts: TypeAlias = list[tuple[str, str]]
"""Names and values, one below the other."""


@dataclass
class Grid:
    """Headers and rows of cells.

    The first `text_columns` contain text, and so do those with one of the `text_names`; all others
    contain numbers. Names of runs, classes and columns may contain any character: control
    characters are made visible.
    """

    headers: list[str]
    text_columns: int = 1
    rows: list[list[Cell]] = field(default_factory=list)
    text_names: Collection[str] = ()

    def __post_init__(self) -> None:
        self.headers = [visible(name) for name in self.headers]
        self.text_names = {visible(name) for name in self.text_names}

    def is_text(self, index: int) -> bool:
        """Whether a column contains text."""
        return index < self.text_columns or self.headers[index] in self.text_names

    def add_row(self, *cells: Cell) -> None:
        self.rows.append([visible(cell) if isinstance(cell, str) else cell for cell in cells])

    def without(self, names: Collection[str]) -> Grid:
        """Return the table without some columns."""
        hidden = {visible(name) for name in names}
        kept = [index for index, name in enumerate(self.headers) if name not in hidden]
        return replace(
            self,
            headers=[self.headers[index] for index in kept],
            text_columns=sum(index < self.text_columns for index in kept),
            rows=[[row[index] for index in kept] for row in self.rows],
        )

    def fitting(self, width: int, expendable: Iterable[str]) -> tuple[Grid, list[str]]:
        """Return the table without as many expendable columns as it takes, and their names.

        It may still be too wide if all of them are left out.
        """
        grid, left_out = self, list[str]()
        for name in expendable:
            if grid.width <= width:
                break
            left_out.append(name)
            grid = self.without(left_out)
        return grid, left_out

    @property
    def width(self) -> int:
        """The width of a line in characters."""
        return sum(self._widths()) + len(_GAP) * (len(self.headers) - 1)

    def stacked(self) -> list[Facts]:
        """Return each row as names and values."""
        headers, *rows = self.texts()
        return [
            [(name, text) for name, text in zip(headers, row, strict=True) if text] for row in rows
        ]

    def lines(self, rule: str) -> list[str]:
        """Return lines of text: text aligned left, numbers right, a rule below the headers."""
        widths = self._widths()
        headers, *rows = (
            _GAP.join(map(self._padded, range(len(row)), row, widths)).rstrip()
            for row in self.texts()
        )
        return [headers, rule * self.width, *rows]

    def _padded(self, index: int, text: str, width: int) -> str:
        blanks = " " * (width - text_width(text))
        return text + blanks if self.is_text(index) else blanks + text

    def _widths(self) -> list[int]:
        return [max(map(text_width, column)) for column in zip(*self.texts(), strict=True)]

    def texts(self) -> list[list[str]]:
        """Return the headers, and the cells of each row."""
        rows = [[cell if isinstance(cell, str) else cell.text for cell in row] for row in self.rows]
        return [self.headers, *rows]


def facts_lines(facts: Facts) -> list[str]:
    """Return lines of text: names, and values aligned beside them."""
    shown = [(visible(name), visible(value)) for name, value in facts]
    widest = max(text_width(name) for name, _ in shown)
    return [f"{name}{' ' * (widest - text_width(name))}  {value}" for name, value in shown]
