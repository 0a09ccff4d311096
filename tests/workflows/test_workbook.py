"""Workbooks of Excel: any text and number is read back, and what Excel cannot hold is refused."""

from __future__ import annotations

import io
import math
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from bpcli.errors import DataError
from bpcli.workbook.cells import Cell
from bpcli.workflows import workbook as module
from bpcli.workflows.workbook import write_workbook

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def written(header: list[str], *rows: list[Cell]) -> bytes:
    file = io.BytesIO()
    assert write_workbook(file, header, iter(rows)) == len(rows)
    return file.getvalue()


def part(content: bytes, name: str = "xl/worksheets/sheet1.xml") -> ElementTree.Element:
    with ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return ElementTree.fromstring(archive.read(name))


def cells_of(content: bytes) -> list[list[object]]:
    return list(
        CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    )


@given(st.lists(st.tuples(st.text(max_size=9), st.floats(allow_nan=False, allow_infinity=False))))
def test_text_and_numbers_are_read_back(rows: list[tuple[str, float]]) -> None:
    content = written(["a", "b"], *map(list, rows))
    found = [[*row.iter(f"{MAIN}c")] for row in part(content).iter(f"{MAIN}row")]
    assert len(found) == len(rows) + 1
    for number, (row, (text, value)) in enumerate(zip(found[1:], rows, strict=True), start=2):
        assert row[-1].get("r") == f"B{number}"
        assert float(row[-1].findtext(f"{MAIN}v", "")) == value
        assert [cell.get("t") for cell in row] == (["inlineStr", None] if text else [None])
        assert text == (unescaped(row[0].findtext(f".//{MAIN}t", "")) if text else "")


def unescaped(text: str) -> str:
    """A text without Excel's escapes of what XML cannot hold."""
    import re

    return re.sub("_x([0-9A-F]{4})_", lambda sign: chr(int(sign[1], 16)), text)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "<b>&amp;", "1", " x "])
def test_text_is_no_formula_and_no_number(text: str) -> None:
    content = written([text, "n"], [text, 1])
    assert cells_of(content)[1] == [text, 1.0]
    assert not [*part(content).iter(f"{MAIN}f")]


def test_what_xml_cannot_hold_is_escaped_as_excel_does() -> None:
    text = part(written(["a"], ["a\x00\r_x0041_"])).findall(f".//{MAIN}t")[1].text
    assert text == "a_x0000__x000D__x005F_x0041_"


def test_the_header_is_bold_and_stays_in_view() -> None:
    content = written(["a", "b"], [1, "x"])
    pane = part(content).find(f".//{MAIN}pane")
    assert pane is not None
    assert (pane.get("state"), pane.get("ySplit")) == ("frozen", "1")
    styles = [[cell.get("s") for cell in row] for row in part(content).iter(f"{MAIN}row")]
    assert styles == [["1", "1"], [None, None]]
    fonts = part(content, "xl/styles.xml").findall(f".//{MAIN}font")
    bold = part(content, "xl/styles.xml").findall(f"{MAIN}cellXfs/{MAIN}xf")[1].get("fontId")
    assert [font.find(f"{MAIN}b") is not None for font in fonts] == [False, True]
    assert bold == "1"


def test_equal_rows_give_equal_bytes() -> None:
    assert written(["a"], [math.pi], ["x"]) == written(["a"], [math.pi], ["x"])


def test_columns_are_named_by_letters() -> None:
    row = next(part(written([f"c{index}" for index in range(703)])).iter(f"{MAIN}row"))
    places = [cell.get("r") for cell in row]
    assert [places[index] for index in (0, 25, 26, 51, 52, 701, 702)] == [
        "A1", "Z1", "AA1", "AZ1", "BA1", "ZZ1", "AAA1",
    ]  # fmt: skip


def test_more_than_a_sheet_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    assert len(cells_of(written(["a"], [1], [2]))) == 3
    with pytest.raises(
        DataError, match=r"^an \.xlsx file has at most 2 rows below its header, and"
    ):
        written(["a"], [1], [2], [3])
    monkeypatch.setattr(module, "_MOST_BYTES", 600)
    with pytest.raises(DataError, match=r"^the sheet takes more than 2 GB: use \.csv, "):
        written(["a"], ["x" * 600])
    wide = ["a"] * (module.MOST_COLUMNS + 1)
    with pytest.raises(DataError, match=r"at most 16,384 columns, and there are 16,385: use \.csv"):
        written(wide)


def test_a_text_that_is_too_long_is_named() -> None:
    longest = "x" * module.MOST_CHARACTERS
    assert cells_of(written(["a"], [longest]))[1] == [longest]
    with pytest.raises(DataError) as caught:
        written(["a", "b"], [1, ""], [1, f"{longest}x"])
    assert str(caught.value).startswith(
        "row 2, column `b`: a cell of an .xlsx file has at most 32,767 characters, and this has "
        "32,768: use .csv"
    )
