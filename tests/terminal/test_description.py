from __future__ import annotations

import io
from pathlib import Path

from bpcli.data.files.dialect import Dialect
from bpcli.data.files.look import Look, look_at
from bpcli.terminal.console import Console
from bpcli.terminal.description import (
    EXPENDABLE,
    MOST_CLASSES,
    MOST_COLUMNS,
    classes_table,
    columns_table,
    measures,
    table_facts,
)
from bpcli.terminal.grid import Styled


def look(tmp_path: Path, text: str) -> Look:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return look_at(path, Dialect(header=None), None)


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
    assert facts["rows"] == "3, 1 that repeat an earlier one"
    assert facts["header"] == "no: row 1 has a number, 1"
    assert facts["target"] == "x2: the last column"
    assert facts["task"] == "classification into 2 classes: it holds categories"


def test_a_narrow_terminal_leaves_out_columns_and_keeps_the_target(tmp_path: Path) -> None:
    about = look(tmp_path, "a_long_name,c,y\n1,a,p\n2,a,q\n2,b,q\n").description
    out = io.StringIO()
    left_out = Console(file=out, width=60).show(columns_table(about), EXPENDABLE)
    assert left_out == ["unique", "sd", "most frequent", "mean"]
    assert max(map(len, out.getvalue().splitlines())) <= 60
    assert "association" in out.getvalue()


def test_many_columns_and_classes_are_cut(tmp_path: Path) -> None:
    head = ",".join(f"a{i}" for i in range(100))
    rows = "".join(",".join([str(i), *["1"] * 98, f"c{i % 25}"]) + "\n" for i in range(150))
    about = look(tmp_path, f"{head}\n{rows}").description
    assert len(columns_table(about).rows) == MOST_COLUMNS
    assert len(classes_table(about).rows) == MOST_CLASSES
    assert classes_table(about).rows[0] == ["c0", "6", "4.0 %"]
