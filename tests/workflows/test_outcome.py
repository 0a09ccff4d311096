"""What is saved when a training ends, however it does."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import pytest
from systems import CONFIGS
from workflows.test_resume import Stops

from bpcli.config.load import load_config
from bpcli.engine.sums import RowSums
from bpcli.errors import Diverged, Interrupted, RunError, WorkerLost
from bpcli.experiment import build
from bpcli.export.json_file import json_text
from bpcli.export.model import load_model
from bpcli.runs.checkpoint import Checkpoints
from bpcli.runs.files import array_bytes, file_digest
from bpcli.runs.layout import METRICS, WEIGHTS
from bpcli.runs.store import Run
from bpcli.terminal.progress import SilentView
from bpcli.training.epoch import Epoch
from bpcli.training.objective import NetworkObjective
from bpcli.workflows import outcome as module
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.train import train

SHORT = ["training.epochs=9", "training.stop={}", "training.checkpoint_every=4"]


def trained(folder: Path, *overrides: str, config: str = "moons", stops: Any = ()) -> Outcome:
    experiment = build(load_config(CONFIGS / f"{config}.yaml", [*SHORT, *overrides]))
    return train(experiment, folder, Stops(stops))


def only_run(folder: Path) -> Run:
    (path,) = folder.iterdir()
    return Run(path)


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

    noting(NetworkObjective)
    noting(RowSums)
    monkeypatch.setattr(module, "array_bytes", save)
    options = [f"training.workers={workers}", "training.epochs=2", "data.n_samples=20000"]
    experiment = build(load_config(CONFIGS / "moons.yaml", options))
    assert len(experiment.plan.shards) > 1
    outcome = train(experiment, tmp_path, SilentView())
    assert outcome.failure is None
    assert len(made) >= 4  # training and validation
    assert alive == [0]


def test_a_training_that_ends_as_asked_is_finished_and_its_files_have_digests(
    tmp_path: Path,
) -> None:
    outcome = trained(tmp_path)
    assert outcome.failure is None
    record = outcome.run.record()
    assert (record.status, record.stop_reason, record.epochs) == ("finished", "epochs", 9)
    assert record.stop[-1].now == 9
    for file in (WEIGHTS, METRICS):
        assert record.sha256[file] == file_digest(outcome.run.path(file))
    assert record.watching_seconds <= record.seconds


def test_an_interrupt_says_where_the_run_is_and_how_it_is_resumed(tmp_path: Path) -> None:
    outcome = trained(tmp_path, stops=[5])
    assert isinstance(outcome.failure, Interrupted)
    run = outcome.run
    assert outcome.failure.full_text.splitlines() == [
        "Training was interrupted.",
        f"The run is saved as {run.run_id} (5 epochs).",
        f"Resume with: bpnet train --resume {run.folder}",
    ]
    assert run.record().status == "interrupted"
    assert run.path("checkpoint-5.safetensors").is_file()


def test_divergence_says_where_the_run_is_and_is_the_exception_that_was_raised(
    tmp_path: Path,
) -> None:
    steep = (
        "training.learning_rate=50", "training.epochs=400", "training.checkpoint_every=1000",
    )  # fmt: skip
    outcome = trained(tmp_path, *steep, config="linear_regression")
    assert isinstance(outcome.failure, Diverged)
    assert outcome.failure.__traceback__ is not None
    epochs = outcome.record.epochs
    assert outcome.failure.__notes__ == [
        f"The run is saved as {outcome.run.run_id} ({epochs} epochs).",
        f"Explain it with: bpnet diagnose {outcome.run.folder}",
    ]
    assert not outcome.run.path(f"checkpoint-{epochs}.safetensors").exists()


def test_a_worker_that_was_lost_leaves_no_checkpoint_of_its_epoch(tmp_path: Path) -> None:
    class Loses(SilentView):
        def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
            if epoch.number == 6:
                raise WorkerLost("A worker is gone.")

    outcome = train(build(load_config(CONFIGS / "moons.yaml", SHORT)), tmp_path, Loses())
    assert isinstance(outcome.failure, WorkerLost)
    assert outcome.failure.__notes__ == [f"The run is saved as {outcome.run.run_id} (6 epochs)."]
    assert (outcome.record.status, outcome.record.epochs) == ("failed", 6)
    assert [path.stem for path in outcome.run.folder.glob("checkpoint-*")] == ["checkpoint-4"]


def test_an_interrupt_whose_checkpoint_cannot_be_saved_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(checkpoints: Checkpoints, checkpoint: object) -> None:
        raise RunError("no room")

    monkeypatch.setattr(Checkpoints, "save", save)
    outcome = trained(tmp_path, "training.checkpoint_every=100", stops=[5])
    assert str(outcome.failure) == "no room"
    record = outcome.run.record()
    assert (record.status, record.stop_reason, record.epochs) == ("failed", "failed", 5)
    assert outcome.run.path(WEIGHTS).is_file()


def test_weights_that_cannot_be_saved_are_said_in_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise RunError("no room")

    monkeypatch.setattr(module, "array_bytes", fail)
    with pytest.raises(RunError) as caught:
        trained(tmp_path)
    run = only_run(tmp_path)
    assert caught.value.full_text.splitlines() == [
        "no room",
        f"Once it can be saved, resume with: bpnet train --resume {run.folder}",
    ]
    record = run.record()
    assert (record.status, record.error) == ("failed", "no room")
    assert not record.has_ended
    assert run.path("checkpoint-9.safetensors").is_file()


def test_a_loss_that_never_fell_is_a_warning(tmp_path: Path) -> None:
    uphill = ["data.split={val: 0.25}", "training.learning_rate=1000", "training.log_every=1"]
    record = trained(tmp_path, *uphill).record
    assert record.best_epoch == 0
    assert record.warnings[:1] == [
        (
            "the validation loss never fell below its initial value: the loss grew from "
            "0.6893 to 2938: try a smaller `training.learning_rate`, such as 100 instead of 1000"
        )
    ]
    assert trained(tmp_path / "fine").record.warnings == []


def test_a_trained_network_need_not_improve(tmp_path: Path) -> None:
    settings = ["data.split={val: 0.25}", "training.optimizer=lbfgs", "training.epochs=60"]
    first = trained(tmp_path / "runs", *settings).run
    start = tmp_path / "start.json"
    start.write_text(json_text(load_model(first)))
    settings.append(f"network.parameters={{file: {start}}}")
    record = trained(tmp_path / "again", *settings).record
    assert record.best_epoch == 0
    assert not any("never fell" in warning for warning in record.warnings)
