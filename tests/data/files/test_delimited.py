from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import read_frame

from bpcli.data.files import delimited as module
from bpcli.data.files import text as text_file
from bpcli.data.files.cleaning import Cleaner
from bpcli.data.files.delimited import cleaner_of, layout_of, read, read_blocks, text_blocks
from bpcli.data.files.dialect import Dialect
from bpcli.data.values import kind_of
from bpcli.errors import DataError


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str | bytes, name: str = "t.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dialect is found in 8 kilobytes, not in a megabyte, which takes seconds."""
    monkeypatch.setattr(text_file, "_SAMPLE", 2**13)


def blocks_of(path: Path) -> Iterator[pd.DataFrame]:
    layout = layout_of(path, Dialect())
    return read_blocks(layout, 10, Cleaner(layout.dialect))


def rows_of(path: Path, **options: object) -> list[list[object]]:
    return read_frame(path, Dialect(**options)).to_numpy().tolist()


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("a,b\n1,2\n3,4\n", "t.csv", {}),
        ("a, b\n1, 2\n3, 4\n", "t.csv", {}),
        ("a;b\n1;2\n3;4\n", "t.csv", {}),
        ("a|b\n1|2\n3|4\n", "t.csv", {}),
        ("a\tb\n1\t2\n3\t4\n", "t.tsv", {}),
        ("a\tb\n1\t2\n3\t4\n", "t.csv", {}),
        ("a  b\n1 2\n 3  4\n", "t.txt", {}),
        ("1 2\n3 4\n", "t.txt", {"header": False, "columns": ("a", "b")}),
        ("'a','b'\n'1','2'\n3,4\n", "t.csv", {"quote": "'"}),
        ("a~b\n1~2\n3~4\n", "t.csv", {"separator": "~"}),
        ("a，b\n1，2\n3， 4\n", "t.csv", {}),
        ("a；b\n1；2\n3；4\n", "t.txt", {}),
        ("a、b\n1、2\n3、4\n", "t.csv", {"separator": "、"}),
        ("a§b\n1§2\n3§4\n".encode("cp1252"), "t.csv", {"separator": "§", "encoding": "cp1252"}),
        ("a,b\r\n1,2\r\n\r\n3,4\r\n", "t.csv", {}),
        ("\ufeffa,b\n1,2\n3,4", "t.csv", {}),
    ],
)
def test_the_same_table_however_it_is_written(table, text, name: str, options) -> None:
    path = table(text, name)
    frame = read_frame(path, Dialect(**options))
    assert list(frame) == ["a", "b"]
    np.testing.assert_array_equal(frame.to_numpy(), [[1, 2], [3, 4]])


def test_a_decimal_comma_is_one_where_the_config_says_so(table) -> None:
    path = table("a;b\n1,5;2\n2,25;3\n")
    assert rows_of(path, decimal=",") == rows_of(path) == [[1.5, 2], [2.25, 3]]
    assert rows_of(path, decimal=".")[0][0] == "1,5"
    path = table("1,5;2,5\n2,5;3,5\n")
    assert rows_of(path, decimal=",", header=False) == [[1.5, 2.5], [2.5, 3.5]]


@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", ","), (" ", ",")])
def test_every_number_is_read_as_the_nearest_float(table, separator: str, decimal: str) -> None:
    numbers = np.random.default_rng(0).normal(size=(100, 2)).tolist()
    lines = [separator.join(repr(x).replace(".", decimal) for x in row) for row in numbers]
    path = table("\n".join([f"a{separator}b", *lines]))
    assert rows_of(path) == numbers
    assert pd.concat(blocks_of(path)).to_numpy().tolist() == numbers


@pytest.mark.parametrize("version", ["2.1.1", "3.0.6"])
def test_pandas_is_told_to_read_exactly_where_it_does_not_by_itself(version: str) -> None:
    assert module._exactly(version) == {"float_precision": "round_trip"}
    assert module._exactly("3.1.0rc1") == module._exactly("10.0.0+1.g1") == {}


def test_columns_without_a_header_are_numbered(table) -> None:
    assert list(read_frame(table("1,2\n3,4\n"), Dialect(header=False))) == ["x1", "x2"]


def test_a_separator_that_was_found_out_is_told(table) -> None:
    notes = layout_of(table("a;b\n1;2\n"), Dialect()).notes
    assert notes == ("t.csv: columns are separated by ';'",)
    assert layout_of(table("a,b\n1,2\n"), Dialect()).notes == ()


def test_a_sign_outside_of_ascii_separates_as_any_other_in_all_rows(table) -> None:
    path = table('a，b\n"x，y"，007\n"z，\x1fw"，2\n"x，y"，3\n')
    frame = read_frame(path, Dialect(separator="，"))
    assert frame["a"].tolist() == ["x，y", "z，\x1fw", "x，y"]
    assert frame["b"].tolist() == ["007", "2", "3"]
    assert next(blocks_of(path))["a"].tolist() == frame["a"].tolist()
    with pytest.raises(DataError, match="row 2 has 1 fields, the others have 2"):
        read_frame(table("a，b\n1，2\n3\n4，5\n"), Dialect(separator="，"))


def test_a_separator_within_quotes_is_none(table) -> None:
    path = table('a,b\n"1;2;3",2\n"3;4;5",4\n')
    assert layout_of(path, Dialect()).dialect.separator == ","


def test_missing_words_are_nan_and_no_others(table) -> None:
    frame = read_frame(table("a,b\n1,?\nNA,x\n,NULL\n"), Dialect())
    assert frame.isna().to_numpy().tolist() == [[False, True], [True, False], [True, True]]
    frame = read_frame(table("a,b\n-9,?\n1,x\n"), Dialect(missing=("-9",)))
    assert frame.isna().to_numpy().tolist() == [[True, False], [False, False]]


def test_a_column_of_text_stays_as_it_is_written(table) -> None:
    path = table("zip,b\n01234,1\n99999,2\n")
    assert read_frame(path, Dialect(text=("zip",)))["zip"].tolist() == ["01234", "99999"]


def test_blocks_are_the_frame(table) -> None:
    path = table("a,b\n" + "".join(f"{i},{i % 3}.5\n" for i in range(25)))
    blocks = list(blocks_of(path))
    assert [block.index[0] for block in blocks] == [0, 10, 20]
    whole = read_frame(path, Dialect())
    assert np.concatenate([block.to_numpy() for block in blocks]).tolist() == (
        whole.to_numpy().tolist()
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "no rows"),
        (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 fields, the others have 2"),
        (b"a,b\n1,2,3\n3,4,5\n", "the header has 2 names, but each row has 3 fields"),
        (b"a,b\n1,2,3\n3,4,5\n6,7\n", "line 2 has more fields than the 2 named columns"),
        (b"a,b\n1,2\n3\n", "row 2 has 1 fields, the others have 2"),
        (b"a,b\n1\n3,4\n", "row 1 has 1 fields, the others have 2"),
        (b"a,b\n1,2\n3,\0\n", "line 3 has a NUL byte"),
        (b"1.5,b\n1,2\n", "number `1.5`, expected column names: set `header: false`"),
        (b"a\x07,b\n1,2\n", "control characters"),
        (b",".join(b"x%d" % i for i in range(60_000)), "60,000 columns"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(table, text: bytes, message: str) -> None:
    path = table(text)
    with pytest.raises(DataError, match=message):
        read_frame(path, Dialect())
    with pytest.raises(DataError, match=message):
        list(blocks_of(path))


def test_a_quote_that_would_swallow_rows_is_plain_text_with_a_note(table) -> None:
    path = table('a,b\n1,2\n3,"4\n5,6\n')
    layout = layout_of(path, Dialect())
    assert layout.notes == ('t.csv: the quotes (") are not closed: they are read as plain text',)
    assert read_frame(path, Dialect())["b"].tolist() == [2, '"4', 6]


@pytest.mark.parametrize(
    "cell", ["one, two, three\nfour, five, six", "a\nb\nc", "Dear Sir,\nno, it is, not,\nyes"]
)
def test_a_quoted_text_of_several_lines_is_one_cell(table, cell: str) -> None:
    path = table(f'a,b,c\n1,2,"{cell}"\n2,3,x\n')
    layout = layout_of(path, Dialect())
    assert layout.notes == ()
    assert read_frame(path, Dialect())["c"].tolist() == [cell, "x"]


def test_a_missing_last_value_is_no_short_row(table) -> None:
    assert read_frame(table("a,b\n1,\n3,4\n"), Dialect())["b"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "no-such"}, "`no-such` is not an encoding"),
        ({"encoding": "ascii"}, "line 2 is not valid in the encoding ascii"),
        ({"columns": ("a",)}, "`columns` has 1 names, but the first row has 2"),
    ],
)
def test_options_that_do_not_fit_the_file_are_refused(table, options, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_frame(table("a,b\n1,ö\n"), Dialect(**options))


@pytest.mark.usefixtures("small_sample")
def test_a_value_behind_the_last_separator_is_never_dropped(table) -> None:
    path = table("a,b,\n" + "1,2,\n" * 250_000 + "1,2,9\n")
    with pytest.raises(
        DataError,
        match=r"^row 250001 has 3 fields, the others have 2; see `separator`, `skip`, `skip_last`,",
    ):
        read_frame(path, Dialect())


@pytest.mark.parametrize(
    "text",
    [
        'a,b,c\n1,2,3\n4,5,\n"x,y",7\n',
        'a,b,c\n"x,y",7\n4,5,\n\n',
        "a,b,c\n1,2,3\n\n4,5,\n6,7\n8,9,10\n\n",
        'a,b,c\n"x\n",2,3\n4,5,\n6,7\n',
        "a,b,c,\n1,2,,\n4,5,6,\n7,8\n",
        "a,b,c\r1,2,\r6,7\r",
        "a b c\n1 2 3\n4 5\n",
    ],
)
def test_a_short_row_is_found_whatever_is_around_it(table, text: str) -> None:
    path, message = table(text), r"^row [123] has 2 fields, the others have 3"
    with pytest.raises(DataError, match=message):
        read_frame(path, Dialect())
    with pytest.raises(DataError, match=message):
        list(blocks_of(path))


@pytest.mark.parametrize(
    "text",
    [
        'a,b,c\n"x,y",2,\n\n4,5,6\n',
        'a,b,c\n"x\ny",2,\n4,5,6\n\n',
        "a\tb\tc\n1\t2\t\n\t\t\n4\t5\t6\n  \n",
        "a,b,c,\n1,2,,\n4,5,6,\n",
    ],
)
def test_a_row_without_its_last_value_is_not_short(table, text: str) -> None:
    path = table(text)
    assert read_frame(path, Dialect())["c"].tolist()[-1] == 6
    assert next(blocks_of(path))["c"].tolist()[-1] == 6


@pytest.mark.usefixtures("small_sample")
def test_a_word_far_below_numbers_leaves_them_as_they_are_written(table) -> None:
    # pandas reads pieces of 2**18 rows, and finds the types of each.
    words = read_frame(table("a,b\n" + "1.50,2\n" * 2**18 + "x,2\ny,2\n" * 2**18), Dialect())["a"]
    assert words.value_counts().to_dict() == {"1.50": 2**18, "x": 2**18, "y": 2**18}


@pytest.mark.usefixtures("small_sample")
@pytest.mark.parametrize("line", ["1, x\n", " 1,x\n"])
def test_a_space_far_below_is_none_of_a_field(table, line: str) -> None:
    path = table("a,b\n" + "1,x\n" * 300_000 + line)
    frame = read_frame(path, Dialect())
    assert frame.iloc[-1].tolist() == frame.iloc[0].tolist() == [1, "x"]


LONG = 2**17
"""Rows that take more than the megabyte in which the dialect is found."""


def test_codes_that_first_appear_far_down_are_read_as_text_and_told(table) -> None:
    path = table("a,b,c\n" + "1234,5,6\n" * LONG + "007,5,6\n1,5,12345678901234567\n")
    frame, notes = read(layout_of(path, Dialect()))
    assert frame["a"].iloc[-2] == "007"
    assert str(frame["c"].iloc[-1]) == "12345678901234567"
    assert notes == tuple(
        f"t.csv: `{name}` contains codes, with leading zeros or many digits: read as text"
        for name in "ac"
    )


@pytest.mark.usefixtures("small_sample")
def test_points_that_first_appear_far_down_and_may_be_thousands_are_told(table) -> None:
    lines = "1234;5;6\n" * LONG
    path = table("a;b;c\n" + lines + "1.234;0.5;6\n")
    _, notes = read(layout_of(path, Dialect()))
    [_, note] = notes
    assert "the '.' in numbers such as 1.234 of column `a` is read as a decimal sign" in note
    assert "if it separates thousands, set `thousands`" in note
    assert len(read(layout_of(path, Dialect(decimal=".")))[1]) == 1
    path = table("a;b;c\n1.5;2;3\n" + lines + "1.234;0.5;6\n")
    assert len(read(layout_of(path, Dialect()))[1]) == 1


@pytest.mark.usefixtures("small_sample")
def test_commas_that_first_appear_far_down_are_refused_with_the_option(table) -> None:
    path = table("a;b\n" + "1234;56789\n" * LONG + "0,5;2\n")
    frame = read_frame(path, Dialect())
    with pytest.raises(DataError, match="see `decimal`, `thousands`"):
        kind_of(frame["a"], "a")


@pytest.mark.parametrize(
    ("below", "count", "said"),
    [
        ("Source: OECD\n", "1 row", "Source: OECD"),
        ("\nSource: OECD\nTotal\n", "2 rows", "Source: OECD; Total"),
        ("\nSource: OECD, 2020\n", "1 row", "Source: OECD 2020"),
        (",,\nSource: OECD,,\n", "1 row", "Source: OECD"),
        ("Source: OECD,,\n", "1 row", "Source: OECD"),
        ("a text among numbers,,\n* see above,,\n", "2 rows", "a text among numbers; * see above"),
        (",,\nSource,,\nSource 2,,\n", "2 rows", "Source; Source 2"),
    ],
)
def test_notes_below_a_table_are_no_rows_and_told(table, below: str, count: str, said: str) -> None:
    path = table("a,b,c\n1,2,3\n4,5,6\n" + below)
    layout = layout_of(path, Dialect())
    frame, notes = read(layout)
    assert frame.to_numpy(float).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert f"t.csv: ignored {count} below the table: {said}" in notes
    cleaner = cleaner_of(layout)
    blocks = list(read_blocks(layout, 2, cleaner))
    assert [len(block) for block in blocks] == [2, *[0] * (len(blocks) - 1)]
    assert f"ignored {count} below the table: {said}" in cleaner.notes


@pytest.mark.parametrize(
    "text", ["a,b,c\n1,2,3\n4\n", "a,b,c\n1,2,3\nx\n4,5,6\n", "a,b\n1,2\nx;y\n", "a,b\n1,2\n3 4\n"]
)
def test_a_row_that_was_cut_is_no_note(table, text: str) -> None:
    with pytest.raises(DataError, match="row 2 has 1 fields"):
        read_frame(table(text), Dialect())


def test_comments_between_rows_are_counted(table) -> None:
    _, notes = read(layout_of(table("# x\na,b\n1,2\n# y\n# z\n3,4\n"), Dialect()))
    assert "t.csv: ignored 2 rows that begin with #" in notes


def test_a_cell_may_be_long(table) -> None:
    path = table("a,b\n" + "x" * 200_000 + ",1\ny,2\n")
    assert read_frame(path, Dialect())["b"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("text", "asked", "keys"),
    [
        ("a,b\n1,2\n3,4,5\n", {}, "`separator`, `skip`, `skip_last`, `comment`"),
        ("a,b\n1,2\n3\n", {}, "`separator`, `skip`, `skip_last`, `comment`"),
        ("a,b\n1,2,3\n3,4,5\n", {}, "`separator`, `header`, `skip`, `columns`"),
        ("a,b\n1,2\n", {"skip": 9}, "`skip`"),
        ("#a,b\n", {"comment": "#"}, "`comment`"),
        ("a,b\n1,\0\n", {}, "`encoding`"),
    ],
)
def test_an_error_names_the_option_that_may_help(table, text: str, asked, keys: str) -> None:
    with pytest.raises(DataError, match=f"; see {keys}$"):
        read_frame(table(text), Dialect(**asked))


def test_an_error_after_a_long_description_says_where_the_table_begins(table) -> None:
    words = "one, two three four; five and six\nseven  eight, nine\n\n" * 15 + "x y z and w\n"
    path = table(words + "".join(f"{i} {i % 3}.5 7\n" for i in range(20)), "t.txt")
    with pytest.raises(DataError, match="all lines from 47 on have 3 fields: `skip: 46` begins"):
        read_frame(path, Dialect(header=False))
    assert len(read_frame(path, Dialect(header=False, skip=46))) == 20
    with pytest.raises(DataError, match=r"`comment`$"):
        read_frame(table("a,b\n1,2\n3,4,5\n" + "6,7\n" * 5), Dialect())


@pytest.mark.parametrize("text", ["a,b\n,\n,\n", "a;b;c\n;;\n\n"])
def test_rows_without_any_value_are_ignored_if_there_are_no_others(table, text: str) -> None:
    assert len(read_frame(table(text), Dialect())) == 0


def test_a_repeated_header_above_names_of_rows_is_no_row(table) -> None:
    path = table("a,b\nr1,1,2\nr2,3,4\na,b\nr3,5,6\n")
    layout = layout_of(path, Dialect())
    frame, notes = read(layout)
    assert frame.to_numpy(float).tolist() == [[1, 2], [3, 4], [5, 6]]
    assert "t.csv: ignored 1 row equal to the header" in notes


def test_a_blank_line_of_a_single_column_is_a_missing_value(table) -> None:
    path = table("a\n" + "1\n" * 10 + "\n" * 3)
    assert read_frame(path, Dialect())["a"].isna().sum() == 3
    assert [int(block["a"].isna().sum()) for block in blocks_of(path)] == [0, 3]


AS_WRITTEN = [
    ("a,b,c\n007,1.10,x\n 8 ,NA, y z \n9,,'\"\n", [["007", "x"], ["8", "y z"], ["9", "'\""]]),
    ('a;b;c\n"1";2;"p;""q"""\n\n-;2;n/a\n', [["1", 'p;"q"'], ["-", "n/a"]]),
    ("a\tb\tc\n1\t2\t=x\n2\t3\t\n", [["1", "=x"], ["2", ""]]),
    ("a，b，c\n1，2，x\x1fy\n3，4，“z”\n", [["1", "x\x1fy"], ["3", "“z”"]]),
    ("a b c\n1 2 x\n10 20 y\n", [["1", "x"], ["10", "y"]]),
    ("# none\na,b,c\n1,2,0.30000000000000004\n# one\n2,3,1e400\n",
     [["1", "0.30000000000000004"], ["2", "1e400"]]),
]  # fmt: skip


@pytest.mark.parametrize("rows", [1, 2, 100])
@pytest.mark.parametrize(("text", "cells"), AS_WRITTEN)
def test_columns_as_text_are_as_they_are_written_in_the_same_blocks(
    text: str, cells: list[list[str]], rows: int, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, "utf-8")
    layout = layout_of(path, Dialect())
    blocks = list(text_blocks(layout, rows, ["c", "a"]))
    assert [list(row) for block in blocks for row in zip(block["a"], block["c"], strict=True)] == [
        *cells
    ]
    assert [len(block) for block in blocks] == [
        len(block) for block in read_blocks(layout, rows, cleaner_of(layout))
    ]
