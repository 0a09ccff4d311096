"""Spreadsheets of Excel and OpenDocument, read by calamine."""

from __future__ import annotations

from datetime import date, datetime
from io import BytesIO
from typing import Any

from bpcli.data.files.rendered.result import Rendering, csv_of
from bpcli.data.values import INEXACT
from bpcli.errors import DataError


def names_of_sheets(content: bytes) -> list[str]:
    from python_calamine import CalamineWorkbook

    names: list[str] = CalamineWorkbook.from_filelike(BytesIO(content)).sheet_names
    return names


def render_sheet(content: bytes, sheet: str | None) -> Rendering:
    """The sheet of this name; else the first with several rows, or with any."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(BytesIO(content))
    if sheet is not None and sheet not in book.sheet_names:
        there_are = ", ".join(book.sheet_names)
        raise DataError(f"there is no sheet `{sheet}`; the sheets are {there_are}", "sheet")
    names = book.sheet_names if sheet is None else [sheet]
    sheets = [book.get_sheet_by_name(name).to_python() for name in names]
    rows = next((rows for rows in sheets if len(rows) > 1), next(filter(None, sheets), []))
    return Rendering(csv_of(map(_cell_text, row) for row in rows))


def _cell_text(cell: Any) -> str:
    """A cell as text: numbers exactly, whole ones without a point."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < INEXACT:
        return str(int(cell))
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        cell = cell.date()
    if isinstance(cell, date):
        return cell.isoformat(*[" "] * isinstance(cell, datetime))
    return str(cell).replace("\0", "")  # files of Excel 5 have one after each letter
