"""Trainings on a cluster of this machine, as whole commands."""

from __future__ import annotations

import json
import signal
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
    np.savetxt("small.csv", X[:200], delimiter=",", header="a,b,c,d,y", comments="")
    Path("small.yaml").write_text(CONFIG.replace("a.npy", "small.csv"))


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


def document(*command: str, code: int = 0) -> dict[str, Any]:
    """The document of many trainings."""
    done = subprocess.run(
        [sys.executable, "-m", "bpcli", *command, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def values_of(found: dict[str, Any]) -> Any:
    """What of a document depends on the trainings, without names and times."""
    if isinstance(found, dict):
        names = {"sweep", "folder", "figure", "seconds", "train", "run_id", "started", "argv"}
        return {key: values_of(each) for key, each in found.items() if key not in names}
    return [values_of(each) for each in found] if isinstance(found, list) else found


def digests_of(folder: str) -> dict[str, str]:
    """The digest of the weights of each training."""
    lines = Path(folder, "trainings.jsonl").read_text().splitlines()
    return {each["name"]: each["weights_sha256"] for each in map(json.loads, lines)}


@pytest.mark.parametrize(
    "command",
    [
        ("sweep", "small.yaml", "--grid", "hidden=2,[3,2]", "--seeds", "2"),
        ("size", "small.yaml", "--hidden", "1..2", "--restarts", "2", "--splits", "2"),
    ],
)
def test_many_trainings_on_a_cluster_have_the_same_table(command: tuple[str, ...]) -> None:
    alone, shared = document(*command), document(*command, "--scheduler", "--processes", "2")
    assert values_of(shared) == values_of(alone)
    digests = [digests_of(each["folder"]) for each in (alone, shared)]
    assert digests[0] == digests[1]
    assert all(digests[0].values())


def test_restarts_on_a_cluster_keep_the_same_network() -> None:
    alone = document("train", "small.yaml", "--restarts", "3")
    shared = document("train", "small.yaml", "--restarts", "3", "--scheduler")
    assert shared["config"] == alone["config"]
    weights = "weights.safetensors"
    assert shared["sha256"][weights] == alone["sha256"][weights]
    assert values_of(shared["restarts"]) == values_of(alone["restarts"])


@pytest.mark.skipif(sys.platform == "win32", reason="no Ctrl-C for another process")
def test_a_sweep_on_a_cluster_is_interrupted_and_resumed_without_it() -> None:
    changes = ("--set", "training.optimizer=rprop", "--set", "training.epochs=5000")
    command = ("sweep", "small.yaml", "--grid", "hidden=2,3,4", *changes)
    whole = document(*command)
    process = subprocess.Popen(
        [sys.executable, "-m", "bpcli", *command, "--scheduler", "--runs-dir", "other"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("1 of 3"):
            process.send_signal(signal.SIGINT)
            break
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130, (said, rest)
    assert "Train the rest with: bpnet sweep --resume" in rest
    resumed = document("sweep", "--resume", "latest", "--runs-dir", "other")
    assert values_of(resumed) == values_of(whole)


def test_a_training_for_all_workers_is_refused_in_a_sweep(bpnet) -> None:
    options = ("--grid", "hidden=1,2", "--set", "training.engine=dask", "--scheduler")
    result = bpnet("sweep", "c.yaml", *options)
    assert result.code == 2
    assert "`training.engine: dask` shares each among all workers" in result.err
    assert not Path("runs").exists()
