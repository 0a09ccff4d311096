"""Predictions in files: every format holds the same, to the last bit."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import a_model
from strangers import any_name

from bpcli.errors import ConfigError
from bpcli.export.model import Model
from bpcli.nn.activations import ACTIVATIONS
from bpcli.workflows.prediction_files import SEPARATORS, WRITERS, Separated, writer_for

TANH = ACTIVATIONS["tanh"]()
CLASSES = a_model(TANH, output="softmax", outputs=2, classes=("a", "b"))
VALUES = a_model(TANH, outputs=2)
WORDS = {"ill": ("no", "yes"), "old": ("0", "1")}
LABELS = a_model(TANH, output="sigmoid", outputs=2, words=WORDS)
OUTPUTS = np.array([[0.1, 0.9], [1 / 3, 2 / 3], [1e-300, -0.0], [2.5, 1e22], [0.6, 0.4]])
ENDINGS = [*SEPARATORS, *WRITERS]


def written(ending: str, model: Model, *blocks: np.ndarray) -> bytes:
    file = io.BytesIO()
    assert writer_for(Path(f"o{ending}"))(file, model, blocks) == sum(map(len, blocks))
    return file.getvalue()


def read(ending: str, content: bytes) -> list[dict[str, Any]]:
    """The rows of a file, as other programs read it."""
    if ending == ".npz":
        with np.load(io.BytesIO(content)) as saved:
            names, outputs = saved["output_names"].tolist(), saved["outputs"].tolist()
            rows = [{"outputs": dict(zip(names, row, strict=True))} for row in outputs]
            if "label_names" in saved:
                words = [
                    dict(zip(saved["label_names"].tolist(), chosen, strict=True))
                    for chosen in np.take_along_axis(
                        saved["words"][np.newaxis], saved["labels"][..., np.newaxis], axis=2
                    )[..., 0].tolist()
                ]
                rows = [row | {"labels": labels} for row, labels in zip(rows, words, strict=True)]
            elif "labels" in saved:
                classes = saved["class_names"][saved["labels"]].tolist()
                rows = [row | {"class": name} for row, name in zip(rows, classes, strict=True)]
            return rows
    text = content.decode()
    if ending == ".json":
        return list(json.loads(text))
    if ending == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=SEPARATORS[ending])
    found = []
    for line in lines:
        kind: dict[str, Any] = {"class": line.pop("class")} if "class" in line else {}
        labels = {name: line.pop(name) for name in WORDS if name in line}
        kind |= {"labels": labels} if labels else {}
        found.append({"outputs": {name: float(cell) for name, cell in line.items()}, **kind})
    return found


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("model", [CLASSES, VALUES, LABELS], ids=["classes", "values", "labels"])
def test_every_format_holds_all_rows_to_the_last_bit(ending: str, model: Model) -> None:
    rows = read(ending, written(ending, model, OUTPUTS))
    found = [[*row["outputs"].values()] for row in rows]
    assert np.array(found).tobytes() == OUTPUTS.tobytes()
    assert {tuple(row["outputs"]) for row in rows} == {model.output_names}
    classes = ["b", "b", "a", "b", "a"] if model is CLASSES else [None] * 5
    assert [row.get("class") for row in rows] == classes
    ill, old = ["no", "no", "no", "yes", "yes"], ["1", "1", "0", "1", "0"]
    labels = [{"ill": a, "old": b} for a, b in zip(ill, old, strict=True)]
    assert [row.get("labels") for row in rows] == (labels if model is LABELS else [None] * 5)


@pytest.mark.parametrize("ending", ENDINGS)
@given(st.lists(st.integers(0, 5), max_size=5))
def test_blocks_of_rows_change_no_row(ending: str, cuts: list[int]) -> None:
    blocks = np.split(OUTPUTS, sorted(cuts))
    whole = read(ending, written(ending, CLASSES, OUTPUTS))
    assert read(ending, written(ending, CLASSES, *blocks)) == whole


@pytest.mark.parametrize("ending", ENDINGS)
def test_without_rows_there_is_a_file_of_none(ending: str) -> None:
    content = written(ending, CLASSES)
    assert read(ending, content) == []
    if ending in SEPARATORS:
        assert (
            content.decode().split() == SEPARATORS[ending].join(["P(a)", "P(b)", "class"]).split()
        )


@pytest.mark.parametrize("ending", SEPARATORS)
@given(st.randoms(use_true_random=False))
def test_any_name_is_one_cell_that_is_read_back(ending: str, rng: Random) -> None:
    name = any_name(rng)
    model = a_model(TANH, output="softmax", outputs=2, classes=(name, "b"))
    file = io.BytesIO()
    Separated(SEPARATORS[ending], raw=True)(file, model, [OUTPUTS])
    table = csv.reader(
        io.StringIO(file.getvalue().decode(), newline=""), delimiter=SEPARATORS[ending]
    )
    header, *rows = table
    assert header == [f"P({name})", "P(b)", "class"]
    assert [row[-1] for row in rows] == ["b", "b", name, "b", name]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1+2", "-2+3", "@SUM(1)", "＝1", "－1", "--", "=", "-1-", "+49 123", "\tx"]
)
def test_what_a_spreadsheet_would_compute_gets_a_mark(cell: str) -> None:
    marking, raw = Separated(","), Separated(",", raw=True)
    assert next(csv.reader([marking.line([cell, "x"])])) == [f"'{cell}", "x"]
    assert marking.marked == {cell}
    assert next(csv.reader([raw.line([cell, "x"])])) == [cell, "x"]
    assert raw.marked == set()


@pytest.mark.parametrize("cell", ["-1", "+3", "-1e-05", "-.5", "-inf", "-2.5E+3", "a=b", "", "1-2"])
def test_numbers_and_plain_names_get_none(cell: str) -> None:
    marking = Separated(",")
    assert next(csv.reader([marking.line([cell, "x"])])) == [cell, "x"]
    assert not marking.marked


def test_only_names_that_were_written_are_marked() -> None:
    model = a_model(TANH, output="softmax", outputs=2, classes=("=a", "=b"))
    marking = Separated(",")
    marking(io.BytesIO(), model, [OUTPUTS[:2]])
    assert marking.marked == {"=b"}


def test_the_ending_chooses_the_format_in_any_case() -> None:
    assert writer_for(Path("o.CSV"), raw=True) == Separated(",", raw=True)
    assert writer_for(Path("o.tsv")) == Separated("\t")
    assert writer_for(Path("o.Npz")) is WRITERS[".npz"]
    allowed = r"use \.csv, \.tsv, \.json, \.jsonl, \.npz, or `-` for standard output\.$"
    with pytest.raises(ConfigError, match=rf"^o\.xls: unknown ending `\.xls`: {allowed}"):
        writer_for(Path("o.xls"))


@pytest.mark.parametrize("ending", WRITERS)
def test_raw_is_for_what_would_be_marked(ending: str) -> None:
    says = f"^o{ending}: --raw is for CSV and TSV: {ending} never changes names.$"
    with pytest.raises(ConfigError, match=says):
        writer_for(Path(f"o{ending}"), raw=True)


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_what_is_no_number_is_null_in_json(ending: str) -> None:
    model = replace(VALUES, target_names=("u", "v"))
    (row,) = read(ending, written(ending, model, np.array([[np.nan, np.inf]])))
    assert row == {"outputs": {"predicted u": None, "predicted v": None}}
