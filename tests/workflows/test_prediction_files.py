"""Predictions in files: every format holds the same, to the last bit."""

from __future__ import annotations

import codecs
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
from bpcli.intervals.conformal import AbsoluteErrors, AdaptiveSets
from bpcli.intervals.linearized import Linearized, Spread
from bpcli.nn.activations import ACTIVATIONS
from bpcli.workflows.interval_columns import (
    Columns,
    IntervalsAndParts,
    IntervalsOfValues,
    SetsOfClasses,
)
from bpcli.workflows.predicted_blocks import Block, KeptColumn, Predictions
from bpcli.workflows.prediction_files import (
    SEPARATORS,
    WRITERS,
    Separated,
    first_rows,
    number_in,
    writer_for,
)

TANH = ACTIVATIONS["tanh"]()
CLASSES = a_model(TANH, output="softmax", outputs=2, classes=("a", "b"))
VALUES = a_model(TANH, outputs=2)
WORDS = {"ill": ("no", "yes"), "old": ("0", "1")}
LABELS = a_model(TANH, output="sigmoid", outputs=2, words=WORDS)
OUTPUTS = np.array([[0.1, 0.9], [1 / 3, 2 / 3], [1e-300, -0.0], [2.5, 1e22], [0.6, 0.4]])
X = OUTPUTS[:, [0, 0, 0]] + [1, 2, 3]
ENDINGS = [*SEPARATORS, *WRITERS]


def block_of(outputs: np.ndarray) -> Block:
    return Block(outputs[:, [0, 0, 0]] + [1, 2, 3], outputs, np.arange(len(outputs)) + 1)


def written(ending: str, model: Model, *blocks: np.ndarray) -> bytes:
    file = io.BytesIO()
    predictions = Predictions(model, map(block_of, blocks))
    assert writer_for(Path(f"o{ending}"))(file, predictions) == sum(map(len, blocks))
    return file.getvalue()


def sheet_in(content: bytes) -> list[list[Any]]:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["predictions"]
    return list(book.get_sheet_by_index(0).to_python())


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
    if ending == ".xlsx":
        [header, *lines] = sheet_in(content)
        return [_in_kinds(dict(zip(header, line, strict=True))) for line in lines]
    text = content.decode()
    if ending == ".json":
        return list(json.loads(text))
    if ending == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=SEPARATORS[ending])
    return [_in_kinds(line) for line in lines]


def _in_kinds(line: dict[str, Any]) -> dict[str, Any]:
    """The cells of a row by what they are."""
    kind: dict[str, Any] = {"class": line.pop("class")} if "class" in line else {}
    labels = {name: line.pop(name) for name in WORDS if name in line}
    kind |= {"labels": labels} if labels else {}
    return {"outputs": {name: float(cell) for name, cell in line.items()}, **kind}


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
    Separated(SEPARATORS[ending], raw=True)(file, Predictions(model, [block_of(OUTPUTS)]))
    table = csv.reader(
        io.StringIO(file.getvalue().decode(), newline=""), delimiter=SEPARATORS[ending]
    )
    header, *rows = table
    assert header == [f"P({name})", "P(b)", "class"]
    assert [row[-1] for row in rows] == ["b", "b", name, "b", name]


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1+2", "-2+3", "@SUM(1)", "＝1", "－1", "--", "=", "-1-", "+49 123", "\tx", "=inf"],
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
    marking(io.BytesIO(), Predictions(model, [block_of(OUTPUTS[:2])]))
    assert marking.marked == {"=b"}


def test_the_ending_chooses_the_format_in_any_case() -> None:
    assert writer_for(Path("o.CSV"), raw=True) == Separated(",", raw=True)
    assert writer_for(Path("o.tsv")) == Separated("\t")
    assert writer_for(Path("o.Npz")) is WRITERS[".npz"]
    allowed = r"use \.csv, \.tsv, \.xlsx, \.json, \.jsonl, \.npz, or `-` for standard output\.$"
    with pytest.raises(ConfigError, match=rf"^o\.xls: unknown ending `\.xls`: {allowed}"):
        writer_for(Path("o.xls"))


@pytest.mark.parametrize("ending", WRITERS)
def test_a_byte_order_mark_is_for_text_in_columns(ending: str) -> None:
    with pytest.raises(ConfigError, match=f"^o{ending}: --bom is for CSV and TSV: "):
        writer_for(Path(f"o{ending}"), bom=True)


@pytest.mark.parametrize("ending", SEPARATORS)
def test_a_byte_order_mark_comes_first_and_changes_nothing_else(ending: str) -> None:
    file = io.BytesIO()
    writer_for(Path(f"o{ending}"), bom=True)(file, Predictions(CLASSES, [block_of(OUTPUTS)]))
    assert file.getvalue() == codecs.BOM_UTF8 + written(ending, CLASSES, OUTPUTS)


def test_arrays_keep_no_columns() -> None:
    with pytest.raises(ConfigError, match=r"^o\.npz: \.npz cannot contain columns of FILE"):
        writer_for(Path("o.npz"), keeps=True)


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


# Columns kept.

CODES = KeptColumn("the code", ["007", "8", "=1+1", "-", ""], are_numbers=False)
AMOUNTS = KeptColumn("=n", ["1", "1.10", "-3.5", "0.30000000000000004", ""], are_numbers=True)
KEPT = Predictions(
    CLASSES,
    [
        Block(X[:2], OUTPUTS[:2], np.array([1, 2]), tuple(
            each._replace(texts=each.texts[:2]) for each in (CODES, AMOUNTS)
        )),
        Block(X[2:], OUTPUTS[2:], np.array([4, 5, 6]), tuple(
            each._replace(texts=each.texts[2:]) for each in (CODES, AMOUNTS)
        )),
    ],
    ("the code", "=n"),
)  # fmt: skip


def with_kept(ending: str, predictions: Predictions = KEPT) -> bytes:
    file = io.BytesIO()
    assert writer_for(Path(f"o{ending}"), keeps=True)(file, predictions) == 5
    return file.getvalue()


@pytest.mark.parametrize("ending", SEPARATORS)
def test_columns_kept_come_first_as_they_are_written(ending: str) -> None:
    bare = written(ending, CLASSES, OUTPUTS).decode().splitlines()
    lines = with_kept(ending).decode().splitlines()
    begins = [line.removesuffix(f"{SEPARATORS[ending]}{rest}") for line, rest in
              zip(lines, bare, strict=True)]  # fmt: skip
    cells = [begin.split(SEPARATORS[ending]) for begin in begins]
    assert cells == [
        ["the code", "'=n"], ["007", "1"], ["8", "1.10"], ["'=1+1", "-3.5"],
        ["-", "0.30000000000000004"], ["", ""],
    ]  # fmt: skip


def test_marks_of_cells_and_of_names_are_counted_apart() -> None:
    marking, raw = Separated(","), Separated(",", raw=True)
    for separated in (marking, raw):
        separated(io.BytesIO(), KEPT)
    assert (marking.marked, marking.marked_cells) == ({"=n"}, 1)
    assert (raw.marked, raw.marked_cells) == (set(), 0)


@pytest.mark.parametrize("ending", SEPARATORS)
@given(st.lists(st.text(max_size=6), min_size=5, max_size=5))
def test_any_text_kept_is_one_cell_that_is_read_back(ending: str, texts: list[str]) -> None:
    block = Block(X, OUTPUTS, np.arange(5), (KeptColumn("t", texts, are_numbers=False),))
    file = io.BytesIO()
    Separated(SEPARATORS[ending], raw=True)(file, Predictions(CLASSES, [block], ("t",)))
    text = io.StringIO(file.getvalue().decode(errors="strict"), newline="")
    _, *rows = csv.reader(text, delimiter=SEPARATORS[ending])
    assert [row[0] for row in rows] == texts


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_json_has_kept_numbers_with_their_digits_and_null_for_an_empty_cell(ending: str) -> None:
    text = with_kept(ending).decode()
    rows = read(ending, text.encode())
    assert [row.pop("kept") for row in rows] == [
        {"the code": "007", "=n": 1}, {"the code": "8", "=n": 1.1},
        {"the code": "=1+1", "=n": -3.5}, {"the code": "-", "=n": 0.1 + 0.2},
        {"the code": None, "=n": None},
    ]  # fmt: skip
    assert rows == read(ending, written(ending, CLASSES, OUTPUTS))
    assert '"=n": 1.10}' in text
    assert '"=n": 1}' in text


def test_a_workbook_has_numbers_as_numbers_and_all_else_as_text() -> None:
    header, *rows = sheet_in(with_kept(".xlsx"))
    assert header == ["the code", "=n", *CLASSES.output_names, "class"]
    assert [row[:2] for row in rows] == [
        ["007", 1.0], ["8", 1.1], ["=1+1", -3.5], ["-", 0.1 + 0.2], ["", ""],
    ]  # fmt: skip
    assert np.array([row[2:4] for row in rows]).tobytes() == OUTPUTS.tobytes()


def test_a_number_that_excel_would_round_is_text() -> None:
    texts = ["123456789012345", "1234567890123456", "-123456789012345", "1e3", "nan"]
    block = Block(X, OUTPUTS, np.arange(5), (KeptColumn("n", texts, are_numbers=True),))
    _, *rows = sheet_in(with_kept(".xlsx", Predictions(VALUES, [block], ("n",))))
    assert [row[0] for row in rows] == [
        123456789012345.0, "1234567890123456", -123456789012345.0, 1000.0, "nan",
    ]  # fmt: skip


def test_what_is_no_number_is_text_in_a_workbook() -> None:
    block = block_of(np.array([[np.nan, -np.inf]]))
    file = io.BytesIO()
    writer_for(Path("o.xlsx"))(file, Predictions(VALUES, [block]))
    assert sheet_in(file.getvalue())[1] == ["nan", "-inf"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", "1"), ("-0.10", "-0.10"), ("1E5", "1E5"), ("+3", "3.0"), (".5", "0.5"), ("5.", "5.0"),
        ("007", None), ("-01", None), ("1e400", None), ("nan", None), ("", None), ("1,5", None),
        ("1_0", None), ("٣", None), ("0x1", None),
    ],
)  # fmt: skip
def test_a_number_is_as_json_has_it(text: str, number: str | None) -> None:
    assert number_in(text) == number
    assert number is None or json.loads(number) == float(text)


@pytest.mark.parametrize("most", [0, 1, 2, 3, 9])
def test_the_first_rows_are_rounded_for_a_reader(most: int) -> None:
    shown, texts, count = first_rows(KEPT, most)
    assert count == 5
    assert texts == {"the code", "class"}
    assert (
        shown
        == [
            ["1", "007", "1", "0.1", "0.9", "b"],
            ["2", "8", "1.10", "0.33333", "0.66667", "b"],
            ["4", "=1+1", "-3.5", "1e-300", "-0", "a"],
            ["5", "-", "0.3", "2.5", "1e+22", "b"],
            ["6", "", "", "0.6", "0.4", "a"],
        ][:most]
    )


NAMES = (VALUES.preprocessor.inputs, VALUES.output_names, VALUES.target_names)
INTERVALS = IntervalsOfValues(AbsoluteErrors(np.array([0.5, 1 / 3])), *NAMES)
SPREAD = Spread(np.eye(VALUES.network.n_params), np.array([0.5, 2.0]), 1.5, 1.0)
METHOD = Linearized(VALUES.network, VALUES.params, SPREAD, VALUES.preprocessor.targets.factor)
PARTS = IntervalsAndParts(METHOD, *NAMES)
SETS = SetsOfClasses(AdaptiveSets(0.85), ("a", "=b"))


def with_columns(ending: str, model: Model, beside: Columns) -> bytes:
    file = io.BytesIO()
    blocks = map(block_of, np.split(OUTPUTS, [2]))
    assert writer_for(Path(f"o{ending}"))(file, Predictions(model, blocks, (), beside)) == 5
    return file.getvalue()


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_has_the_ends_of_intervals_to_the_last_bit(ending: str) -> None:
    content, ends = with_columns(ending, VALUES, INTERVALS), INTERVALS.numbers(X, OUTPUTS)
    if ending == ".npz":
        with np.load(io.BytesIO(content)) as saved:
            found = np.stack([saved["low"], saved["high"]], axis=2).reshape(5, 4)
            assert saved["outputs"].tobytes() == OUTPUTS.tobytes()
    elif ending in {".json", ".jsonl"}:
        intervals = [row["intervals"] for row in read(ending, content)]
        assert {tuple(row) for row in intervals} == {VALUES.output_names}
        found = np.array([[*row.values()] for row in intervals]).reshape(5, 4)
    else:
        cells = [row["outputs"] for row in read(ending, content)]
        names = (*VALUES.output_names, *INTERVALS.number_names)
        assert {tuple(row) for row in cells} == {names}
        found = np.array([[*row.values()] for row in cells])[:, 2:]
    assert found.tobytes() == ends.tobytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_has_the_ends_and_the_parts_to_the_last_bit(ending: str) -> None:
    """In the order low, high, standard deviation by the parameters, and by the noise."""
    content, numbers = with_columns(ending, VALUES, PARTS), PARTS.numbers(X, OUTPUTS)
    by_params, by_noise = METHOD.parts(VALUES.preprocessor.inputs.apply(X))
    low, high = METHOD.bounds(VALUES.preprocessor.inputs.apply(X), OUTPUTS)
    expected = np.stack([low, high, by_params, by_noise], axis=2)
    assert numbers.tobytes() == expected.reshape(5, 8).tobytes()
    assert (np.ptp(by_params, axis=0) > 0).all()  # rows differ
    if ending == ".npz":
        with np.load(io.BytesIO(content)) as saved:
            names = ("low", "high", "sd_of_parameters", "sd_of_noise")
            found = np.stack([saved[name] for name in names], axis=2)
    elif ending in {".json", ".jsonl"}:
        found = np.array(
            [[[*ends, *row["sd"][name].values()] for name, ends in row["intervals"].items()]
             for row in read(ending, content)]
        )  # fmt: skip
    else:
        cells = [row["outputs"] for row in read(ending, content)]
        assert {tuple(row)[2:] for row in cells} == {PARTS.number_names}
        found = np.array([[*row.values()] for row in cells])[:, 2:]
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_has_the_classes_of_sets(ending: str) -> None:
    content = with_columns(ending, CLASSES, SETS)
    expected = [row["class_set"] for row in SETS.documents(X, OUTPUTS)]
    assert ["a", "=b"] in expected
    assert [] in expected
    if ending == ".npz":
        with np.load(io.BytesIO(content)) as saved:
            found = [[("a", "=b")[k] for k in np.flatnonzero(row)] for row in saved["class_sets"]]
    elif ending in {".json", ".jsonl"}:
        found = [row["class_set"] for row in read(ending, content)]
    elif ending == ".xlsx":
        header, *lines = sheet_in(content)
        assert header[-1] == "class set"
        found = [line[-1].split(" | ") if line[-1] else [] for line in lines]
    else:
        rows = csv.DictReader(io.StringIO(content.decode()), delimiter=SEPARATORS[ending])
        texts = [row["class set"].removeprefix("'") for row in rows]  # no formula
        found = [text.split(" | ") if text else [] for text in texts]
    assert found == expected


def test_a_terminal_shows_intervals_and_sets() -> None:
    shown, texts, _ = first_rows(Predictions(VALUES, [block_of(OUTPUTS)], (), INTERVALS), 1)
    assert shown == [["1", "0.1", "0.9", "-0.4", "0.6", "0.56667", "1.2333"]]
    shown, texts, _ = first_rows(Predictions(CLASSES, [block_of(OUTPUTS)], (), SETS), 2)
    assert [row[-1] for row in shown] == SETS.texts(X[:2], OUTPUTS[:2])[0]
    assert texts == {"class", "class set"}
