"""A workbook of Excel with one sheet of predictions, written row by row.

Equal rows give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO
from zipfile import ZipFile

from bpcli.errors import DataError
from bpcli.workbook.cells import MOST_CHARACTERS, MOST_COLUMNS, MOST_ROWS, Cell, cell_xml, letters
from bpcli.workbook.parts import HEAD, MAIN, part, parts, sheet_path
from bpcli.workbook.styles import BOLD, PLAIN, styles_xml

_MOST_BYTES = 2**31 - 1
"""The limit of a sheet: beyond it a .zip file needs ZIP64, which not every program reads."""
_INSTEAD = "use .csv, .tsv or .jsonl"


def write_workbook(file: BinaryIO, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a bold header that stays in view, and the rows; return the number of rows.

    Raises `DataError` for more than a sheet can hold.
    """
    if len(header) > MOST_COLUMNS:
        raise DataError(
            f"an .xlsx file has at most {MOST_COLUMNS:,} columns, and there are {len(header):,}: "
            f"{_INSTEAD}"
        )
    size = count = 0
    with ZipFile(file, "w") as archive:
        for name, text in parts(["predictions"], styles_xml([PLAIN, BOLD]), {}).items():
            archive.writestr(part(name), text)
        with archive.open(part(sheet_path(1)), "w") as sheet:
            for count, line in enumerate(_lines(header, rows)):  # noqa: B007  # the header is 0
                size += sheet.write(line.encode())
                if size > _MOST_BYTES:
                    raise DataError(f"the sheet takes more than 2 GB: {_INSTEAD}")
            sheet.write(b"</sheetData></worksheet>")
    return count


def _lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The sheet as XML: all up to its header, and each row."""
    columns = [letters(index) for index in range(len(header))]
    widths = "".join(
        f'<col min="{index}" max="{index}" width="{max(10, min(50, len(name) + 2))}" '
        'customWidth="1"/>'
        for index, name in enumerate(header, start=1)
    )
    yield (
        f"{HEAD}<worksheet {MAIN}><sheetViews>"
        '<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" '
        f'state="frozen"/></sheetView></sheetViews><cols>{widths}</cols><sheetData>'
        + _row(1, columns, header, header, style=1)
    )
    for number, row in enumerate(rows, start=2):
        if number > MOST_ROWS:
            raise DataError(
                f"an .xlsx file has at most {MOST_ROWS - 1:,} rows below its header, and there are "
                f"more: {_INSTEAD}"
            )
        yield _row(number, columns, header, row)


def _row(
    number: int, columns: list[str], header: Sequence[str], row: Sequence[Cell], style: int = 0
) -> str:
    cells = "".join(
        _cell(f"{column}{number}", cell, number, name, style)
        for column, name, cell in zip(columns, header, row, strict=True)
        if cell != ""
    )
    return f'<row r="{number}">{cells}</row>'


def _cell(reference: str, cell: Cell, number: int, name: str, style: int) -> str:
    if isinstance(cell, str) and len(cell) > MOST_CHARACTERS:
        raise DataError(
            f"row {number - 1}, column `{name}`: a cell of an .xlsx file has at most "
            f"{MOST_CHARACTERS:,} characters, and this has {len(cell):,}: {_INSTEAD}"
        )
    return cell_xml(reference, cell, style)
