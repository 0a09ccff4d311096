from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bpcli.config.file_models import FileData
from bpcli.data.column_rules import ColumnRules
from bpcli.data.files.arrays import ArraySource
from bpcli.data.files.dialect import MISSING, WHITESPACE
from bpcli.data.files.table import FileSource


def source(**keys: Any) -> FileSource | ArraySource:
    return FileData.model_validate(keys).source


@pytest.mark.parametrize(
    ("key", "sign", "expected"),
    [
        *(("quote", sign, "(ASCII)") for sign in ["", "ab", "\n", "\r", "，", "é"]),
        *(("separator", sign, WHITESPACE) for sign in ["", "ab", "\n", "a", "é", "7", ".", "-"]),
    ],
)
def test_signs_are_one_character(key: str, sign: str, expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FileData.model_validate({"file": "a.csv", key: sign})
    (error,) = caught.value.errors()
    assert "expected one character" in error["msg"]
    assert expected in error["msg"]


@pytest.mark.parametrize("sign", [None, WHITESPACE, ";", "\t", "|", "，", "、", "§"])
def test_a_separator_may_be_detected_or_whitespace(sign: str | None) -> None:
    data = FileData.model_validate({"file": "a.csv", "separator": sign})
    assert data.dialect.separator == sign


def test_whitespace_separates_but_does_not_quote() -> None:
    with pytest.raises(ValidationError):
        FileData.model_validate({"file": "a.csv", "quote": WHITESPACE})


@pytest.mark.parametrize("name", ["a.npy", "a.NPZ", "a.mat"])
def test_arrays_have_a_source_of_their_own(name: str) -> None:
    assert isinstance(source(file=name), ArraySource)
    assert isinstance(source(file=f"{name}.csv"), FileSource)


def test_one_column_and_a_list_of_one_are_the_same() -> None:
    for inputs, targets in (("x", 3), (["x"], [3])):
        found = source(file="a.csv", inputs=inputs, targets=targets)
        assert (found.inputs, found.targets) == (("x",), (3,))
    assert source(file="a.csv").targets is None
    assert source(file="a.csv", targets="same_as_inputs").targets == "same_as_inputs"


def test_options_reach_the_reader() -> None:
    found = source(
        file="a.csv", fill="mean", indicator=["x"], categories=["y"], missing=["?", -1], decimal=","
    )
    assert isinstance(found, FileSource)
    assert found.rules == ColumnRules("mean", ("x",), ("y",))
    assert found.dialect.missing == (*MISSING, "?", "-1")
    assert found.dialect.decimal == ","


def test_missing_words_are_added_or_replace_the_usual_ones() -> None:
    only = source(file="a.csv", missing_only=["x", 9], missing=["y"])
    assert isinstance(only, FileSource)
    assert only.dialect.missing == ("x", "9", "y")


def test_its_files_are_the_table_and_those_of_its_splits() -> None:
    data = FileData.model_validate(
        {"file": "a.csv", "split": {"files": {"test": "b.csv"}, "index": {"train": "c.txt"}}}
    )
    assert data.files == (Path("a.csv"), Path("b.csv"), Path("c.txt"))
    assert data.split.splits.files == {"test": Path("b.csv")}
    assert FileData(file="a.csv").files == (Path("a.csv"),)


@pytest.mark.parametrize("task", ["classification", "multilabel", "regression", None])
def test_a_task_is_asked_for_only_if_it_is_said(task: Any) -> None:
    assert FileData(file="a.csv", task=task).asked_task == task
    assert FileData(file="a.csv").asked_task is None


@pytest.mark.parametrize(
    "keys", [{"file": ""}, {"inputs": []}, {"columns": []}, {"weight": ""}, {"decimal": ";"}]
)
def test_nothing_is_no_choice(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FileData.model_validate({"file": "a.csv"} | keys)
