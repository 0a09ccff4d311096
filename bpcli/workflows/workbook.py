"""A workbook of Excel (.xlsx, ECMA-376) with one sheet, written row by row.

It is written here because openpyxl and XlsxWriter write 16 significant digits: 0.1 + 0.2 becomes
0.3. Numbers have all digits here, equal rows give equal bytes, and text is never a formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, TypeAlias
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from bpcli.errors import DataError

Cell: TypeAlias = str | int | float
MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767
"""The limits of a sheet and a cell of Excel."""
_MOST_BYTES = 2**31 - 1
"""The limit of a sheet: beyond it a .zip file needs ZIP64, which not every program reads."""
_INSTEAD = "use .csv, .tsv or .jsonl"

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FONT = '<sz val="11"/><name val="Calibri"/>'
_SHEET = "xl/worksheets/sheet1.xml"


def _relations(**targets: str) -> str:
    entries = "".join(
        f'<Relationship Id="{kind}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for kind, target in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'


_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/{_SHEET}" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": _relations(officeDocument="xl/workbook.xml"),
    "xl/_rels/workbook.xml.rels": _relations(
        worksheet="worksheets/sheet1.xml", styles="styles.xml"
    ),
    "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><bookViews><workbookView/>'
    '</bookViews><sheets><sheet name="predictions" sheetId="1" r:id="worksheet"/></sheets>'
    "</workbook>",
    "xl/styles.xml": f"<styleSheet {_MAIN}>"
    f"<fonts><font>{_FONT}</font><font><b/>{_FONT}</font></fonts>"
    '<fills><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    '<cellStyleXfs><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
"""All files of a workbook but the sheet; cells of style 1 are bold."""


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
        for name, text in _PARTS.items():
            archive.writestr(_part(name), _HEAD + text)
        with archive.open(_part(_SHEET), "w") as sheet:
            for count, line in enumerate(_lines(header, rows)):  # noqa: B007  # the header is 0
                size += sheet.write(line.encode())
                if size > _MOST_BYTES:
                    raise DataError(f"the sheet takes more than 2 GB: {_INSTEAD}")
            sheet.write(b"</sheetData></worksheet>")
    return count


def _part(name: str) -> ZipInfo:
    """A compressed file in the archive, without the time of day."""
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    return info


def _lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The sheet as XML: all up to its header, and each row."""
    columns = [_letters(index) for index in range(len(header))]
    widths = "".join(
        f'<col min="{index}" max="{index}" width="{max(10, min(50, len(name) + 2))}" '
        'customWidth="1"/>'
        for index, name in enumerate(header, start=1)
    )
    yield (
        f"{_HEAD}<worksheet {_MAIN}><sheetViews>"
        '<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" '
        f'state="frozen"/></sheetView></sheetViews><cols>{widths}</cols><sheetData>'
        + _row(1, columns, header, header, _BOLD)
    )
    for number, row in enumerate(rows, start=2):
        if number > MOST_ROWS:
            raise DataError(
                f"an .xlsx file has at most {MOST_ROWS - 1:,} rows below its header, and there are "
                f"more: {_INSTEAD}"
            )
        yield _row(number, columns, header, row)


_BOLD = ' s="1"'


def _row(
    number: int, columns: list[str], header: Sequence[str], row: Sequence[Cell], style: str = ""
) -> str:
    cells = "".join(
        _cell(f'<c r="{column}{number}"{style}', cell, number, name)
        for column, name, cell in zip(columns, header, row, strict=True)
        if cell != ""
    )
    return f'<row r="{number}">{cells}</row>'


def _cell(begin: str, cell: Cell, number: int, name: str) -> str:
    if not isinstance(cell, str):
        return f"{begin}><v>{cell!r}</v></c>"
    if len(cell) > MOST_CHARACTERS:
        raise DataError(
            f"row {number - 1}, column `{name}`: a cell of an .xlsx file has at most "
            f"{MOST_CHARACTERS:,} characters, and this has {len(cell):,}: {_INSTEAD}"
        )
    text = escape(_ESCAPED.sub(lambda sign: f"_x{ord(sign[0]):04X}_", cell))
    return f'{begin} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


_ESCAPED = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""Characters that XML excludes or would change, and text like Excel's escapes for them."""


def _letters(index: int) -> str:
    """The name of a column: A, …, Z, AA, …"""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
