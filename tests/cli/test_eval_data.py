"""`bpnet eval RUN --data FILE`, and weights that a file has for its rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tampered import change_record

from bpcli.runs.store import Run

ROWS = [f"{i % 7},{'red' if i % 3 else 'blue'},{1 + i % 2},{'yes' if i % 7 > 3 else 'no'}"
        for i in range(40)]  # fmt: skip
HEADER = "n,colour,w,answer"
CONFIG = """\
data:
  file: t.csv
  inputs: [n, colour]
  split: {val: 0.2, test: 0.2}
network: {layers: [auto, 3, auto], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {epochs: 5, optimizer: rprop}
"""


@pytest.fixture
def run(bpnet, tmp_path: Path) -> Callable[..., dict]:
    """Train the table; give run.json."""
    (tmp_path / "t.csv").write_text("\n".join([HEADER, *ROWS]) + "\n")
    (tmp_path / "c.yaml").write_text(CONFIG)

    def train(*arguments: str) -> dict:
        done = bpnet("train", "c.yaml", "--json", *arguments)
        assert done.code == 0, done.err
        return json.loads(done.out)

    return train


def scores(bpnet, *arguments: str) -> dict:
    done = bpnet("eval", "latest", "--json", *arguments)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_split_in_a_file_of_its_own_scores_as_it_did(bpnet, run, tmp_path: Path) -> None:
    record = run("--set", "training.class_weights=balanced")
    chosen = np.load(tmp_path / "runs" / record["run_id"] / "split.npz")["test"]
    rows = [[ROWS[row].split(",")[column] for column in (3, 0, 1)] for row in chosen]
    lines = [",".join(cells) for cells in (["answer", "n", "colour"], *rows)]  # another order
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n")
    ours, theirs = scores(bpnet, "--data", "new.csv"), scores(bpnet, "--split", "test")
    assert (ours["split"], ours["rows"]) == ("data", 8)
    for key in ("metrics", "intervals"):
        for path, value in theirs[key].items():
            assert ours[key][path.replace("test.", "data.")] == pytest.approx(value, rel=1e-12)
    assert ours["baselines"]["constant"]["data.accuracy"] is not None
    shown = bpnet("eval", "latest", "--data", "new.csv")
    assert "weights on new.csv (8 rows)" in shown.err
    gate = bpnet("eval", "latest", "--data", "new.csv", "--require", "data.accuracy>1")
    assert gate.code == 4
    assert "required: data.accuracy > 1" in gate.err


def test_a_weight_column_weighs_rows_and_is_no_input(bpnet, run, tmp_path: Path) -> None:
    weighted = ("--set", "data.weight=w", "--set", "data.inputs='*'")
    record = run(*weighted)
    assert record["weighted"]
    assert record["layers"][0]["inputs"] == 3  # n and two colours
    plain = run()
    assert plain["data_sha256"] != record["data_sha256"]
    assert record["metrics"]["train.loss"] != plain["metrics"]["train.loss"]
    # Integer weights are repeated rows.
    doubled = [row for row in ROWS for _ in range(int(row.split(",")[2]))]
    (tmp_path / "t2.csv").write_text("\n".join([HEADER, *doubled]) + "\n")
    every = ("--set", "data.split={}")
    losses = [run(*every, *chosen)["metrics"]["train.loss"] for chosen in (
        weighted, ("--set", "data.file=t2.csv"), (),
    )]  # fmt: skip
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)
    assert losses[0] != pytest.approx(losses[2], rel=1e-3)
    run(*weighted)
    assert "weighted mean loss" in bpnet("eval", "latest", "--data", "t.csv").out
    (tmp_path / "new.csv").write_text("n,colour,answer\n1,red,yes\n")
    assert "there is no column `w`" in bpnet("eval", "latest", "--data", "new.csv").err


@pytest.mark.parametrize(("value", "message"), [
    ("0", "`0` is not a weight: expected a number greater than 0"),
    ("-1.5", "`-1.5` is not a weight: expected"),
    ("", "column `w`, row 2: `nan` is not a weight: expected a number greater than 0"),
    ("inf", "column `w`, row 2"),
    ("heavy", "column `w`, row 2"),
])  # fmt: skip
def test_weights_are_positive_numbers(value: str, message: str, bpnet, run, tmp_path: Path) -> None:
    run()
    (tmp_path / "t.csv").write_text(f"{HEADER}\n1,red,1,yes\n2,red,{value},no\n3,blue,1,no\n")
    result = bpnet("train", "c.yaml", "--set", "data.weight=w", "--set", "data.split={}")
    assert result.code == 2
    assert message in result.err
    both = bpnet("train", "c.yaml", "--set", "data.weight=w", "--set", "data.targets=w")
    assert "column `w` is a target: choose another `weight`" in both.err
    assert "there is no column `v`" in bpnet("train", "c.yaml", "--set", "data.weight=v").err


OF_VALUES = ("--set", "data.targets=w", "--set", "network.activations=[tanh, identity]",
             "--set", "loss=mse", "--set", "data.scale.targets=standard")  # fmt: skip
OF_INPUTS = (*OF_VALUES[2:6], "--set", "data.targets=same_as_inputs", "--set",
             "network.layers=[auto, 1, auto]")  # fmt: skip


@pytest.mark.parametrize("arguments", [
    (), ("--set", "training.class_weights=balanced"), ("--set", "data.weight=w"), OF_VALUES,
    OF_INPUTS,
])  # fmt: skip
@pytest.mark.parametrize("change", ["removed", "changed"])
def test_another_file_scores_alike_without_the_training_file(
    arguments: tuple[str, ...], change: str, bpnet, run, tmp_path: Path
) -> None:
    run(*arguments)
    (tmp_path / "new.csv").write_text("\n".join([HEADER, *ROWS[:17]]) + "\n")
    every = ("--data", "new.csv", "--require", "train.loss>0")  # which takes the training rows
    with_rows = scores(bpnet, *every)
    if change == "removed":
        (tmp_path / "t.csv").unlink()
    else:
        (tmp_path / "t.csv").write_text("\n".join([HEADER, *ROWS[5:]]) + "\n")
    without = scores(bpnet, "--data", "new.csv")
    left_out = with_rows["baselines"].keys() - without["baselines"].keys()
    assert left_out == ({"1 principal components"} if arguments == OF_INPUTS else set())
    said = bpnet("eval", "latest", "--data", "new.csv").err
    assert ("baselines that need the training rows are left out" in said) == bool(left_out)
    assert without["baselines"]["constant"] == with_rows["baselines"]["constant"]
    for key in without.keys() - {"baselines", "required"}:
        assert without[key] == with_rows[key], "to the bit"
    gone = bpnet("eval", "latest", *every)
    assert gone.code == 2
    assert ("there is no file" if change == "removed" else "have changed since") in gone.err


def test_a_run_that_recorded_no_constant_scores_without_baselines(
    bpnet, run, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / run()["run_id"]
    (tmp_path / "new.csv").write_text("\n".join([HEADER, *ROWS[:17]]) + "\n")
    with_constant = scores(bpnet, "--data", "new.csv")
    change_record(Run(folder), {}, without=("constant",))
    assert scores(bpnet, "--data", "new.csv") == with_constant, "from the training rows"
    (tmp_path / "t.csv").unlink()
    without = scores(bpnet, "--data", "new.csv")
    assert without == with_constant | {"baselines": {}}
    result = bpnet("eval", "latest", "--data", "new.csv")
    assert (result.code, "left out: there is no file" in result.err) == (0, True)


def test_another_file_that_does_not_fit_is_one_sentence(bpnet, run, tmp_path: Path) -> None:
    run()
    (tmp_path / "new.csv").write_text("n,color,answer\n1,red,yes\n")
    result = bpnet("eval", "latest", "--data", "new.csv")
    assert (result.code, result.out) == (2, "")
    assert "did you mean `color`?" in result.err


def test_other_data_go_with_runs_of_files_and_without_split(bpnet, run) -> None:
    run()
    assert "use only one" in bpnet("eval", "latest", "--data", "t.csv", "--split", "test").err
    assert bpnet("eval", "latest", "--data", "nowhere.csv").code == 2
    bpnet("init", "xor")
    bpnet("train", "xor.yaml", "--quiet", "--set", "training.epochs=2")
    result = bpnet("eval", "latest", "--data", "t.csv")
    assert result.code == 2
    assert "trained on a table in a text or Parquet file" in result.err


def test_weights_are_columns_of_text_files_not_of_arrays(bpnet, run, tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.arange(12.0).reshape(4, 3))
    result = bpnet("train", "c.yaml", "--set", "data.file=t.npy", "--set", "data.weight=x1")
    assert result.code == 2
    assert "`weight` is for tables in text files or Parquet" in result.err
