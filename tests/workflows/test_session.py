"""What a training leaves in memory, and on disk where it failed."""

from __future__ import annotations

import weakref
from pathlib import Path

import pytest
from systems import CONFIGS

from bpcli.config.load import load_config
from bpcli.engine.sums import RowSums
from bpcli.errors import RunError
from bpcli.experiment import build
from bpcli.runs.files import array_bytes
from bpcli.runs.parameter_path import ParameterPath
from bpcli.terminal.progress import SilentView
from bpcli.training.objective import Objective
from bpcli.workflows import session
from bpcli.workflows.train import train


@pytest.mark.parametrize("workers", [1, 2])
def test_what_computed_the_gradients_is_gone_when_the_weights_are_saved(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[object]] = []
    alive: list[int] = []

    def noting(kind: type) -> None:
        begin = kind.__init__

        def begin_noted(self: object, *args: object, **options: object) -> None:
            made.append(weakref.ref(self))
            begin(self, *args, **options)

        monkeypatch.setattr(kind, "__init__", begin_noted)

    def save(*args: object) -> bytes:
        alive.append(sum(found() is not None for found in made))
        return array_bytes(*args)

    noting(Objective)
    noting(RowSums)
    monkeypatch.setattr(session, "array_bytes", save)
    options = [f"training.workers={workers}", "training.epochs=2", "data.n_samples=20000"]
    experiment = build(load_config(CONFIGS / "moons.yaml", options))
    assert len(experiment.plan.shards) > 1
    outcome = train(experiment, tmp_path, SilentView())
    assert outcome.failure is None
    assert len(made) >= 4  # training and validation
    assert alive == [0]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_between_lines_leaves_a_checkpoint_and_a_way_on(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(path: ParameterPath, params: object) -> None:
        raise RunError("no room")

    options = [
        f"training.workers={workers}", "training.epochs=9", "training.log_every=9",
        "training.record_params=true", "data.n_samples=20000", "data.split={}", "training.stop={}",
    ]  # fmt: skip
    experiment = build(load_config(CONFIGS / "moons.yaml", options))
    kept = ParameterPath.add
    monkeypatch.setattr(
        ParameterPath, "add", lambda path, params: (add if path.rows == 4 else kept)(path, params)
    )
    outcome = train(experiment, tmp_path, SilentView())
    assert str(outcome.failure).startswith("no room\nOnce it can be, go on with: bpnet train")
    assert (outcome.record.status, outcome.record.epochs) == ("failed", 4)
    assert outcome.run.path("checkpoint-4.safetensors").is_file()
