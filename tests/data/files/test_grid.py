from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.files.grid import Grid, best_grid, holds_rows, is_number, rows_of

SEPARATORS = [",", ";", "\t", "|"]
FIELDS = st.text(st.sampled_from('ab1.,;|\t "'), max_size=5)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(FIELDS, min_size=width, max_size=width), min_size=1)
)


def lines_of(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def fields_of(text: str, separator: str = ",", quote: str = '"') -> list[list[str]]:
    return [row.fields for row in rows_of(lines_of(text), separator, quote)]


@given(TABLES, st.sampled_from(SEPARATORS), st.sampled_from("\"'"))
def test_what_a_writer_writes_is_read_back(
    table: list[list[str]], separator: str, quote: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quotechar=quote, quoting=csv.QUOTE_ALL).writerows(table)
    stripped = [[field.strip() for field in row] for row in table]
    assert fields_of(text.getvalue(), separator, quote) == stripped


@pytest.mark.parametrize(
    ("text", "separator", "quote", "rows"),
    [
        ("a, b\n 1 ,2\n", ",", '"', [["a", "b"], ["1", "2"]]),
        ("a;b\n\n1;2", ";", '"', [["a", "b"], ["1", "2"]]),
        ("  a \t b\n1   2  \n", "whitespace", '"', [["a", "b"], ["1", "2"]]),
        ("'a b' c\n", "whitespace", "'", [["a b", "c"]]),
        ('3" x,4" y\n', ",", "", [['3" x', '4" y']]),
        ("'a,b',c\n", ",", "'", [["a,b", "c"]]),
        ("a,b\n,\n", ",", '"', [["a", "b"], ["", ""]]),
        ("a\tb\n\t\n", "\t", '"', [["a", "b"], ["", ""]]),
    ],
)
def test_fields_are_stripped(text: str, separator: str, quote: str, rows: list[list[str]]) -> None:
    assert fields_of(text, separator, quote) == rows


@pytest.mark.parametrize("separator", [*SEPARATORS, "whitespace"])
@pytest.mark.parametrize("blank", ["\n", "\r\n", "   \n", " \t \n"])
def test_a_line_of_spaces_is_no_row_as_for_pandas(separator: str, blank: str) -> None:
    sign = " " if separator == "whitespace" else separator
    blank = blank.replace("\t", "") if separator == "\t" else blank
    assert fields_of(f"a{sign}b\n{blank}1{sign}2\n", separator) == [["a", "b"], ["1", "2"]]


def test_a_row_knows_its_first_line() -> None:
    rows = list(rows_of(lines_of('a,b\n\n"x\ny",1\nz,2\n'), ",", '"'))
    assert [row.line for row in rows] == [0, 2, 4]


def test_the_usual_rows_have_the_most_frequent_width() -> None:
    grid = Grid.of(lines_of("title\na,b\n1,2\n3,4,5\n6,7\n"), ",", '"')
    assert grid.width == 2
    assert [row.fields for row in grid.usual] == [["a", "b"], ["1", "2"], ["6", "7"]]
    assert grid.judged == grid.usual


def test_few_rows_of_a_wide_table_are_judged() -> None:
    narrow = Grid.of(["1,2\n"] * 300, ",", '"')
    wide = Grid.of([",".join(["1"] * 10_000) + "\n"] * 30, ",", '"')
    assert len(narrow.judged) == 200
    assert len(wide.judged) == 9


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("1,2\n3,4\n", 1.0),
        ("1,\n,4\n", 1.0),
        ("a,b\n1,2\n", 0.75),
        ("a;1,2\n", 0.5),
        ("1,2\n3,4\n5,6\n7\n", 0.75),
        ("1,2\n3\n", 0.0),
        ("1\n2\n", 0.0),
        ("", 0.0),
    ],
)
def test_the_score_counts_usual_rows_and_legible_cells(text: str, score: float) -> None:
    assert Grid.of(lines_of(text), ",", '"').score == pytest.approx(score)


def test_a_cell_with_several_numbers_hides_a_separator() -> None:
    assert Grid.of(["1,2,3;4\n"], ";", '"').score == pytest.approx(0.5)


def test_words_between_spaces_are_hardly_columns() -> None:
    assert Grid.of(["a b\n"], "whitespace", '"').score == pytest.approx(0.2)


@pytest.mark.parametrize(
    "cell", ["1", "-1.5", "1,5", "1.234,5", "1,234.5", "1 234,5", "1'234.5", "1’234", "5 %"]
)
def test_a_number_may_have_any_of_the_usual_signs(cell: str) -> None:
    assert is_number(cell)


@pytest.mark.parametrize("cell", ["", "a", "1;2", "2024-01-31", "1,2,3", "nan"])
def test_other_cells_are_no_numbers(cell: str) -> None:
    assert not is_number(cell)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("a\tb\n1,5\t2\n", "\t"),
        ("a|b\nx y|z w\n", "|"),
        ("a b\n1,5 2,5\n", "whitespace"),
        ('a,b\n"x;y",1\n"z;w",2\n', ","),
        ("name,text\nx,some words here\ny,some words more\n", ","),
        ("a;b\n1;\n;2\n", ";"),
        ("single\n1\n2\n", ","),
        ("Sales\nBest of 2020\na;b;c\nx;y;z\n", ";"),
        ("a;b;c\nr1;1,5;2,5;3,5\n", ";"),
        ('$2,5  "x" "1,3"\n$3,5  "y" "1,4"\n', "whitespace"),
        ("1,234 x  3,2\n5,678 y  4,6\n", "whitespace"),
        ("Table of 3\nx\t1\tz\n", "\t"),
        ("a\tb b\n1 234\t2 345\n1 235\t3 456\n", "\t"),
        ("red\nblue\ndark green\n", ","),
        ('"so ""x"""  -0,14\n"so ""x"""  -0,15\n', "whitespace"),
        ('1,234,010,519|"x"\n1,235,020,520|"x"\n', "|"),
        ("r1; 1,234,010\nr2; 1,235,020\n", ";"),
        ("100,200\n300,400\n", ","),
        ("1,234,010,519\tx; y\t3.5\n1,235,020,520\tx; y\t4.5\n", "\t"),
        ("a，b\n1，2\n", "，"),
        ("a； b c\n1； 2\n3； 4\n", "；"),
        ("n,t\n1,x，y\n2,z，w\n", ","),
        ("今天，好\n明天\n后天，好，好\n", ","),
    ],
)
def test_the_separator_that_fits_best(text: str, separator: str) -> None:
    assert best_grid(lines_of(text), None, '"').separator == separator


def test_titles_are_no_rows_even_if_there_are_more() -> None:
    grid = Grid.of(["One\n", "Two\n", "x,1,2\n"], ",", '"')
    assert grid.width == 3
    assert Grid.of(["1\n"] * 5 + ["2,5\n"], ",", '"').width == 1
    assert Grid.of(["1\n", "2\n", "2,5\n", "3\n"], ",", '"').width == 1


def test_more_notes_than_rows_below_a_table_are_none() -> None:
    table, notes = "a,b,c\n1,2,3\n4,5,6\n", "a: one\nb: two\nc: three\nd\n(c) 2001, 2021\n"
    assert best_grid(lines_of(table + "\n" + notes), None, '"').width == 3
    assert best_grid(lines_of(table + notes), None, '"').width != 3
    assert Grid.of(lines_of("1,5\n2,5\n3,5\n\n4\n5\n6\n7\n"), ",", '"').width == 1


def test_short_rows_are_padded_where_all_others_end_with_a_separator() -> None:
    grid = Grid.of(["a,b\n", "1,2,\n", "3,4,\n"], ",", '"')
    assert [row.fields for row in grid.padded.rows] == [
        ["a", "b", ""],
        ["1", "2", ""],
        ["3", "4", ""],
    ]
    grid = Grid.of(["a,b\n", "1,2,\n", "3,4,5\n"], ",", '"')
    assert grid.padded is grid


def test_a_separator_that_is_told_is_not_guessed() -> None:
    grid = best_grid(["a;b,c\n", "1;2,3\n"], ",", '"')
    assert [row.fields for row in grid.rows] == [["a;b", "c"], ["1;2", "3"]]


def test_what_csv_refuses_is_no_grid() -> None:
    before = csv.field_size_limit(100)
    try:
        grid = Grid.of(["x" * 101 + ",1\n"], ",", '"')
    finally:
        csv.field_size_limit(before)
    assert grid.rows == []
    assert grid.width == 0


@pytest.mark.parametrize(
    ("cell", "width", "index", "is_so"),
    [
        ("4\n5,6", 2, 1, True),
        ("4\n5,6\n7,8", 2, 1, True),
        ("3 pipe,5\n1,pipe,6\n2,4", 3, 1, True),
        ("3 pipe,5\n1,pipe,6\n\n2,pipe,6", 3, 1, True),
        ("one, two, three\nfour, five, six", 3, 2, False),
        ("first\nsecond", 3, 2, False),
        ("Dear Sir,\nthis is long, and longer, and more,\nso, we end, here", 3, 2, False),
        ("12 High Street,\nOxford, OX1, UK", 2, 1, False),
        ("4,5", 2, 1, False),
        ("one\ntwo", 1, 0, False),
    ],
)
def test_a_cell_holds_rows_only_where_its_lines_have_their_widths(
    cell: str, width: int, index: int, is_so: bool
) -> None:
    assert holds_rows(cell, ",", width, index) is is_so
