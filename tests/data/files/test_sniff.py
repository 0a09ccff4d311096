"""How a file is written is found from its text, and told; `test_delimited.py` reads such files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcli.data.files.delimited import read
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.sniff import MOST_COLUMNS, Layout, require_valid_names, sniff
from bpcli.errors import DataError

NUMERALS = {",": [".", ".'"], ";": [".", ",", ".,", ",.", ", "], "\t": [".", ",", ".,", ",."],
            "|": [".", ",", ".,", ",."], "whitespace": [".", ",", ".,", ",."]}  # fmt: skip
"""The decimal and thousands signs that go with a separator without quotes."""


def found(folder: Path, content: str, name: str = "t.csv", **asked: object) -> Layout:
    path = folder / name
    path.write_text(content, newline="")
    return sniff(path, Dialect(**{"header": None, **asked}))  # type: ignore[arg-type]


def notes_of(layout: Layout) -> list[str]:
    """The notes, each of which begins with the name of the file."""
    beginning = f"{layout.path.name}: "
    assert all(note.startswith(beginning) for note in layout.notes)
    return [note.removeprefix(beginning) for note in layout.notes]


# The same table in any dialect.


@st.composite
def written_tables(draw: st.DrawFn) -> tuple[np.ndarray, str, str]:
    """Numbers with two decimals, a text in some dialect that shows them, and its separator."""
    width, height = draw(st.integers(2, 4)), draw(st.integers(3, 6))
    cents = st.integers(-(10**9), 10**9).filter(lambda cent: cent % 100)
    cells = draw(st.lists(cents, min_size=width * height, max_size=width * height))
    table = np.array(cells).reshape(height, width) / 100
    separator = draw(st.sampled_from(sorted(NUMERALS)))
    signs = draw(st.sampled_from(NUMERALS[separator]))
    swap = {".": signs[0], ",": signs[1:]}
    sign = {"whitespace": draw(st.sampled_from([" ", "   "]))}.get(separator, separator)
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    rows = [["abcd"[i] + "bcd"[:i] for i in range(width)]]
    rows += [["".join(swap.get(c, c) for c in f"{cell:,.2f}") for cell in row] for row in table]
    before = draw(st.sampled_from(["", "# made by hand", "Title", "Title, with a comma", "\n"]))
    if separator == "whitespace" and before.startswith("Title"):
        before = ""
    if separator == "," and "," in before:  # may be a header above a row of units
        before = "Title"
    lines = [sign.join(row) for row in rows]
    if draw(st.booleans()) and separator != "whitespace":
        lines = [line + sign for line in lines]
    if draw(st.booleans()):
        lines.insert(2, "")
    return table, end.join([*[before] * bool(before), *lines, ""]), separator


@settings(max_examples=60)
@given(written_tables())
def test_the_same_numbers_are_read_from_any_dialect(
    tmp_path_factory: pytest.TempPathFactory, example: tuple[np.ndarray, str, str]
) -> None:
    table, text, separator = example
    layout = found(tmp_path_factory.getbasetemp(), text)
    assert layout.dialect.separator == separator
    assert layout.dialect.header
    frame, _ = read(layout)
    assert list(frame) == ["a", "bb", "cbc", "dbcd"][: table.shape[1]]
    np.testing.assert_array_equal(frame.to_numpy(float), table)


@settings(max_examples=30)
@given(written_tables())
def test_what_was_found_finds_itself(
    tmp_path_factory: pytest.TempPathFactory, example: tuple[np.ndarray, str, str]
) -> None:
    """A stored dialect reads the file to the same frame, without the header's names."""
    layout = found(tmp_path_factory.getbasetemp(), example[1])
    again = sniff(layout.path, layout.dialect)
    assert again.dialect == layout.dialect
    assert again.start == layout.start


# What stands before, within and behind the table.


@pytest.mark.parametrize(
    ("text", "start", "notes"),
    [
        ("a,b\n1,2\n", 1, []),
        ("\n\na,b\n1,2\n", 3, []),
        ("a,b\n\n1,2\n", 2, []),
        ("a;b\n1;2\n", 1, ["columns are separated by ';'"]),
        ("a b\n1 2\n", 1, []),
        ("sep=|\na|b\n1|2\n", 2, ["columns are separated by '|'"]),
        ('"sep=,"\na,b\n1,2\n', 2, []),
        ("# x\na,b\n1,2\n", 2, ["lines that begin with # are ignored as comments"]),
        ("% by hand\n1 2\n3 4\n", 1, ["lines that begin with % are ignored as comments"]),
        ("// x\na,b\n1,2\n", 2, ["lines that begin with // are ignored as comments"]),
        ("# x,y\na,b\n#1,2\n", 1, []),
        ("#a,b\n1,2\n", 1, []),
        ("Sales\na,b,c\n1,2,3\n4,5,6\n", 2, ["the table begins at line 2"]),
        ("Sales\na,b\n1,2\n3,4\n", 2, ["the table begins at line 2"]),
        ("Sales,\n,\na,b\n1,2\n3,4\n", 3, ["the table begins at line 3"]),
        ("Sales of\nall\n\na,b\n1,2\n3,4\n5,6\n", 4, ["the table begins at line 4"]),
        ("Sales,,\na,b,c\n1,2,3\n", 2, ["the table begins at line 2"]),
        (
            "a,b,\n1,2,\n3,4,\n",
            1,
            ["each row ends with a separator: the empty last column is ignored"],
        ),
        (
            "a,b\n1,2,\n3,4,\n",
            1,
            ["each row ends with a separator: the empty last column is ignored"],
        ),
        (
            "a,b\nFiat,1,2\nVW,3,4\n",
            1,
            ["the first field of each row has no name in the header: it is ignored as a row name"],
        ),
        (
            "a,b\n1,7,2\n2,8,4\n",
            1,
            ["the first field of each row has no name in the header: it is ignored as a row name"],
        ),
        (
            "a,b\nm,s\n1,2\n3,4\n",
            2,
            ["the row below the header has units and is not data: m, s"],
        ),
        ("a,b\n,s\n1,2\n3,4\n", 2, ["the row below the header has units and is not data: s"]),
        ("a,b\n1,s\n1,2\n3,4\n", 1, []),
        ("a,b\nm,-\n1,2\n3,4\n", 2, ["the row below the header has units and is not data: m, -"]),
        ("a,b\nm,\nNA,x\nNA,y\nNA,z\n3,4\n", 2,
         ["the row below the header has units and is not data: m"]),
        ("a,b\n$5,x\n$1,x\n$3,y\n", 1, []),
        ("a,b\nm,s\n1,2,\n3,4,\n5,6,\n", 2,
         ["each row ends with a separator: the empty last column is ignored",
          "the row below the header has units and is not data: m, s"]),
        ("1,2,\n", 0, ["each row ends with a separator: the empty last column is ignored"]),
        ("a,b\nr1,NA,2\nr2,1,3\n", 1,
         ["the first field of each row has no name in the header: it is ignored as a row name"]),
        ("a,b\n1,5,6\n,,\n2,7,8\n", 1,
         ["the first field of each row has no name in the header: it is ignored as a row name"]),
        ("a,b\nm,s\n1,2\n", 1, []),
        (
            "a,b\n007,2\n123,4\n",
            1,
            ["`a` contains codes, with leading zeros or many digits: read as text"],
        ),
        ("a,b\n0,2\n0.5,4\n", 1, []),
        (
            "a\nx;y\nz\nw\n",
            1,
            ["no separator was found: the table has one column; see `separator`"],
        ),
        ("a\nx y\nz\n", 1, []),
        ("a b,c\nx y,z\nu v,w;t\n", 1, []),
        (
            "a b\nx;1 2\ny;3 4\n",
            1,
            ["characters other than spaces may separate columns; see `separator`"],
        ),
        (
            "a,b\nx|y,5\nu|v,6\nw|z,7\n",
            1,
            ["characters other than ',' may separate columns; see `separator`"],
        ),
        ("a,\n1,2\n", 1, ["the header has no name for `column 2`"]),
    ],
)  # fmt: skip
def test_what_is_no_data_is_passed_over_and_told(
    tmp_path: Path, text: str, start: int, notes: list[str]
) -> None:
    layout = found(tmp_path, text)
    assert layout.start == start
    assert notes_of(layout) == notes


def test_an_inch_sign_is_no_quote(tmp_path: Path) -> None:
    layout = found(tmp_path, 'a,b\n"x,1\n2,3\n"4,5\n6,7\n')
    assert layout.dialect.quote == ""
    assert notes_of(layout) == ['the quotes (") are not closed: they are read as plain text']
    assert found(tmp_path, 'a,b\n"x\ny",1\n').dialect.quote == '"'


def test_all_text_with_row_names_is_read_as_such(tmp_path: Path) -> None:
    layout = found(tmp_path, "a,b\nr1,x,y\nr2,z,w\n")
    assert layout.dialect.row_names
    assert layout.start == 1


def test_repeated_words_are_no_row_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the first one \(`Fiat`\) is not a row name"):
        found(tmp_path, "a,b\nFiat,1,2\nFiat,3,4\n")


def test_zeros_that_lead_far_below_are_seen(tmp_path: Path) -> None:
    text = "a,b\n" + "12345,1\n" * 300 + "01234,2\n"
    assert found(tmp_path, text).dialect.text == ("a",)


def test_codes_that_are_told_as_text_are_not_told_again(tmp_path: Path) -> None:
    layout = found(tmp_path, "a,b\n007,2\n", text=("a",))
    assert layout.dialect.text == ("a",)
    assert notes_of(layout) == []


# What is told is not guessed.


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("a;b,c\n1;2,3\n", {"separator": ","}),
        ("a;b\n1,5;2\n", {"decimal": ",", "separator": ";"}),
        ("a;b\n1.234;2\n", {"decimal": ",", "separator": ";", "thousands": "."}),
        ("a,b\n1,2\n", {"header": False}),
        ("1,2\n3,4\n", {"header": False, "columns": ("u", "v")}),
        ("# x\n# y\n", {"comment": ""}),
        ("a,b\n#1,2\n3,4\n", {"comment": "#"}),
        ("a,b\n1,2\n3,4\n", {"skip": 1}),
        ("sep=;\na,b\n", {"skip": 0}),
        ("'a','b'\n1,2\n", {"quote": "'"}),
    ],
)
def test_what_is_told_is_kept(tmp_path: Path, text: str, asked: dict[str, object]) -> None:
    dialect = found(tmp_path, text, **asked).dialect
    assert {name: getattr(dialect, name) for name in asked} == asked


def test_told_signs_need_no_note(tmp_path: Path) -> None:
    assert notes_of(found(tmp_path, "a;b\n1,5;2\n", separator=";", decimal=",")) == []
    assert notes_of(found(tmp_path, "a\tb\n1\t2\n", "t.tsv")) == []


def test_thousands_that_are_the_decimal_sign_are_none(tmp_path: Path) -> None:
    layout = found(tmp_path, 'a\tb\n"1,234.5"\t2\n', decimal=",")
    assert layout.dialect.decimal == ","
    assert layout.dialect.thousands == ""


def test_the_name_of_a_file_tells_its_separator(tmp_path: Path) -> None:
    text = "a,x\tb,y\n1,2\t3,4\n"
    assert found(tmp_path, text, "t.tsv").dialect.separator == "\t"
    assert found(tmp_path, "a,b\n1,2\n", "t.tab").dialect.separator == ","


# What is no table.


@pytest.mark.parametrize(
    ("text", "asked", "message"),
    [
        ("\n \n", {}, "the file has no rows"),
        ("a,b\n1,2\n", {"skip": 9}, "the file has no rows"),
        ("a,b\n1,2\n", {"columns": ("x", "x")}, "the columns 1 and 2 are both `x`"),
        (
            "a,b\n1958-03,7,2\n1958-04,8,4\n",
            {},
            "the header has 2 names, but each row has 3 fields",
        ),
        ("a,b\n17,7,2\n5,8,4\n", {}, "the header has 2 names, but each row has 3 fields"),
        (
            "a,b,c,d\n1,2,3,4\n5,6,7,8\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n",
            {},
            "line 2 has 4 fields, but most rows",
        ),
        ("a,b,c,d\n1,2,3\n5,6,7\n", {}, "line 1 has 4 fields, but most rows below have 3"),
        ("1,2,3\n5,6\n1,2\n1,2\n", {}, "line 1 has 3 fields, but most rows below have 2"),
        ("a,b\n1,2\n", {"columns": ("x",)}, "`columns` has 1 names, but the first row has 2 "),
        ("1,b\n1,2\n", {"header": True}, "the first row has the number `1`, expected column names"),
        ("," * MOST_COLUMNS + "\n", {}, "the first row has 50,001 columns, more than the 50,000 "),
    ],
)
def test_what_is_no_table_is_refused(
    tmp_path: Path, text: str, asked: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError) as error:
        found(tmp_path, text, **asked)
    assert str(error.value).startswith(message)


def test_names_are_unique_and_without_control_characters() -> None:
    require_valid_names(("a", "A", "Länge (m)"))
    with pytest.raises(DataError, match="the columns 1 and 3 and 4 are both `a`"):
        require_valid_names(("a", "b", "a", "a"))
    with pytest.raises(DataError, match=r"the column name .* has control .*; see `encoding`$"):
        require_valid_names(("a", "b\x1b[31m"))
