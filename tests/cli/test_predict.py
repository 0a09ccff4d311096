from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Result
from systems import CONFIGS
from tampered import save_arrays, vouch

from bpcli.data.generators import GENERATORS
from bpcli.runs.files import load_arrays
from bpcli.runs.store import Run

Bpnet = Callable[..., Result]
XOR = CONFIGS / "xor.yaml"
SHORT = ("--set", "training.epochs=40")


def test_predict_prints_original_units_and_chosen_rows(bpnet: Bpnet) -> None:
    bpnet("train", CONFIGS / "sampled_updates.yaml", *SHORT, "--quiet")
    lines = bpnet("predict", "latest", "--split", "val").out.splitlines()
    assert lines[0].endswith("\tpredicted y\ttarget")
    assert len(lines) == 1 + 88
    values = np.array([[float(cell) for cell in line.split("\t")] for line in lines[1:]])
    rmse = json.loads(bpnet("eval", "latest", "--json", "--split", "val").out)["metrics"][
        "val.rmse"
    ]
    assert np.sqrt(np.mean((values[:, -2] - values[:, -1]) ** 2)) == pytest.approx(rmse, rel=1e-8)
    documents = json.loads(bpnet("predict", "latest", "--split", "val", "--json").out)["rows"]
    assert [row["row"] for row in documents] == values[:, 0].astype(int).tolist()
    assert bpnet("predict", "latest", "--set", "seed=1").code == 2
    assert "test split is empty" in bpnet("predict", "latest", "--split", "test").err
    assert "There is no run" in bpnet("predict", "x" * 5000).err


def test_predicted_rows_have_their_own_inputs_and_targets(bpnet: Bpnet) -> None:
    table = GENERATORS["iris"]().table(np.random.default_rng(0))
    assert table.labels is not None
    config = CONFIGS / "softmax_iris.yaml"
    for row in json.loads(bpnet("predict", config, "--split", "test", "--json").out)["rows"]:
        index = row["row"] - 1
        assert row["target"] == table.class_names[table.labels[index]]
        assert list(row["inputs"].values()) == table.X[index].tolist()
        assert list(row["outputs"]) == ["P(setosa)", "P(versicolor)", "P(virginica)"]


def test_a_saved_scale_is_used_as_saved(bpnet: Bpnet) -> None:
    config = CONFIGS / "sampled_updates.yaml"
    run_id = bpnet("train", config, "--quiet", "--set", "training.epochs=3").out.strip()
    run = Run(Path("runs", run_id))

    def first_output() -> float:
        (first, *_) = json.loads(bpnet("predict", "latest", "--json").out)["rows"]
        return float(first["outputs"]["predicted y"])

    before = first_output()
    weights = run.path("weights.safetensors")
    arrays, meta = load_arrays(weights)
    save_arrays(weights, arrays | {"targets.shift": arrays["targets.shift"] + 1000}, meta)
    vouch(run)
    assert first_output() == pytest.approx(before + 1000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--raw", "--json"], "--raw is for CSV and TSV"),
        (["-o", "out.csv"], "--output needs a FILE"),
        (["t.csv", "--set", "seed=1"], "--set is for the rows of the run's own data"),
        (["t.csv", "--split", "all"], "--split is for the rows of the run's own data"),
        (["t.csv"], "is a CONFIG: to predict a FILE, name a trained RUN"),
        (["t.csv", "--json", "-o", "out.json"], "--json prints to standard output"),
        (["t.csv", "-o", "t.csv"], "t.csv is FILE itself or not a regular file"),
        (["t.csv", "-o", "."], ". is FILE itself or not a regular file"),
        (["--split", "test"], "The test split is empty: set its rows in `data.split`"),
        (["--weights", "last"], "--weights is for a RUN"),
    ],
)
def test_options_that_do_not_fit_each_other_are_refused(
    arguments: list[str], message: str, bpnet: Bpnet
) -> None:
    Path("t.csv").write_text("x1,x2\n0,1\n")
    result = bpnet("predict", XOR, *arguments)
    assert result.code == 2
    assert "error" in result.out if "--json" in arguments else not result.out
    assert message in result.err


def test_a_pipe_gets_each_row_of_a_config_with_its_initial_weights(bpnet: Bpnet) -> None:
    lines = [line.split("\t") for line in bpnet("predict", XOR).out.splitlines()]
    assert [line[0] for line in lines] == ["row", "1", "2", "3", "4"]
    assert len({len(line) for line in lines}) == 1
    other = bpnet("predict", XOR, "--set", "seed=7").out
    assert other != bpnet("predict", XOR).out


@pytest.mark.parametrize(
    ("rows", "more"), [(50, None), (51, "and 1 more row:"), (60, "and 10 more rows:")]
)
def test_a_terminal_shows_the_first_fifty_rows_and_counts_the_others(
    rows: int, more: str | None, bpnet: Bpnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    size = f"data.n_samples={rows}"
    shown = bpnet("predict", CONFIGS / "moons.yaml", "--set", size).out
    assert sum(line.split()[:1] == ["50"] for line in shown.splitlines()) == 1
    assert not any(line.split()[:1] == ["51"] for line in shown.splitlines())
    assert more in shown if more else "more row" not in shown
