"""A workbook of several sheets with formulas, styles and names of ranges, in memory."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from zipfile import ZipFile

from bpcli.workbook.cells import Cell, cell_xml, letters
from bpcli.workbook.parts import HEAD, MAIN, part, parts, sheet_path
from bpcli.workbook.styles import PLAIN, Style, styles_xml


@dataclass(frozen=True)
class Formula:
    """A formula without its equals sign, and its value if that is known."""

    text: str
    value: Cell | None = None


Content: TypeAlias = Cell | Formula


def place(row: int, column: int) -> str:
    """A1 for row 0 and column 0."""
    return f"{letters(column)}{row + 1}"


def fixed(row: int, column: int) -> str:
    """$A$1 for row 0 and column 0, which stays the same where a formula is copied."""
    return f"${letters(column)}${row + 1}"


@dataclass
class Sheet:
    """Cells by row and column, counted from 0. The name needs no quotes in a formula."""

    name: str
    frozen: tuple[int, int] = (0, 0)
    """The number of rows and columns that stay in view."""
    widths: dict[int, float] = field(default_factory=dict)
    heights: dict[int, float] = field(default_factory=dict)
    cells: dict[int, dict[int, tuple[Content, Style]]] = field(default_factory=dict)

    def put(self, row: int, column: int, content: Content, style: Style = PLAIN) -> None:
        """Write a cell; "" makes an empty one."""
        self.cells.setdefault(row, {})[column] = content, style

    def put_row(
        self, row: int, column: int, contents: Sequence[Content], style: Style = PLAIN
    ) -> None:
        """Write cells side by side."""
        for index, content in enumerate(contents, start=column):
            self.put(row, index, content, style)

    def widen(self, column: int, width: float) -> None:
        """Make a column at least this wide, in characters."""
        self.widths[column] = max(width, self.widths.get(column, 0))

    def at(self, row: int, column: int) -> str:
        """A cell in a formula of another sheet: its row and column follow a copy of the formula."""
        return f"{self.name}!{place(row, column)}"

    def fixed(self, row: int, column: int, rows: int = 1, columns: int = 1) -> str:
        """A range of cells in formulas, which is the same in all of them."""
        first, last = fixed(row, column), fixed(row + rows - 1, column + columns - 1)
        return f"{self.name}!{first}" + f":{last}" * (first != last)


@dataclass
class Book:
    """Sheets, and names of ranges of their cells."""

    sheets: list[Sheet] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The content of the file; equal books give equal bytes."""
        styles: dict[Style, int] = {PLAIN: 0}
        sheets = [_sheet_xml(sheet, styles) for sheet in self.sheets]
        others = parts([sheet.name for sheet in self.sheets], styles_xml([*styles]), self.names)
        file = io.BytesIO()
        with ZipFile(file, "w") as archive:
            for name, text in others.items():
                archive.writestr(part(name), text)
            for number, text in enumerate(sheets, start=1):
                archive.writestr(part(sheet_path(number)), text)
        return file.getvalue()


def _sheet_xml(sheet: Sheet, styles: dict[Style, int]) -> str:
    """A sheet; its styles are numbered in the order in which they are found."""
    rows = "".join(
        _row_xml(row, sheet.cells[row], sheet.heights.get(row), styles)
        for row in sorted(sheet.cells)
    )
    widths = "".join(
        f'<col min="{column + 1}" max="{column + 1}" width="{width:g}" customWidth="1"/>'
        for column, width in sorted(sheet.widths.items())
    )
    return (
        f"{HEAD}<worksheet {MAIN}>{_ONE_PAGE_WIDE}{_view(*sheet.frozen)}"
        + (f"<cols>{widths}</cols>" if widths else "")
        + f"<sheetData>{rows}</sheetData>{_LANDSCAPE}</worksheet>"
    )


_ONE_PAGE_WIDE = '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
_LANDSCAPE = '<pageSetup orientation="landscape" fitToWidth="1" fitToHeight="0"/>'
"""What a printer gets: all columns on one page."""


def _row_xml(
    row: int,
    cells: dict[int, tuple[Content, Style]],
    height: float | None,
    styles: dict[Style, int],
) -> str:
    texts = []
    for column in sorted(cells):
        content, style = cells[column]
        number = styles.setdefault(style, len(styles))
        if isinstance(content, Formula):
            known = "" if content.value is None else content.value
            texts.append(cell_xml(place(row, column), known, number, content.text))
        elif content == "":
            texts.append(f'<c r="{place(row, column)}" s="{number}"/>')
        else:
            texts.append(cell_xml(place(row, column), content, number))
    high = f' ht="{height:g}" customHeight="1"' if height else ""
    return f'<row r="{row + 1}"{high}>{"".join(texts)}</row>'


def _view(rows: int, columns: int) -> str:
    pane = ""
    if rows or columns:
        active = "bottomRight" if rows and columns else "bottomLeft" if rows else "topRight"
        across = f' xSplit="{columns}"' if columns else ""
        down = f' ySplit="{rows}"' if rows else ""
        pane = (
            f'<pane{across}{down} topLeftCell="{place(rows, columns)}" activePane="{active}" '
            'state="frozen"/>'
        )
    view = f'<sheetView showGridLines="0" workbookViewId="0">{pane}</sheetView>'
    return f"<sheetViews>{view}</sheetViews>"
