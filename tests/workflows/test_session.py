"""A run in training: how it fails, and what it is resumed from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from systems import CONFIGS
from workflows.test_resume import SMALL, resumed, trained

from bpcli.config.load import load_config
from bpcli.errors import Diverged, RunError
from bpcli.experiment import build
from bpcli.runs.layout import PATH, RESOLVED
from bpcli.runs.parameter_path import ParameterPath
from bpcli.runs.store import Run
from bpcli.terminal.progress import SilentView
from bpcli.training.epoch import Epoch
from bpcli.training.steps import Training
from bpcli.workflows import session
from bpcli.workflows.train import train


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
    assert isinstance(outcome.failure, RunError)
    assert outcome.failure.full_text.startswith(
        "no room\nOnce it can be saved, resume with: bpnet train"
    )
    assert (outcome.record.status, outcome.record.epochs) == ("failed", 4)
    assert outcome.run.path("checkpoint-4.safetensors").is_file()


def test_whenever_a_resumed_run_is_killed_its_record_and_config_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(tmp_path, SMALL, stops=[8]).run
    write, checked = Run.write, []

    def watched(self: Run, file: str, *content: bytes, **options: bool) -> None:
        write(self, file, *content, **options)
        checked.append((file, run.checked(RESOLVED)))

    monkeypatch.setattr(Run, "write", watched)
    resumed(run, "training.epochs=60")
    assert checked[0][0] == RESOLVED


def test_after_divergence_a_run_is_resumed_with_every_epoch_once_in_its_log(tmp_path: Path) -> None:
    """The last epoch of finite loss is repeated there, and a checkpoint is due at it."""
    steep = [
        "training.learning_rate=3", "training.checkpoint_every=1", "training.log_every=1",
        "training.record_params=true", "training.stop={}",
    ]  # fmt: skip
    run = trained(tmp_path, steep, config="linear_regression").run
    epochs = run.record().epochs
    gentle = ("training.learning_rate=0.001", f"training.epochs={epochs + 3}")
    outcome = resumed(run, *gentle)
    assert outcome.failure is None
    assert outcome.record.resumed[0].at_epoch == epochs
    assert [line.epoch for line in run.metrics()] == [*range(epochs + 4)]
    assert len(np.load(run.path(PATH))) == epochs + 4


@pytest.mark.parametrize("is_resumed", [True, False])
def test_an_arithmetic_error_is_blamed_on_the_checkpoint_if_there_is_one(
    is_resumed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train_epochs(*_: object, **__: object) -> Iterator[Epoch]:
        raise OverflowError("too large")
        yield

    run = trained(tmp_path, ["training.epochs=5", "training.stop={}"]).run
    monkeypatch.setattr(session, "train_epochs", train_epochs)
    if is_resumed:
        outcome = resumed(run, "training.epochs=7")
        assert isinstance(outcome.failure, Diverged)
        assert str(outcome.failure) == (
            "Training cannot be resumed from the checkpoint at epoch 5: its numbers lead to an "
            "error (too large)."
        )
        assert outcome.record.status == "diverged"
    else:
        outcome = trained(tmp_path / "new", ["training.epochs=5"])
        assert isinstance(outcome.failure, OverflowError)
        assert outcome.record.status == "failed"


def test_epochs_that_nothing_asks_for_are_passed_in_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    advance = Training.advance

    def noted(training: Training, start: object, count: int) -> object:
        counts.append(count)
        return advance(training, start, count)

    monkeypatch.setattr(Training, "advance", noted)
    config = load_config(
        CONFIGS / "xor.yaml", ["training.epochs=100000", "training.log_every=5000"]
    )
    train(build(config), tmp_path, SilentView())
    assert sum(counts) == 100_000
    assert max(counts) > 100
    assert len(counts) < 10_000
