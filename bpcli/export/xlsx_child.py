"""Runs an exported workbook with LibreOffice: types rows into it, and reads what is computed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

from bpcli.errors import GateFailed
from bpcli.export.child import program, workspace
from bpcli.export.model import Model
from bpcli.export.verify import Columns
from bpcli.export.xlsx_columns import typed
from bpcli.export.xlsx_file import first_output
from bpcli.export.xlsx_pages import FIRST
from bpcli.workbook.book import place
from bpcli.workbook.cells import Cell, cell_xml
from bpcli.workbook.parts import MAIN, part, sheet_path

_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode"
oor:op="fuse"><value>0</value></prop></item></oor:items>
"""
"""LibreOffice computes all formulas when it opens a file; otherwise it shows stored values."""


def predictions(content: bytes, model: Model, tables: Sequence[Columns]) -> list[Columns]:
    """The outputs and words of the workbook for each table.

    Raises `NotVerified` if LibreOffice is not installed, and `GateFailed` if it cannot open the
    workbook.
    """
    rows = [row for sheet in recalculated(filled(content, model, tables)) for row in sheet]
    predicted, start = [], 0
    for table in tables:
        count = len(next(iter(table.values())))
        predicted.append(_predicted(model, rows[start : start + count]))
        start += count
    return predicted


def recalculated(workbooks: Sequence[bytes]) -> list[list[list[Any]]]:
    """The rows of examples on the first sheet of each workbook, after LibreOffice has computed it.

    It starts once, with settings of its own, for all workbooks.
    """
    from python_calamine import CalamineWorkbook

    office = program("LibreOffice", "soffice", "libreoffice")
    names = [f"{number}.xlsx" for number in range(len(workbooks))]
    with workspace("Excel", dict(zip(names, workbooks, strict=True))) as child:
        settings = child.folder / "profile" / "user"
        settings.mkdir(parents=True)
        (settings / "registrymodifications.xcu").write_text(_SETTINGS, "utf-8")
        profile = f"-env:UserInstallation={(child.folder / 'profile').as_uri()}"
        child.run(
            [office, profile, "--headless", "--convert-to", "xlsx", "--outdir", "out", *names]
        )
        computed = [child.folder / "out" / name for name in names]
        if not all(path.is_file() for path in computed):
            raise GateFailed("LibreOffice did not open the Excel file: it was not written.")
        books = [CalamineWorkbook.from_path(str(path)) for path in computed]
        return [
            book.get_sheet_by_index(0).to_python(skip_empty_area=False)[FIRST:] for book in books
        ]


def _predicted(model: Model, rows: list[list[Any]]) -> Columns:
    """Outputs, ends of intervals and words by name; NaN where the workbook has no number."""
    columns, names = list(zip(*rows, strict=True)), [*model.output_names, *model.end_names]
    columns = columns[first_output(model) :]
    outputs, words = columns[: len(names)], columns[len(names) :]
    numbers = [[x if isinstance(x, float) else float("nan") for x in column] for column in outputs]
    return dict(zip(names, numbers, strict=True)) | dict(
        zip(model.answers, map(list, words), strict=False)
    )


# Typing.


def filled(content: bytes, model: Model, tables: Sequence[Columns]) -> list[bytes]:
    """Copies of the workbook with the rows of all tables; each has as many as it has cells for."""
    names = [column.name for column in model.encoder.inputs]
    table = {name: [value for each in tables for value in each[name]] for name in names}
    columns = typed(model.encoder.inputs, table)
    with ZipFile(io.BytesIO(content)) as archive:
        sheet = ElementTree.fromstring(archive.read(sheet_path(1)))
    room = sum(int(row.get("r", "0")) > FIRST for row in sheet.iter(f"{_MAIN}row"))
    count = len(columns[0])
    return [
        _with_rows(content, [column[start : start + room] for column in columns])
        for start in range(0, count, room)
    ]


_MAIN = f"{{{MAIN.split(chr(34))[1]}}}"


def _with_rows(content: bytes, columns: Sequence[Sequence[Cell]]) -> bytes:
    """The workbook with these columns typed into it, and without the values of formulas."""
    file = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as old, ZipFile(file, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == sheet_path(1):
                sheet = ElementTree.fromstring(data)
                _type(sheet, columns)
                data = ElementTree.tostring(sheet, "utf-8")
            new.writestr(part(name), data)
    return file.getvalue()


def _type(sheet: ElementTree.Element, columns: Sequence[Sequence[Cell]]) -> None:
    """Replace the cells of examples, which follow column A, and empty those below the rows."""
    for row in sheet.iter(f"{_MAIN}row"):
        number = int(row.get("r", "0")) - 1
        if number >= FIRST:
            for column, values in enumerate(columns, start=1):
                index = number - FIRST
                value = values[index] if index < len(values) else ""
                row[column] = _cell(place(number, column), value)
            for cell in row.iter(f"{_MAIN}c"):
                known = cell.find(f"{_MAIN}v")
                if cell.find(f"{_MAIN}f") is not None and known is not None:
                    cell.remove(known)


def _cell(where: str, value: Cell) -> ElementTree.Element:
    text = f'<c r="{where}"/>' if value == "" else cell_xml(where, value)
    return ElementTree.fromstring(f"<row {MAIN}>{text}</row>")[0]
