"""The weight file's bytes do not depend on who computes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.runs.layout import WEIGHTS
from bpcli.terminal.progress import SilentView
from bpcli.workflows.train import train

CONFIGS = Path(__file__).parents[2] / "configs"
WIDE = [
    "data.n_samples=12000", "network.layers=[2, 24, 24, 1]", "training.epochs=5",
    "training.stop.max_fail=null",
]  # fmt: skip
VARIANTS = {
    "full batch": [],
    "mini-batches": ["training.batch_size=5000"],
    "layerwise": ["training.optimizer={name: gradient_descent, update: layerwise}"],
    "line search": ["training.optimizer=lbfgs"],
    "float32": ["network.dtype=float32"],
    "schedule": ["training.learning_rate={schedule: cosine, start: 0.5}"],
}


def weight_bytes(tmp_path: Path, *overrides: str) -> bytes:
    experiment = build(load_config(CONFIGS / "moons.yaml", [*WIDE, *overrides]))
    assert len(experiment.plan.shards) >= 4
    outcome = train(experiment, tmp_path, SilentView())
    assert outcome.failure is None
    return outcome.run.path(WEIGHTS).read_bytes()


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_to_four_workers_save_the_same_bytes(variant: str, tmp_path: Path) -> None:
    found = {
        weight_bytes(tmp_path, *VARIANTS[variant], f"training.workers={workers}")
        for workers in (1, 2, 3, 4, "auto")
    }
    assert len(found) == 1


def test_threads_and_processes_save_the_same_bytes(tmp_path: Path) -> None:
    forked = weight_bytes(tmp_path, "training.workers=3")
    done = threading.Event()
    thread = threading.Thread(target=done.wait)  # in a process with threads none is forked
    thread.start()
    try:
        assert weight_bytes(tmp_path, "training.workers=3") == forked
    finally:
        done.set()
        thread.join()


@pytest.mark.slow
def test_repeats_save_the_same_bytes(tmp_path: Path) -> None:
    repeats = 20 if os.environ.get("BPNET_FULL") else 3
    found = {weight_bytes(tmp_path, "training.workers=2") for _ in range(repeats)}
    assert len(found) == 1
