"""`bpnet prune`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Result

Bpnet = Callable[..., Result]
Document = Callable[..., dict[str, Any]]
CONFIG = """\
data:
  file: t.csv
  split: {val: 0.3, test: 0.3}
  scale: {inputs: standard, targets: standard}
network: {layers: [auto, 2, auto], activations: [tanh, identity]}
loss: mse
training: {optimizer: levenberg_marquardt, epochs: 20, stop: {max_fail: 5}}
"""


@pytest.fixture(autouse=True)
def _run(bpnet: Bpnet) -> None:
    """A run on y = sin a + b, with c and d of noise, in the folder of the test."""
    import numpy as np

    X = np.random.default_rng(0).normal(size=(100, 4))
    y = np.sin(X[:, 0]) + X[:, 1] + 0.1 * np.random.default_rng(1).normal(size=100)
    rows = [",".join(map(str, row)) for row in np.column_stack([X, y]).tolist()]
    Path("t.csv").write_text("\n".join(["a,b,c,d,y", *rows, ""]))
    Path("t.yaml").write_text(CONFIG)
    assert bpnet("train", "t.yaml", "--quiet").code == 0


def test_it_says_what_was_removed_and_how_the_new_run_compares(bpnet: Bpnet) -> None:
    done = bpnet("prune", "t")
    assert done.code == 0, done.err
    header, _, first, *lines = done.out.splitlines()
    assert header.split("   ")[0] == "removed"
    assert first.split()[:4] == ["nothing", "4", "-", "2"]
    (removed,) = [line for line in lines if line.startswith("Inputs removed")]
    assert {*removed.removesuffix(".").split(": ")[1].split(", ")} == {"`c`", "`d`"}
    (kept,) = [line for line in lines if line.startswith("The kept network")]
    assert "has 2 of 4 inputs" in kept
    assert any("test.rmse" in line for line in lines)
    assert "1: without input " in done.err
    (run,) = Path("runs").glob("*-t-pruned-*")
    assert f"saved in runs/{run.name}" in done.out
    assert f"score it with: bpnet eval {run.name}" in done.out
    assert (run / "plots" / "pruning.svg").is_file()
    predicted = bpnet("predict", run.name, "t.csv", "-o", "p.csv")
    assert predicted.code == 0
    assert "ignored columns: `c`, `d`" in predicted.err
    assert bpnet("train", "--resume", run.name, "--set", "training.epochs=2").code == 2
    assert bpnet("runs", "show", run.name).code == 0


def test_json_is_one_document(document: Document) -> None:
    found = document("prune", "t", "--only", "inputs", "--figure", "p.png", "--name", "small")
    steps, kept = found["steps"], found["steps"][found["kept"]]
    assert (steps[0]["removed"], steps[0]["saliency"]) == (None, None)
    assert {step["removed"]["kind"] for step in steps[1:]} == {"input"}
    assert found["ended"] == "complete"
    assert found["inputs"]["removed"] == [
        step["removed"]["name"] for step in steps[1 : found["kept"] + 1]
    ]
    assert found["units"] == {"before": [2], "kept": [2]}
    assert kept["val_loss"] <= found["limit"]
    assert all(step["val_loss"] > found["limit"] for step in steps[found["kept"] + 1 :])
    assert found["pruned"]["metrics"]["val.loss"] == pytest.approx(kept["val_loss"], rel=1e-9)
    assert found["paired"]["split"] == "test"
    assert found["figure"] == "p.png"
    assert Path("p.png").is_file()
    assert "-small-" in found["pruned"]["run_id"]


def test_without_a_test_set_it_says_that_the_loss_is_too_good(bpnet: Bpnet) -> None:
    assert bpnet("train", "t.yaml", "--quiet", "--set", "data.split={val: 0.3}").code == 0
    done = bpnet("prune", "latest", "--method", "magnitude")
    assert done.code == 0, done.err
    assert "mean square" in done.out
    assert "There is no test set." in done.out


def test_if_every_smaller_network_is_worse_no_run_is_saved(
    bpnet: Bpnet, document: Document
) -> None:
    inputs = ("--set", "data.inputs=[a, b]", "--set", "network.layers=[2, 1, 1]")
    assert bpnet("train", "t.yaml", "--quiet", *inputs).code == 0
    done = bpnet("prune", "latest")
    assert done.code == 0, done.err
    assert "Nothing was removed: the run already has the smallest network" in done.out
    found = document("prune", "latest")
    assert (found["kept"], found["pruned"], found["paired"], found["figure"]) == (
        0, None, None, None,
    )  # fmt: skip
    assert not [*Path("runs").glob("*pruned*")]


def test_other_keys_than_those_of_the_training_are_refused(bpnet: Bpnet) -> None:
    refused = bpnet("prune", "t", "--set", "loss=mae")
    assert refused.code == 2
    assert "only keys of `training` can be changed" in refused.err
    refused = bpnet("prune", "t", "--figure", "p.txt")
    assert "expected a name that ends in" in refused.err
    assert not [*Path("runs").glob("*pruned*")]
