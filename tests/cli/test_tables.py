"""Tables in files, from the config to the saved run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bpcli.data.column_rules import ColumnRules
from bpcli.runs.files import load_arrays

ROWS = "".join(
    f"{i % 7},{'red' if i % 3 else 'blue'},{'yes' if i % 7 > 3 else 'no'}\n" for i in range(40)
)
CONFIG = """\
data:
  file: t.csv
  split: {val: 0.2, test: 0.2}
network: {layers: [auto, 3, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {epochs: 5, optimizer: rprop}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "t.csv").write_text("n,colour,answer\n" + ROWS)
    (folder / "c.yaml").write_text(CONFIG)
    return folder


def trained(bpnet, *arguments: str) -> dict:
    done = bpnet("train", "here/c.yaml", "--json", *arguments)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_file_is_found_from_the_configs_folder_and_recorded(bpnet, folder: Path) -> None:
    record = trained(bpnet)
    assert record["task"] == "classification"
    assert record["layers"][0]["inputs"] == 3
    ((path, digest),) = record["data_files"].items()
    assert path == str(folder / "t.csv")
    assert len(digest) == 64
    scored = bpnet("eval", "latest", "--json")
    assert scored.code == 0, scored.err


def test_the_encoding_is_saved_beside_the_weights(bpnet, folder: Path) -> None:
    record = trained(bpnet)
    _, meta = load_arrays(Path("runs") / record["run_id"] / "weights.safetensors")
    assert [column["name"] for column in meta["columns"]["inputs"]] == ["n", "colour"]
    assert meta["columns"]["class_names"] == ["no", "yes"]


def test_a_loaded_run_encodes_as_its_training_did(bpnet, folder: Path, monkeypatch) -> None:
    trained(bpnet)
    monkeypatch.setattr(ColumnRules, "fit", None)  # nothing is fitted again
    assert bpnet("eval", "latest").code == 0


def test_a_file_that_has_changed_is_told_by_its_digest(bpnet, folder: Path) -> None:
    trained(bpnet)
    path = folder / "t.csv"
    path.write_text(path.read_text().replace("6,", "5,", 1))
    done = bpnet("eval", "latest")
    assert done.code == 2
    assert "have changed since its training: their rows differ" in done.err


def test_notes_on_how_a_file_was_read_are_shown(bpnet, folder: Path) -> None:
    path = folder / "t.csv"
    path.write_bytes(path.read_text().replace(",", ";").replace("red", "röd").encode("cp1252"))
    done = bpnet("train", "here/c.yaml")
    assert "note: t.csv: not UTF-8, read as cp1252" in done.err
    assert "note: t.csv: columns are separated by ';'" in done.err


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("file", "no.csv", "there is no file"),
        ("file", ".", "is a folder"),
        ("file", "''", "text that is not empty"),
        ("generator", "xor", "two sources of data"),
        ("targets", "answers", "did you mean `answer`?"),
        ("inputs", "[9]", "only 1 to 3"),
        ("fill", "zero", "`mean`, `median` or `most_frequent`"),
        ("separator", "ab", "one character"),
        ("task", "clustering", "`classification`, `multilabel` or `regression`"),
        ("n_samples", "3", "unknown key"),
        ("indicator", "true", "`fill`"),
    ],
)
def test_a_fault_of_the_config_is_one_sentence(bpnet, folder, key, value, message: str) -> None:
    done = bpnet("train", "here/c.yaml", "--set", f"data.{key}={value}")
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def rows_of_splits(record: dict) -> tuple[int, ...]:
    return tuple(record["rows"][split] for split in ("train", "val", "test"))


def test_splits_come_from_files_of_their_own(bpnet, folder: Path) -> None:
    (folder / "test.csv").write_text("answer,n,colour\nyes,6,blue\nno,1,red\n")
    record = trained(
        bpnet, "--set", "data.split={files: {test: test.csv}, val: 0.25, stratify: false}"
    )
    assert rows_of_splits(record) == (30, 10, 2)
    assert [Path(path).name for path in record["data_files"]] == ["t.csv", "test.csv"]
    scored = bpnet("eval", "latest", "--json")
    assert scored.code == 0, scored.err


def test_splits_come_from_files_of_row_numbers(bpnet, folder: Path) -> None:
    (folder / "i.txt").write_text("1\n3\n40\n")
    record = trained(bpnet, "--set", "data.split={index: {test: i.txt}}")
    assert rows_of_splits(record) == (37, 0, 3)
    assert bpnet("eval", "latest", "--json").code == 0
    with np.load(Path("runs") / record["run_id"] / "split.npz") as split:
        assert split["test"].tolist() == [0, 2, 39]
        assert split["train"].tolist() == [1, *range(3, 39)]


def test_splits_come_from_a_column_which_is_no_input(bpnet, folder: Path) -> None:
    path = folder / "t.csv"
    header, *rows = path.read_text().splitlines()
    splits = ["test" if i < 5 else "val" if i < 15 else "train" for i in range(40)]
    lines = [
        f"{header},split",
        *(f"{row},{split}" for row, split in zip(rows, splits, strict=True)),
    ]
    path.write_text("\n".join(lines))
    record = trained(bpnet, "--set", "data.split={column: split}")
    assert rows_of_splits(record) == (25, 10, 5)
    assert record["layers"][0]["inputs"] == 3


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("{files: {test: no.csv}}", "there is no file"),
        ("{files: {test: other.csv}}", "other.csv: there is no column `colour`"),
        ("{files: {train: other.csv}}", "unknown key `train`"),
        ("{files: {test: t.csv}}", "t.csv is the file of `train` and of `test`"),
        ("{index: {test: all.txt}}", "no rows are left for training"),
        ("{index: {test: t.csv}}", "t.csv: expected whole numbers"),
        ("{column: colour}", "found `blue`, expected `train`"),
        ("{column: colours}", "did you mean `colour`?"),
        ("{index: {test: t.csv}, column: split}", "`index` and `column` both define the splits"),
        ("{index: {test: i.txt}, test: 0.5}", "`index` already defines the rows of `test`"),
    ],
)
def test_splits_that_are_none_are_one_sentence(bpnet, folder, split: str, message: str) -> None:
    (folder / "other.csv").write_text("n,color,answer\n1,red,yes\n")
    (folder / "all.txt").write_text("\n".join(map(str, range(1, 41))))
    done = bpnet("train", "here/c.yaml", "--set", f"data.split={split}")
    assert done.code == 2
    assert message in done.err


def test_splits_by_file_are_for_tables_in_files(bpnet, tmp_path: Path) -> None:
    bpnet("init", "xor")
    done = bpnet("train", "xor.yaml", "--set", "data.split.index.test=i.txt")
    assert done.code == 2
    assert "`index` is for tables in files" in done.err


def test_rows_that_no_list_names_are_told(bpnet, folder: Path) -> None:
    (folder / "i.txt").write_text("1\n2\n3\n")
    (folder / "j.txt").write_text("6\n7\n")
    split = "{index: {train: i.txt, test: j.txt}}"
    done = bpnet("train", "here/c.yaml", "--set", f"data.split={split}")
    assert "note: 35 of 40 rows are in no split and are not used" in done.err


def test_numbers_for_a_loss_of_classes_are_refused_with_advice(bpnet, folder: Path) -> None:
    numbers = ("--set", "data.targets=n")
    done = bpnet("train", "here/c.yaml", *numbers)
    assert done.code == 2
    assert "if they are classes, set `task: classification`" in done.err
    softmax = "network.activations=[tanh, softmax]"
    classes = ("data.task=classification", softmax, "loss=cross_entropy")
    options = [option for value in classes for option in ("--set", value)]
    assert trained(bpnet, *numbers, *options)["layers"][-1]["units"] == 7


def test_a_column_may_be_called_as_a_word_of_other_sources(bpnet, folder: Path) -> None:
    path = folder / "t.csv"
    path.write_text(path.read_text().replace("answer", "values"))
    assert trained(bpnet, "--set", "data.targets=values")["task"] == "classification"


def test_a_resolved_config_trains_the_same_weights(bpnet, folder: Path) -> None:
    (folder / "i.txt").write_text("1\n3\n40\n")
    (folder / "more.csv").write_text("n,colour,answer\n1,red,yes\n")
    ways = ("{val: 0.2}", "{index: {test: i.txt}, val: 0.2}", "{files: {test: more.csv}}")
    for split in ways:
        first = trained(bpnet, "--set", f"data.split={split}")
        resolved = Path("runs") / first["run_id"] / "resolved.yaml"
        again = bpnet("train", resolved, "--json")
        assert again.code == 0, again.err
        assert (
            json.loads(again.out)["sha256"]["weights.safetensors"]
            == first["sha256"]["weights.safetensors"]
        )


def test_a_target_of_as_many_words_as_rows_is_no_class(bpnet, folder: Path) -> None:
    lines = "".join(f"{i},name{i}\n" for i in range(1001))
    (folder / "t.csv").write_text("a,b\n" + lines)
    done = bpnet("train", "here/c.yaml")
    assert done.code == 2
    assert "1001 unique values, more than the 1000 classes allowed" in done.err
