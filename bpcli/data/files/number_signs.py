"""The decimal and thousands signs of a table, and its columns of codes, which are no numbers."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

from bpcli.data.files.codes import CODE, note_on_codes
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.grid import Grid, Row, is_number
from bpcli.data.files.numerals import Numerals, numerals_of
from bpcli.data.files.rendered import is_named, is_rendered
from bpcli.errors import DataError


def with_signs(
    path: Path, dialect: Dialect, grid: Grid, below: list[Row]
) -> tuple[Dialect, list[str]]:
    """The dialect with the signs of numbers, and columns of codes such as 007 as text."""
    start = below[0].line if below else math.inf
    judged = [row.fields for row in grid.judged if row.line >= start]
    numerals = numerals_of(judged, grid.separator, dialect.missing)
    if is_rendered(path) and (is_named(path) or _has_stored_fractions(judged)):
        numerals = Numerals(".", "")
    decimal, thousands = dialect.decimal, dialect.thousands
    if decimal is None:
        decimal = numerals.decimal
        if thousands in (".", ","):
            decimal = "," if thousands == "." else "."
    if thousands is None:
        thousands = numerals.thousands if numerals.thousands != decimal else ""
    if thousands == decimal:
        raise DataError(
            f"the decimal and the thousands sign are both `{decimal}`, but must differ", "thousands"
        )
    codes = _columns_of_codes(dialect, [row.fields for row in grid.usual if row.line >= start])
    is_guessed = dialect.thousands is None and (dialect.decimal is None or thousands)
    notes = list(numerals.notes) if is_guessed else []
    notes += map(note_on_codes, codes)
    text = (*dialect.text, *codes)
    return replace(dialect, decimal=decimal, thousands=thousands, text=text), notes


def is_sign_open(grid: Grid) -> bool:
    cells = (cell for row in grid.judged for cell in row.fields if "." in cell or "," in cell)
    return grid.separator == ";" and not any(map(is_number, cells))


def _has_stored_fractions(rows: list[list[str]]) -> bool:
    """Whether a spreadsheet has numbers such as 1.5: then commas in text are not decimal signs.

    If there is text such as 1.234,50 €, a cell such as 1.905 may be text with a thousands sign.
    """
    cells = [cell for row in rows for cell in row]
    is_grouped = any(map(_GROUPED.fullmatch, cells))
    return any(map((_NO_GROUP if is_grouped else _FRACTION).fullmatch, cells))


_FRACTION = re.compile(r"-?\d+\.\d+")
_NO_GROUP = re.compile(r"-?(?:0\.\d+|\d+\.(?!\d{3}$)\d+)")
_GROUPED = re.compile(r"\D*\d{1,3}(?:\.\d{3})+,\d+\D*")


def _columns_of_codes(dialect: Dialect, rows: list[list[str]]) -> list[str]:
    """The columns with whole numbers that begin with a zero, or have many digits."""
    shift = int(dialect.row_names)
    columns = list(zip(*rows, strict=True))[shift:]
    return [
        name
        for name, column in zip(dialect.columns, columns, strict=False)
        if any(map(CODE.fullmatch, column)) and name not in dialect.text
    ]
