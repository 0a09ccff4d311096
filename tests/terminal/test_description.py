from __future__ import annotations

import io
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from bpcli.data.column_warnings import ColumnWarning, WarningKind
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.look import Look, look_at
from bpcli.terminal.console import Console
from bpcli.terminal.description import (
    EXPENDABLE,
    MOST_CLASSES,
    MOST_COLUMNS,
    all_columns_facts,
    classes_table,
    columns_table,
    has_more_columns,
    measures,
    table_facts,
    warning_lines,
)
from bpcli.terminal.grid import Styled


def look(tmp_path: Path, text: str) -> Look:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return look_at(path, Dialect(header=None))


def test_a_column_is_a_row_of_the_table(tmp_path: Path) -> None:
    about = look(tmp_path, "x,c,y\n1,a,p\n2,?,q\n2,b,q\n").description
    number, words, target = columns_table(about).rows
    assert number == ["x", "number", "", "2", "0", "1", "1.6667", "2", "0.4714", "eta 1.00"]
    assert words == ["c", "category", "a 1, b 1", "2", "1", "-", "-", "-", "-", "V 1.00"]
    assert target[0] == "y"
    assert target[-1] == Styled("target", "bold")
    assert [text.split(":")[0] for text in measures(about)] == ["eta", "V"]


def test_what_a_file_holds_and_what_was_guessed_is_said(tmp_path: Path) -> None:
    facts = dict(table_facts(look(tmp_path, "1,a\n2,b\n1,a\n")))
    assert facts["rows"] == "3 (1 duplicate)"
    assert facts["header"] == "no: row 1 has a number, 1"
    assert facts["target"] == "x2: the last column"
    assert facts["task"] == "classification into 2 classes: it contains categories"


def test_a_narrow_terminal_leaves_out_columns_and_keeps_the_target(tmp_path: Path) -> None:
    about = look(tmp_path, "a_long_name,c,y\n1,a,p\n2,a,q\n2,b,q\n").description
    out = io.StringIO()
    left_out = Console(file=out, width=60).show(columns_table(about), EXPENDABLE)
    assert left_out == ["unique", "sd", "most frequent", "mean"]
    assert max(map(len, out.getvalue().splitlines())) <= 60
    assert "association" in out.getvalue()


def test_of_many_columns_those_are_shown_that_go_most_with_the_target(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(90, 49))
    frame = pd.DataFrame(noise).add_prefix("x").assign(kind="b", gap=[1, None] * 45, same=1)
    frame["y"] = frame["x30"] - 0.7 * frame["x7"]
    about = look(tmp_path, frame.to_csv(index=False)).description
    rows = columns_table(about).rows
    assert len(rows) == 1 + MOST_COLUMNS
    assert [row[0] for row in rows[:3]] == ["y", "x30", "x7"]
    sizes = [abs(float(str(row[-1]).split()[-1])) for row in rows[1:]]
    assert sizes == sorted(sizes, reverse=True)
    assert all_columns_facts(about) == [
        ("kinds", "number 52, category 1"),
        ("missing values", "1 column, 45 in total"),
        ("constant", "3 columns"),
    ]


def test_all_columns_are_shown_in_order_where_there_is_room(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.sin(np.outer(np.arange(9), np.arange(1, MOST_COLUMNS + 2))))
    about = look(tmp_path, frame.add_prefix("x").to_csv(index=False)).description
    assert not has_more_columns(about)
    assert [row[0] for row in columns_table(about).rows] == [f"x{i}" for i in range(41)]


def test_many_warnings_of_a_kind_are_one_line(tmp_path: Path) -> None:
    text = "".join(f"{'1,' * 6}{i},{i % 2}.5\n" for i in range(30))
    head = ",".join([*(f"c{i}" for i in range(6)), "x", "y"])
    assert list(warning_lines(look(tmp_path, f"{head}\n{text}").description.warnings)) == [
        "6 columns have the same value in all rows: c0, c1, c2, c3, c4, …",
        "x numbers the rows: an id, not a feature",
    ]


def test_many_warnings_of_any_kind_about_inputs_have_a_line() -> None:
    of_targets = {
        "missing target", "unbalanced", "rare classes", "dates as target", "names as target",
        "many classes",
    }  # fmt: skip
    kinds = {*get_args(WarningKind)} - of_targets
    for kind in kinds:
        many = [ColumnWarning(f"c{i}", kind, "x") for i in range(6)]
        assert len([*warning_lines(many)]) == 1


def test_many_classes_are_cut(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7}.5,c{i % 25}\n" for i in range(150))
    about = look(tmp_path, f"a,b\n{rows}").description
    assert len(classes_table(about).rows) == MOST_CLASSES
    assert classes_table(about).rows[0] == ["c0", "6", "4.0 %"]
