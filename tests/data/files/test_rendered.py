"""Spreadsheets and other files that are no plain text, as the CSV text that they hold."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.rendered import is_rendered, rendered
from bpcli.data.files.rendered.sheets import _cell_text
from bpcli.errors import DataError

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DAY, MOMENT = 1, 2
"""Styles of cells: a date, and a date with a time."""

Cell = str | int | float | bool | None | tuple[float, int]
"""A number with a style is a date."""


def xlsx(path: Path, **sheets: Sequence[Sequence[Cell]]) -> Path:
    """The least workbook that holds these rows."""
    numbers = range(1, len(sheets) + 1)
    relation = f'<Relationship Id="rId{{}}" Type="{OFFICE}/{{}}" Target="{{}}"/>'
    relations = f'<Relationships xmlns="{PACKAGE}/relationships">{{}}</Relationships>'
    parts = [relation.format(n, "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    parts.append(relation.format(99, "styles", "styles.xml"))
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>'
        for n, name in zip(numbers, sheets, strict=True)
    )
    formats = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 22))
    with ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
            f'ContentType="{TYPE}.sheet.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels", relations.format(relation.format(1, "officeDocument", "xl/workbook.xml"))
        )
        archive.writestr("xl/_rels/workbook.xml.rels", relations.format("".join(parts)))
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "xl/styles.xml", f"<styleSheet {MAIN}><cellXfs>{formats}</cellXfs></styleSheet>"
        )
        for n, rows in zip(numbers, sheets.values(), strict=True):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", sheet_of(rows))
    return path


def sheet_of(rows: Sequence[Sequence[Cell]]) -> str:
    lines = "".join(
        f'<row r="{n}">'
        + "".join(cell_of(f"{chr(65 + i)}{n}", cell) for i, cell in enumerate(row))
        + "</row>"
        for n, row in enumerate(rows, start=1)
    )
    return f"<worksheet {MAIN}><sheetData>{lines}</sheetData></worksheet>"


def cell_of(place: str, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{cell}</t></is></c>'
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
    number, style = cell if isinstance(cell, tuple) else (cell, 0)
    return f'<c r="{place}" s="{style}"><v>{number!r}</v></c>'


def text_of(path: Path, sheet: str | None = None) -> str:
    return rendered(path, sheet).decode()


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def book(tmp_path: Path) -> Path:
    pytest.importorskip("python_calamine")
    return tmp_path / "t.xlsx"


def test_cells_are_written_exactly(book: Path) -> None:
    rows: list[list[Cell]] = [
        ["name", "a, b", 2019],
        ["ä", 0.1, 3.0],
        ["007", 0.1 + 0.2, -1e300],
        [True, None, 2**53 - 1],
        [(43831, DAY), (43831.5, MOMENT), (43831, MOMENT)],
    ]
    assert text_of(xlsx(book, first=rows)).splitlines() == [
        'name,"a, b",2019',
        "ä,0.1,3",
        "007,0.30000000000000004,-1e+300",
        "True,,9007199254740991",
        "2020-01-01,2020-01-01 12:00:00,2020-01-01",
    ]


def test_the_first_sheet_unless_another_is_named(book: Path) -> None:
    xlsx(book, one=[["a"], [1]], two=[["b"], [2]])
    assert text_of(book) == "a\n1\n"
    assert text_of(book, "two") == "b\n2\n"
    with pytest.raises(DataError, match=r"^there is no sheet `three`; the sheets are one, two$"):
        text_of(book, "three")


def test_a_spreadsheet_with_a_title_and_units_is_read_like_text(book: Path) -> None:
    xlsx(book, t=[["Sales"], [], ["a", "b"], ["m", "s"], [1, "1,5"], [2, "2,5"], [3, "3,5"]])
    frame, notes = read(layout_of(book, Dialect(header=None)))
    assert frame.to_dict("list") == {"a": [1, 2, 3], "b": [1.5, 2.5, 3.5]}
    assert [note.removeprefix("t.xlsx: ") for note in notes] == [
        "the table begins at line 3",
        "the row below the header has units and is not data: m, s",
        "commas in numbers are read as decimal signs",
    ]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1.905", "275.427,28 €", "143,1"], [1905, 275427.28, 143.1]),  # all cells are text
        ([1.905, "275.427", "143,1"], None),  # nothing shows that the point separates thousands
        ([1.5, "275.427,28 €", "143,1"], None),  # a number is stored
        ([0.905, "275.427,28 €", "143,1"], None),
    ],
)
def test_the_signs_of_texts_in_a_spreadsheet(
    book: Path, cells: list[Cell], numbers: list[float] | None
) -> None:
    xlsx(book, t=[["a", "b", "c"], *[cells] * 3])
    frame, _ = read(layout_of(book, Dialect(header=None)))
    assert frame.iloc[0].tolist() == (numbers or [float(cells[0]), *frame.iloc[0, 1:]])


def test_a_file_that_changes_is_rendered_again(tmp_path: Path) -> None:
    path = written(tmp_path / "t.json", '[{"a":1}]')
    assert text_of(path) == "a\n1\n"
    written(path, '[{"a":2}]')
    os.utime(path, ns=(0, 0))
    assert text_of(path) == "a\n2\n"


@pytest.mark.parametrize(
    ("name", "text", "csv"),
    [
        ("t.json", '[{"a": 1, "b": "x"}, {"a": 2.5}]', "a,b\n1.0,x\n2.5,\n"),
        ("t.json", '{"a": [1, 2], "b": ["007", "1.10"]}', "a,b\n1,007\n2,1.10\n"),
        ("t.json", '[{"a": "x,y", "b": "2020-01-01"}]', 'a,b\n"x,y",2020-01-01\n'),
        ("t.json", '[{"date": 1, "modified": 0.1}]', "date,modified\n1,0.1\n"),
        ("t.json", "[[1, 2], [3, 4]]", "x1,x2\n1,2\n3,4\n"),
        ("t.jsonl", "[1, 2]\n\n[3, 4]", "x1,x2\n1,2\n3,4\n"),
        ("t.JSONL", '{"a": 1, "b": true}\n{"a": 2, "b": false}\n', "a,b\n1,True\n2,False\n"),
        ("t.ndjson", '{"a": 9007199254740993}\n', "a\n9007199254740993\n"),
        (
            "t.arff",
            "@relation r\n@attribute a numeric\n@attribute c {x,y}\n@data\n1.5,x\n?,y\n2,?\n",
            "a,c\n1.5,x\n,y\n2,\n",
        ),
        ("t.svm", "1 1:0.5 3:2\n-1 2:1\n", "x1,x2,x3,label\n0.5,0.0,2.0,1.0\n0.0,1.0,0.0,-1.0\n"),
    ],
)
def test_files_of_records_as_text(tmp_path: Path, name: str, text: str, csv: str) -> None:
    assert text_of(written(tmp_path / name, text)) == csv


@pytest.mark.parametrize(
    "suffix", [".xlsx", ".xls", ".ods", ".json", ".jsonl", ".arff", ".svm", ".libsvm"]
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"t{suffix}", "a{ b\n")
    with pytest.raises(DataError, match=rf"^this is not a \{suffix} file, or it is damaged: "):
        rendered(path)


def test_what_is_rendered_is_told_by_the_suffix(tmp_path: Path) -> None:
    assert is_rendered(Path("T.XLSX"))
    assert not is_rendered(Path("t.csv"))
    assert is_rendered(Path("t.json.gz"))
    with pytest.raises(DataError):
        rendered(tmp_path)


def test_arff_names_may_have_quotes_of_both_kinds(tmp_path: Path) -> None:
    path = tmp_path / "t.arff"
    path.write_text(
        "@relation r\n@attribute 'sepal length' numeric\n@attribute \"petal width\" real\n"
        "@attribute kind {'Iris a','b'}\n@data\n1,2,'Iris a'\n?,3,b\n",
    )
    frame, _ = read(layout_of(path, Dialect()))
    assert list(frame) == ["sepal length", "petal width", "kind"]
    assert frame["kind"].tolist() == ["Iris a", "b"]


def test_json_may_wrap_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('{"data": [{"a": 1, "b": {"c": 2}}, {"a": 3, "b": {"c": 4}}]}')
    frame, _ = read(layout_of(path, Dialect()))
    assert list(frame) == ["a", "b.c"]
    assert frame.to_numpy().tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "text", ['[{"a": 1, "b": [1, 2]}, {"a": 3, "b": [4]}]', '{"a": [1, 2], "b": [[1], [2]]}']
)
def test_lists_in_json_are_no_categories(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(DataError, match="column `b` contains lists or objects"):
        rendered(path)


@pytest.mark.parametrize("first", [0, 1])
def test_the_indices_of_svmlight_may_begin_at_0(tmp_path: Path, first: int) -> None:
    path = tmp_path / "t.svm"
    path.write_text(f"1 {first}:0.5 {first + 2}:3\n-1 {first + 1}:2\n")
    frame, _ = read(layout_of(path, Dialect()))
    assert frame.to_numpy().tolist() == [[0.5, 0, 3, 1], [0, 2, 0, -1]]


def test_what_is_packed_is_rendered_as_well(book: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert text_of(path) == "a\n1\n"
    path = tmp_path / "t.zip"
    with ZipFile(path, "w") as archive:
        archive.write(xlsx(book, one=[["a"], [1]], two=[["b"], [2]]), "t.xlsx")
    layout = layout_of(path, Dialect(sheet="two"))
    assert read(layout)[0].to_dict("list") == {"b": [2]}
    assert (
        "the first sheet with rows is read; the sheets are one, two"
        in layout_of(path, Dialect()).notes[0]
    )


def test_what_is_packed_and_damaged_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "t.json.gz"
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"^this is not a \.gz file, or it is damaged: "):
        layout_of(path, Dialect())
    path.write_bytes(gzip.compress(b"no json"))
    with pytest.raises(DataError, match=r"^this is not a \.json file, or it is damaged: "):
        layout_of(path, Dialect())


@pytest.mark.parametrize(
    "cells", [["New York", "San Jose", "El Paso"], ["a;b", "c;d", "e;f"], ["a\tb", "c\td", "e"]]
)
def test_one_column_of_texts_is_not_split(book: Path, cells: list[str]) -> None:
    frame, _ = read(
        layout_of(xlsx(book, t=[["full name"], *([cell] for cell in cells)]), Dialect())
    )
    assert frame.to_dict("list") == {"full name": cells}


def test_another_separator_within_the_cells_can_be_named(book: Path) -> None:
    xlsx(book, t=[["a;b"], ["1;2"], ["3;4"]])
    assert "no separator was found" in layout_of(book, Dialect()).notes[0]
    frame, _ = read(layout_of(book, Dialect(separator=";")))
    assert frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}


@pytest.mark.parametrize("cell", ["one, two, three\nfour, five", "x\n2,y", "one\r\ntwo\n\nthree"])
def test_a_line_break_within_a_cell_is_a_space(book: Path, cell: str) -> None:
    xlsx(book, t=[["a", "b"], [1, cell.replace("\r", "&#13;")], [2, "x"]])
    frame, _ = read(layout_of(book, Dialect()))
    assert frame["b"].tolist() == [" ".join(cell.split()), "x"]
    path = written(book.with_suffix(".json"), json.dumps([{"a": 1, "b": cell}, {"a": 2, "b": "x"}]))
    frame, _ = read(layout_of(path, Dialect()))
    assert frame["b"].tolist() == [" ".join(cell.split()), "x"]


def test_a_sheet_of_one_row_has_a_row(book: Path) -> None:
    assert text_of(xlsx(book, empty=[], one=[["a", "b"]])) == "a,b\n"
    assert text_of(xlsx(book, one=[["title"]], two=[["a"], [1]])) == "a\n1\n"


def test_the_zeros_between_letters_of_old_workbooks_are_left_out() -> None:
    assert _cell_text("m\0p\0g\0") == "mpg"
