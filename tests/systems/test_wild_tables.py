"""Small tables in notations that mislead: read as a person would, or told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("content", "column", "values", "note"),
    [
        ('name,n\n"Smith, J","1,234"\n"Doe, A","2,345"\n"Roe, B",987\n', "n", (987, 2345), "','"),
        ('name,n\n"Smith, J",1.234\n"Doe, A",2.345\n"Roe, B",3.456\n', "n", (1.234, 3.456), ""),
        ("a;n\nSt. Gallen;1,5\nBern;2,5\nChur;3,5\n", "n", (1.5, 3.5), "commas in numbers"),
        ("a;n\n2000;1,5\n2001;.\n2002;3,5\n2003;4,5\n", "n", (1.5, 4.5), "commas in numbers"),
        ("a;n\nParis;1 234,50\nLyon;345,60\nNice;456,70\nLille;12,5\n", "n", (12.5, 1234.5), "' '"),
        ("a;b;n\n4,4;x;3'957,1\n6,8;y;2'065,3\n4,9;z;2'812,1\n", "n", (2065.3, 3957.1), '"\'"'),
        ("a;n\nA;1.234\nB;15.678\nC;2.345\nD;987\n", "n", (1.234, 987), "'.' in `1.234`"),
        ("a,n\n2020-01-01,NA\n2020-01-02,0.5\n2020-01-03,0.7\n2020-01-06,0.1\n", "n",
         (0.1, 0.7), ""),
        ("Report A\n\nx,n\nblau,44.5\nOak,16.1\nrot,17.2\n", "n", (16.1, 44.5), "begins at line 3"),
        ("host,n\n192.168.100.200,12.345\n10.0.0.1,13.456\n10.0.0.2,2.345\n", "n",
         (2.345, 13.456), ""),
        ("n\n1\n\n3\n", "n", (1, 3), ""),
    ],
)  # fmt: skip
def test_numbers_are_read_as_a_person_would(
    content: str, column: str, values: tuple[float, float], note: str, bpnet: Callable[..., Any]
) -> None:
    Path("t.csv").write_text(content)
    about = json.loads(bpnet("data", "t.csv", "--json").out)
    found = next(each for each in about["columns"] if each["name"] == column)
    assert (found["kind"], found["low"], found["high"]) == ("number", *values)
    assert any(note in said for said in about["notes"]) or not note


@pytest.mark.parametrize(
    ("content", "rows", "kinds"),
    [
        ("id;conc\nA;<0.1\nB;0.5\nC;0.7\nD;0.9\n", 4, ["category", "number"]),
        ("id,v\n007,1\n08,2\n12,3\n", 3, ["category", "number"]),
        ("name;city;\nAnn;Rome;\nBob;Paris;\nCid;Oslo;\n", 3, ["category", "category"]),
        ("a,b\n12345678901234567,1\n12345678901234568,2\nNA,3\n", 3, ["category", "number"]),
        ("# export\nratio,v\n#DIV/0!,1\n#N/A,2\n0.5,3\n0.7,4\n", 4, ["number", "number"]),
        ("version;n\n1.2.3;23,5\n1.3.1;18,25\n", 2, ["category", "number"]),
    ],
)
def test_no_row_is_lost_and_codes_stay_codes(
    content: str, rows: int, kinds: list[str], bpnet: Callable[..., Any]
) -> None:
    Path("t.csv").write_text(content)
    about = json.loads(bpnet("data", "t.csv", "--json").out)
    assert about["rows"] == rows
    assert [column["kind"] for column in about["columns"]] == kinds


def test_rows_swallowed_by_a_quote_far_down_are_refused(bpnet: Callable[..., Any]) -> None:
    rows = [f"{i},pipe {i},{i % 7}" for i in range(80_000)]
    rows[70_000], rows[70_100] = '1,"3 pipe,5', '2,4" pipe,6'
    Path("t.csv").write_text("a,b,c\n" + "\n".join(rows) + "\n")
    assert "its quote is never closed" in bpnet("data", "t.csv").err


@pytest.mark.parametrize("rows", [1, 300])
def test_points_are_no_decimal_signs_where_commas_are(rows: int, bpnet: Callable[..., Any]) -> None:
    lines = [f"{i % 9},5;{i % 7},25;{i % 5},5" for i in range(60)]
    Path("t.csv").write_text("\n".join(["a;b;y", *lines]))
    assert bpnet("init", "t.csv").code == 0
    assert bpnet("train", "t.yaml", "--quiet", "--set", "training.epochs=2").code == 0
    Path("new.csv").write_text("a;b\n" + "1.234;2,5\n" * rows)
    Path("plain.csv").write_text("a;b\n" + "1234;2,5\n" * rows)
    grouped = bpnet("predict", "latest", "new.csv")
    assert grouped.out == bpnet("predict", "latest", "plain.csv").out
    assert "'.' in numbers separates thousands" in grouped.err
    refused = bpnet("predict", "latest", "new.csv", "--thousands", "")
    assert refused.code == 2
    assert "column `a`, row 1: `1.234` is not a number" in refused.err


def test_a_header_of_numbers_in_order_is_told(bpnet: Callable[..., Any]) -> None:
    Path("t.csv").write_text("Country;1;2;3\nA;5;6;7\nB;6;7;8\nC;1;2;3\n")
    assert "if they are column names, see `header`" in bpnet("data", "t.csv").err
    about = json.loads(bpnet("data", "t.csv", "--header", "--json").out)
    assert [column["name"] for column in about["columns"]] == ["Country", "1", "2", "3"]


YEARS = "Country;2019;2020;2021\n" + "".join(
    f"{'ABCD'[i % 4]};{i};{i % 7};{i % 5}\n" for i in range(60)
)
GROUPS = "Title;;;\n;North;North;South\nDay;rain;sun;rain\n" + "".join(
    f"{i};{i % 5};{i % 7};{i % 3}\n" for i in range(60)
)
REPEATED = "day,n,n,n\n" + "".join(f"{i},{i % 5},{i % 7},{i % 3}\n" for i in range(60))


@pytest.mark.parametrize(
    ("content", "names", "note"),
    [
        (YEARS, ["Country", "2019", "2020", "2021"], "it has numbers such as 2019; see `header`"),
        (GROUPS, ["Day", "North rain", "North sun", "South rain"], "such as `North rain`"),
        (REPEATED, ["day", "n", "n (2)", "n (3)"], "repeats names: 2 are numbered"),
    ],
)
def test_names_in_two_rows_repeated_or_of_years_are_found_again(
    content: str, names: list[str], note: str, bpnet: Callable[..., Any]
) -> None:
    Path("t.csv").write_text(content)
    about = json.loads(bpnet("data", "t.csv", "--json").out)
    assert [column["name"] for column in about["columns"]] == names
    assert about["rows"] == 60
    assert any(note in said for said in about["notes"])
    assert bpnet("init", "t.csv").code == 0
    trained = bpnet("train", "t.yaml", "--quiet", "--set", "training.epochs=2")
    assert trained.code == 0, trained.err
    predicted = bpnet("predict", "latest", "t.csv")
    assert predicted.code == 0, predicted.err
    Path("new.csv").write_text("\n".join(content.splitlines()[:8]) + "\n")
    few = bpnet("predict", "latest", "new.csv")
    assert few.code == 0, few.err
    header, *rows = few.out.splitlines()
    first, *others = predicted.out.splitlines()
    assert header == first
    # Which rows are computed together may change the last bit of a probability.
    numbers, expected = (np.loadtxt(lines) for lines in (rows, others[: len(rows)]))
    np.testing.assert_allclose(numbers, expected, rtol=1e-14)


def test_no_row_is_lost_where_only_some_end_with_a_separator(bpnet: Callable[..., Any]) -> None:
    rows = [f"{i};{i % 5};{i % 7}" + ";" * (i < 15) for i in range(60)]
    Path("t.csv").write_text("\n".join(["a;b;c;d", *rows]) + "\n")
    about = json.loads(bpnet("data", "t.csv", "--json").out)
    assert about["rows"] == 60
    assert [column["name"] for column in about["columns"]] == ["a", "b", "c"]
    assert not any("commas in numbers" in note for note in about["notes"])
    assert bpnet("init", "t.csv").code == 0
    assert bpnet("train", "t.yaml", "--quiet", "--set", "training.epochs=2").code == 0
    assert bpnet("predict", "latest", "t.csv").code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--separator", "ab"], "expected one character"),
        (["--encoding", "rot13"], "is not an encoding"),
        (["--sheet", "x"], "only spreadsheets have sheets"),
        (["--decimal", ",", "--thousands", ","], "are both `,`"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: list[str], message: str, bpnet: Callable[..., Any]
) -> None:
    Path("t.csv").write_text("a,b\n1,2\n2,3\n")
    assert message in bpnet("data", "t.csv", *options).err


@pytest.mark.parametrize("separator", ["fixed", "，"])
def test_unusual_separators_are_written_to_the_config_and_kept_for_new_rows(
    separator: str, bpnet: Callable[..., Any]
) -> None:
    rows = [(f"a{i % 3}{' or b' * (i % 2)}", i % 9, i % 9 * 2.5) for i in range(1, 60)]
    line = "{:<16} {:>6} {:>8}\n" if separator == "fixed" else "{}，{}，{}\n"
    text = "".join(line.format(*row) for row in [("name", "n", "y"), *rows])
    Path("t.txt").write_text(text + "Total of all rows 12.5\n")
    assert bpnet("init", "t.txt", "--skip-last", "1").code == 0
    assert f"separator: {separator}" in Path("t.yaml").read_text().replace('"', "")
    assert "skip_last: 1" in Path("t.yaml").read_text()
    trained = bpnet("train", "t.yaml", "--quiet", "--set", "training.epochs=2")
    assert trained.code == 0, trained.err
    Path("new.txt").write_text(text)
    assert bpnet("predict", "latest", "new.txt").out.count("\n") >= len(rows)
    told = json.loads(bpnet("predict", "latest", "t.txt", "--skip-last", "1", "--json").out)
    assert len(told["rows"]) == len(rows)


def test_a_sentence_of_as_many_words_as_columns_is_no_header(bpnet: Callable[..., Any]) -> None:
    Path("t.txt").write_text("# made by hand\na b c d\n" + "0.5 1.5 2.5 3.5\n" * 3)
    about = json.loads(bpnet("data", "t.txt", "--json").out)
    assert [column["name"] for column in about["columns"]] == ["a", "b", "c", "d"]
    Path("t.txt").write_text("# b c d\n" + "0.5 1.5 2.5 3.5\n" * 3)
    about = json.loads(bpnet("data", "t.txt", "--json").out)
    assert [column["name"] for column in about["columns"]] == ["#", "b", "c", "d"]
