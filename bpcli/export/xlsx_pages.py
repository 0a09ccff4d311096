"""The sheets of an exported workbook: their columns, rows and looks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bpcli.workbook.book import Book, Content, Formula, Sheet
from bpcli.workbook.cells import letters
from bpcli.workbook.styles import Style

FIRST = 6
"""The first row of examples, counted from 0, on all sheets that have a row per example."""
_GROUPS, _LABELS = FIRST - 2, FIRST - 1

_DARK, _LINE = "1F3A5F", "C9D2DC"
TITLE = Style(bold=True, size=16, colour=_DARK)
NOTE = Style(italic=True, colour="5A6570")
TEXT = Style(wrap=True)
GROUP = Style(bold=True, colour="FFFFFF", fill=_DARK, align="left")
LABEL = Style(bold=True, colour=_DARK, fill="E4EAF1", line=_LINE, align="center", wrap=True)
ROW = Style(colour="5A6570")
INPUT = Style(colour="0B4A8F", fill="FFF8DC", line="D9C98A", align="right")
DATE = Style(
    colour="0B4A8F", fill="FFF8DC", line="D9C98A", align="right", number="yyyy-mm-dd hh:mm"
)
CLOCK = Style(colour="0B4A8F", fill="FFF8DC", line="D9C98A", align="right", number="hh:mm:ss")
NUMBER = Style(line=_LINE, number="0.0000")
ANY_NUMBER = Style(line=_LINE)
OUTPUT = Style(bold=True, fill="E9F5EC", line=_LINE)
PROBABILITY = Style(bold=True, fill="E9F5EC", line=_LINE, number="0.0000")
WORD = Style(bold=True, fill="E9F5EC", line=_LINE, align="center")
THEIRS = Style(colour="5A6570", line=_LINE)
THEIR_PROBABILITY = Style(colour="5A6570", line=_LINE, number="0.0000")
THEIR_WORD = Style(colour="5A6570", line=_LINE, align="center")
DIFFERENCE = Style(colour="5A6570", line=_LINE, number="0.0E+00")
CODE = Style(colour="5A6570", line=_LINE, align="center")


def width_of(label: str) -> float:
    """The width of a column with this label, which may take two or three lines."""
    return max(12.5, min(28.0, 3 + max(map(len, label.split()), default=0), 3.0 + len(label)))


def put_labels(sheet: Sheet, row: int, column: int, labels: Sequence[str]) -> None:
    """Write the labels of columns, and make these wide and the row high enough."""
    sheet.put_row(row, column, labels, LABEL)
    lines = 1
    for index, label in enumerate(labels, start=column):
        sheet.widen(index, width_of(label))
        lines = max(lines, math.ceil((len(label) + 2) / sheet.widths[index]))
    sheet.heights[row] = max(15.5 * min(lines, 4), sheet.heights.get(row, 0))


@dataclass
class Table:
    """A sheet with a row per example, whose columns are added in groups from left to right."""

    sheet: Sheet
    rows: int
    end: int = 0

    def add(
        self,
        title: str,
        labels: Sequence[str],
        content: Callable[[int, int], Content | None],
        style: Style | Callable[[int], Style] = NUMBER,
    ) -> int:
        """Add columns, and return the first of them.

        `content` gets a row and an index of a column, and returns None where there is no cell.
        """
        start, self.end = self.end, self.end + len(labels)
        self.sheet.put_row(_GROUPS, start, [title, *[""] * (len(labels) - 1)], GROUP)
        put_labels(self.sheet, _LABELS, start, labels)
        for index in range(len(labels)):
            look = style if isinstance(style, Style) else style(index)
            for row in range(FIRST, FIRST + self.rows):
                if (cell := content(row, index)) is not None:
                    self.sheet.put(row, start + index, cell, look)
        return start

    def gap(self) -> None:
        """Leave a narrow column free."""
        self.sheet.widths[self.end] = 2
        self.end += 1


def cells(row: int, column: int, count: int) -> str:
    """Cells side by side in a formula of the same sheet: $B7:$D7."""
    first, last = f"${letters(column)}{row + 1}", f"${letters(column + count - 1)}{row + 1}"
    return first if count == 1 else f"{first}:{last}"


@dataclass
class Pages:
    """The sheets of a workbook: predictions, the network's numbers for each row, parameters."""

    rows: int
    predict: Table = field(init=False)
    network: Table = field(init=False)
    parameters: Sheet = field(init=False)
    columns: Sheet = field(init=False)
    names: dict[str, str] = field(default_factory=dict)
    _next: int = 2

    def __post_init__(self) -> None:
        self.predict = Table(Sheet("predict", (FIRST, 1)), self.rows)
        self.network = Table(Sheet("network", (FIRST, 1)), self.rows)
        self.parameters = Sheet("parameters", (0, 1))
        self.columns = Sheet("columns", (3, 1))

    def book(self, notes: Sheet) -> Book:
        """The workbook."""
        sheets = [self.predict.sheet, self.network.sheet, self.parameters, self.columns, notes]
        return Book([sheet for sheet in sheets if sheet.cells], self.names)

    def computed(self, row: int, formula: str) -> Formula:
        """A formula of `network` that is empty unless the inputs of its row are complete."""
        return Formula(f'IF($A{row + 1},{formula},"")')

    def name(self, name: str, row: int, column: int, rows: int, columns: int) -> None:
        """Name a range of parameters."""
        self.names[name] = self.parameters.fixed(row, column, rows, columns)

    def block(
        self, title: str, labels: Sequence[str], rows: Sequence[tuple[str, list[Content]]]
    ) -> int:
        """Add a table of parameters with a label per column and row; return its first row."""
        sheet, top = self.parameters, self._next
        width = max(len(labels), *(len(contents) for _, contents in rows))
        sheet.put_row(top, 0, [title, *[""] * width], GROUP)
        if labels:
            put_labels(sheet, top + 1, 0, ["", *labels])
        first = top + 1 + bool(labels)
        for row, (label, contents) in enumerate(rows, start=first):
            sheet.put(row, 0, label, LABEL)
            sheet.put_row(row, 1, contents, ANY_NUMBER)
            sheet.widen(0, width_of(label))
        for column in range(1, width + 1):
            sheet.widen(column, 12.5)
        self._next = first + len(rows) + 1
        return first
