"""Tables in files, from the config to the saved run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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


def test_a_file_that_has_changed_is_told_by_its_digest(bpnet, folder: Path) -> None:
    trained(bpnet)
    path = folder / "t.csv"
    path.write_text(path.read_text().replace("6,", "5,", 1))
    done = bpnet("eval", "latest")
    assert done.code == 2
    assert "a file that has changed" in done.err


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
        ("file", "''", "at least"),
        ("generator", "xor", "two sources of data"),
        ("targets", "answers", "did you mean `answer`?"),
        ("inputs", "[9]", "they are 1 to 3"),
        ("fill", "zero", "`mean`, `median` or `most_frequent`"),
        ("separator", "ab", "one character"),
        ("task", "clustering", "`classification` or `regression`"),
        ("n_samples", "3", "unknown key"),
        ("indicator", "true", "`fill`"),
    ],
)
def test_a_fault_of_the_config_is_one_sentence(bpnet, folder, key, value, message: str) -> None:
    done = bpnet("train", "here/c.yaml", "--set", f"data.{key}={value}")
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
