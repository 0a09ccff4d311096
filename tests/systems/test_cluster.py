"""Trainings on a cluster of this machine, as whole commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

CONFIG = """\
data: {file: a.npy, split: {val: 0.2}, scale: {inputs: standard}}
network: {layers: [auto, 6, 1], activations: [tanh, identity]}
loss: mse
training: {optimizer: lbfgs, epochs: 6}
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).standard_normal((60_000, 5))
    X[:, 4] = np.tanh(X[:, 0] * X[:, 1]) + X[:, 2]
    np.save("a.npy", X)
    Path("c.yaml").write_text(CONFIG)


def trained(*options: str) -> tuple[dict[str, Any], str]:
    """The record of a training, and what it says."""
    command = [sys.executable, "-m", "bpcli", "train", "c.yaml"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (run,) = sorted(Path("runs").glob("*/run.json"), key=lambda path: path.stat().st_mtime)[-1:]
    record: dict[str, Any] = json.loads(run.read_text())
    return record, done.stderr


def test_a_cluster_gives_the_weights_of_one_process() -> None:
    alone, _ = trained("--set", "training.engine=memory")
    record, said = trained("--scheduler", "--set", "training.workers=2")
    assert record["sha256"]["weights.safetensors"] == alone["sha256"]["weights.safetensors"]
    assert record["metrics"] == alone["metrics"]
    lines = [line for line in said.splitlines() if "cluster" in line]
    assert "2 workers; dashboard: http://127.0.0.1:" in lines[0]
    assert lines[1].startswith("cluster: per evaluation ")


def test_a_silent_training_on_a_cluster_says_nothing_of_it() -> None:
    _, said = trained("--scheduler=local", "--quiet", "--set", "training.workers=1")
    assert "cluster" not in said


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            ["training.batch_size=100", "training.optimizer=adam"],
            "over all rows, not over mini-batches",
        ),
        (["training.optimizer=levenberg_marquardt"], "needs more than the gradient"),
        (
            ["training.engine=stream", "training.scheduler=tcp://h:1"],
            "only `training.engine: dask`",
        ),
        (["data={generator: xor}"], "only the rows of a .npy or .parquet file"),
        (["training.scheduler=tcp://127.0.0.1:9"], "No scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_what_a_cluster_cannot_do_is_one_sentence(bpnet, changes: list[str], sentence: str) -> None:
    options = [word for change in ("training.engine=dask", *changes) for word in ("--set", change)]
    result = bpnet("train", "c.yaml", *options)
    assert result.code == 2
    assert sentence in result.err
    assert not Path("runs").exists()


def test_a_config_is_not_taken_for_the_address_of_a_scheduler(bpnet) -> None:
    result = bpnet("train", "--scheduler", "c.yaml")
    assert result.code == 2
    assert "write --scheduler at the end, or --scheduler=local" in result.err
