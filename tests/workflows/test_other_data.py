"""The rows of another file as the split `data` of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builds import MOONS, built
from tampered import a_record

from bpcli.errors import DataError, RunError
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained
from bpcli.workflows.other_data import with_other_data

ROWS = [
    f"{i % 7},{'red' if i % 3 else 'blue'},{1 + i % 2},{i / 10},0{1 + i % 2},"
    f"{'yes' if i % 7 > 3 else 'no'}"
    for i in range(20)
]
HEADER = "n,colour,w,price,code,answer"
OF_CLASSES = """\
name: t
data: {file: t.csv, inputs: [n, colour], targets: answer, scale: {inputs: standard}}
network: {layers: [auto, 2, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
"""
OF_VALUES = """\
name: t
data: {file: t.csv, inputs: [n, colour], targets: price, scale: {targets: standard}}
network: {layers: [auto, 2, 1], activations: [tanh, identity]}
loss: mse
"""
OF_LABELS = """\
name: t
data: {file: t.csv, inputs: [n, colour], targets: [answer, code], task: multilabel}
network: {layers: [auto, 2, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
"""
OF_INPUTS = """\
name: t
data: {file: t.csv, inputs: [n, w], targets: same_as_inputs}
network: {layers: [2, 1, 2], activations: [tanh, identity]}
loss: mse
"""
OF_CODES = """\
name: t
data: {file: t.csv, inputs: [n, code], targets: price, categories: [code]}
network: {layers: [auto, 2, 1], activations: [tanh, identity]}
loss: mse
"""
"""Of categories that would be other ones if they were read as numbers."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("\n".join([HEADER, *ROWS]) + "\n")
    return tmp_path


def untrained(text: str, *overrides: str) -> Trained:
    experiment = built(text, *overrides)
    record = a_record(class_weights=experiment.class_weights)
    return Trained(Run(Path("a-run")), record, experiment, experiment.initial_params)


def with_file(trained: Trained, *lines: str) -> Trained:
    Path("new.csv").write_text("\n".join(lines) + "\n")
    return with_other_data(trained, Path("new.csv"), {})[0]


@pytest.mark.parametrize("text", [OF_CLASSES, OF_LABELS, OF_VALUES, OF_INPUTS, OF_CODES])
def test_the_rows_of_the_training_file_are_those_of_training(text: str) -> None:
    trained = untrained(text)
    found, _ = with_other_data(trained, Path("t.csv"), {})
    ours, theirs = trained.experiment.splits["train"], found.experiment.splits["data"]
    np.testing.assert_array_equal(theirs.X, ours.X)
    np.testing.assert_array_equal(theirs.Y, ours.Y)
    assert {*found.experiment.splits} - {*trained.experiment.splits} == {"data"}
    assert found.experiment.splits["train"] is ours
    assert "data" not in trained.experiment.splits, "what was handed over is as it was"


def test_columns_are_matched_by_name_and_encoded_as_in_training() -> None:
    trained = untrained(OF_CLASSES)
    found = with_file(trained, "answer,more,colour,n", "yes,9,blue,5", "no,9,red,0")
    split = found.experiment.splits["data"]
    assert split.labels is not None
    assert [trained.experiment.table.class_names[label] for label in split.labels] == ["yes", "no"]
    scale = trained.experiment.preprocessor.inputs
    names = list(trained.experiment.table.input_names)
    original = split.X * scale.factor + scale.shift
    np.testing.assert_allclose(original[:, names.index("n")], [5, 0], atol=1e-12)
    np.testing.assert_allclose(original[:, names.index("colour=blue")], [1, 0], atol=1e-12)


def test_columns_whose_names_look_different_alone_are_matched_aloud() -> None:
    trained = untrained(OF_CLASSES, "data.weight=w")
    Path("new.csv").write_text("N,colour ,Ｗ,ANSWER\n1,red,2,yes\n")
    found, notes = with_other_data(trained, Path("new.csv"), {})
    assert len(found.experiment.splits["data"]) == 1
    assert notes == tuple(
        f"new.csv: column `{given}` is read as `{name}`: the names differ only in spelling"
        for given, name in (("N", "n"), ("ANSWER", "answer"), ("Ｗ", "w"))
    )


BARE = ("data.header=false", "data.inputs=[x1, x2]", "data.targets=x6")
NAMED = ("data.columns=[a, b, c, d, e, f]", "data.inputs=[a, b]", "data.targets=f")


@pytest.mark.parametrize("overrides", [BARE, NAMED, (*BARE, NAMED[0], *NAMED[1:])])
def test_a_header_is_no_row_whether_or_not_training_had_one(overrides: tuple[str, ...]) -> None:
    Path("bare.csv").write_text("\n".join(ROWS) + "\n")
    trained = untrained(
        OF_CLASSES.replace("t.csv", "bare.csv" if "header" in overrides[0] else "t.csv"), *overrides
    )
    found, notes = with_other_data(trained, Path("t.csv"), {})
    ours, theirs = trained.experiment.splits["train"], found.experiment.splits["data"]
    np.testing.assert_array_equal(theirs.X, ours.X)
    assert notes[-1] == (
        "t.csv: the names in its header differ from training: columns are matched by position"
    )


def test_a_header_that_is_lost_takes_no_row_with_it() -> None:
    Path("bare.csv").write_text("\n".join(ROWS) + "\n")
    with pytest.raises(DataError, match="the first row has the number `0`, expected column names"):
        with_other_data(untrained(OF_CLASSES, *NAMED), Path("bare.csv"), {})
    found, _ = with_other_data(untrained(OF_CLASSES, *NAMED), Path("bare.csv"), {"header": False})
    assert len(found.experiment.splits["data"]) == len(ROWS)


def test_weights_are_those_of_the_file_times_those_of_the_classes() -> None:
    weights = "training.class_weights={yes: 3, no: 1}"
    trained = untrained(OF_CLASSES, "data.weight=w", weights)
    lines = ("n,colour,w,answer", "1,red,2,yes", "1,red,0.5,no")
    found = with_file(trained, *lines).experiment.splits["data"].weight
    assert found is not None
    np.testing.assert_allclose(found / found.mean(), np.array([6, 0.5]) / 3.25, rtol=1e-14)
    assert found.mean() == pytest.approx(1)
    plain = with_file(untrained(OF_CLASSES), *lines).experiment.splits["data"]
    assert plain.weight is None


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("n,colour", "1,red"), "new.csv: there is no column `answer`"),
        (("n,answer", "1,yes"), "new.csv: there is no column `colour`"),
        (("n,colour,answer", "1,red,yes", "2,red,maybe"), "row 2: `maybe` is not one of"),
        (("n,colour,answer",), "new.csv: the file has a header, but no rows; see `header`"),
        (("n,colour,answer", "x,red,yes"), "column `n`, row 1"),
    ],
)
def test_a_file_that_does_not_fit_is_said(lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        with_file(untrained(OF_CLASSES), *lines)


def test_weights_that_the_file_lacks_are_missed() -> None:
    with pytest.raises(DataError, match="there is no column `w`"):
        with_file(untrained(OF_CLASSES, "data.weight=w"), "n,colour,answer", "1,red,yes")


def test_other_runs_than_those_of_tables_are_refused() -> None:
    with pytest.raises(RunError) as caught:
        with_other_data(untrained(MOONS), Path("t.csv"), {})
    assert str(caught.value) == (
        "Rows of another file are for runs that were trained on a table in a text or Parquet file."
    )


def test_labels_are_read_by_the_words_of_the_training() -> None:
    trained = untrained(OF_LABELS)
    split = with_file(trained, "answer,code,colour,n", "yes,01,red,5").experiment.splits["data"]
    assert split.Y.tolist() == [[1, 0]], "a column of `yes` alone has its other word from training"
    assert split.table.words == trained.experiment.table.words
    with pytest.raises(DataError, match="column `answer`, row 2: `maybe` is not one of"):
        with_file(trained, "answer,code,colour,n", "yes,01,red,5", "maybe,02,red,5")


def test_a_rare_sign_that_was_a_word_in_training_is_no_missing_value() -> None:
    header = "n,colour,answer,code"
    Path("t.csv").write_text(
        "\n".join([header, *(f"{i},red,{'+-'[i % 2]},{i % 3 % 2}" for i in range(12))])
    )
    lines = ["1,red,-,0", *(f"{i},red,+,1" for i in range(40))]
    split = with_file(untrained(OF_LABELS), header, *lines).experiment.splits["data"]
    assert len(split) == 41
    assert split.Y[0].tolist() == [1, 0]
