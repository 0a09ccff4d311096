"""One training of a sweep: its result, its pauses, and how it is continued."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trainings import moons, restarts

from bpcli.config.load import Config, config_of
from bpcli.config.models import Spec
from bpcli.data.table import RawTable
from bpcli.errors import RunError
from bpcli.experiment import build
from bpcli.experiment.table import ReadRows, read_rows
from bpcli.runs.layout import METRICS, RECORD, WEIGHTS
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.sweeps import training as module
from bpcli.sweeps.training import (
    PAUSED,
    Training,
    TrainingResult,
    result_of,
    run_training,
    training_name,
)
from bpcli.terminal.progress import SilentView
from bpcli.training.epoch import Epoch
from bpcli.workflows.interrupts import stop_requests
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.train import train


def one(*overrides: str, **changes: Any) -> Training:
    return replace(Training(3, 0, None, moons(*overrides)), **changes)


def trained(training: Training, folder: Path) -> TrainingResult:
    error = run_training(training, folder)
    result = result_of(training, folder, error)
    assert result is not None
    return result


def digest(training: Training, folder: Path) -> str:
    """The weights of a training that nothing paused or interrupted."""
    outcome = train(build(training.config), folder / "whole", SilentView())
    return str(outcome.record.sha256[WEIGHTS])


def test_a_training_has_a_folder_of_its_own_and_a_key_with_its_pause() -> None:
    assert one().name == training_name(3, 0, None) == "0003-0"
    assert one(seed=7, fold=2).name == training_name(3, 7, 2) == "0003-7-fold2"
    assert one(fold=2, restart=4).name == training_name(3, 0, 2, 4) == "0003-0-fold2-restart4"
    assert one(until=4).key == ("0003-0", 4)
    assert training_name(12345, 2**63 - 1, None) == f"12345-{2**63 - 1}"


def test_the_result_is_that_of_the_run(tmp_path: Path) -> None:
    result = trained(one(), tmp_path)
    run = Run(tmp_path / "0003-0")
    record = run.record()
    assert (result.status, result.stop_reason, result.error) == ("finished", "epochs", None)
    assert (result.epochs, result.best_epoch) == (12, record.best_epoch)
    assert result.metrics == record.metrics
    assert result.metrics["val.loss"] is not None
    assert result.objective == run.metrics()[-1].loss
    assert (result.n_params, result.seconds) == (record.n_params, record.seconds)
    assert result.weights_sha256 == digest(one(), tmp_path)


def test_evidence_is_a_diagnostic_of_the_result(tmp_path: Path) -> None:
    result = trained(one("training.optimizer=bayesian_regularization", "loss=mse"), tmp_path)
    assert isinstance(result.diagnostics["log_evidence"], float)


def test_a_training_that_has_not_begun_has_no_result_unless_it_failed(tmp_path: Path) -> None:
    assert result_of(one(), tmp_path) is None
    failed = result_of(one(), tmp_path, "Its process was killed by signal 9.")
    assert failed is not None
    assert (failed.status, failed.epochs, failed.weights_sha256) == ("failed", 0, None)
    assert failed.error == "Its process was killed by signal 9."


def test_a_config_that_does_not_fit_the_data_fails_with_the_reason(tmp_path: Path) -> None:
    result = trained(one("network.layers=[5, 3, 1]"), tmp_path)
    assert result.status == "failed"
    assert "the first layer has 5 units, but the data has 2 input columns" in (result.error or "")
    assert not list(tmp_path.iterdir())


def test_a_training_that_diverges_is_recorded_with_what_it_had(tmp_path: Path) -> None:
    rate = "training.learning_rate=1e300"
    result = trained(one(rate, "network.activations=[identity, identity]", "loss=mse"), tmp_path)
    assert result.status == "diverged"
    assert result.stop_reason == "diverged"
    assert result.error


def test_whatever_goes_wrong_is_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for error, text in (
        (ValueError("wrong"), "ValueError: wrong"),
        (RunError("The disk is full."), "The disk is full."),
        (MemoryError(), "There was not enough memory."),
    ):

        def fail(*_: Any, error: Exception = error, **__: Any) -> Outcome:
            raise error

        monkeypatch.setattr(module, "train", fail)
        assert run_training(one(), tmp_path) == text


@pytest.mark.parametrize("pauses", [[4], [1, 4, 11]])
def test_a_training_that_was_paused_ends_with_the_same_bits(
    pauses: list[int], tmp_path: Path
) -> None:
    for until in pauses:
        result = trained(one(until=until), tmp_path)
        assert (result.status, result.stop_reason) == ("paused", PAUSED)
        assert (result.until, result.epochs) == (until, until)
        assert result_of(one(until=until + 1), tmp_path) is None
        assert result_of(one(), tmp_path) is None
    result = trained(one(), tmp_path)
    assert (result.status, result.epochs) == ("finished", 12)
    assert result.weights_sha256 == digest(one(), tmp_path)


def test_a_training_that_ends_before_its_pause_has_finished(tmp_path: Path) -> None:
    result = trained(one("training.epochs=3", until=9), tmp_path)
    assert (result.status, result.stop_reason, result.epochs) == ("finished", "epochs", 3)
    assert result == result_of(one("training.epochs=3", until=9), tmp_path)


class _SignalAt(SilentView):
    """Asks this process to stop at an epoch."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def next_due(self, number: int) -> int:
        return number + 1

    def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
        if epoch.number == self._epoch:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(("at", "until"), [(0, None), (3, None), (0, 4), (3, 4), (3, 6)])
def test_after_a_signal_it_has_no_result_and_is_resumed_to_the_same_bits(
    at: int, until: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also at the epoch of the pause, which follows the third one's signal."""
    training = one(until=until)
    with monkeypatch.context() as patched, stop_requests() as request:
        patched.setattr(module, "SilentView", lambda: _SignalAt(at))
        assert run_training(training, tmp_path) == ""
        assert request.signal_number == signal.SIGTERM
    assert Run(tmp_path / training.name).record().status == "interrupted"
    assert result_of(training, tmp_path) is None
    result = trained(training, tmp_path)
    assert (result.status, result.epochs) == (
        ("finished", 12) if until is None else ("paused", until)
    )
    whole = trained(training, tmp_path / "uninterrupted")
    assert result.metrics == whole.metrics
    assert result.weights_sha256 == whole.weights_sha256


class _Killed(BaseException):
    """Stands for the end of the process."""


def test_a_process_that_was_killed_while_it_paused_is_not_trained_beyond_the_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_record(run: Run, record: RunRecord) -> None:
        if record.status != "running":
            raise _Killed
        written(run, record)

    training, written = one(until=4), Run.write_record
    with monkeypatch.context() as patched:
        patched.setattr(Run, "write_record", write_record)
        with pytest.raises(_Killed):
            run_training(training, tmp_path)
    assert (tmp_path / training.name / "checkpoint-4.safetensors").is_file()
    assert result_of(training, tmp_path) is None
    result = trained(training, tmp_path)
    assert (result.status, result.epochs) == ("paused", 4)
    assert result.weights_sha256 == trained(training, tmp_path / "another").weights_sha256
    assert trained(one(), tmp_path).weights_sha256 == digest(one(), tmp_path)


def test_after_a_signal_no_training_begins(tmp_path: Path) -> None:
    with stop_requests() as request:
        request.receive(signal.SIGTERM, None)
        assert run_training(one(), tmp_path) == ""
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_record_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "0003-0").mkdir()
    (tmp_path / "0003-0" / "config.yaml").write_text("half of it")
    assert trained(one(), tmp_path).weights_sha256 == digest(one(), tmp_path)


def test_a_training_that_another_process_still_ends_is_not_a_failure(tmp_path: Path) -> None:
    """The child of a killed process may hold the lock for a moment."""
    trained(one(until=4), tmp_path)
    with closing(Run(tmp_path / "0003-0").lock()):
        assert run_training(one(), tmp_path) == ""


@pytest.mark.parametrize("file", [RECORD, METRICS])
def test_damage_is_the_result_of_that_training_alone(file: str, tmp_path: Path) -> None:
    first, second = restarts(2)
    trained(first, tmp_path)
    trained(second, tmp_path)
    (tmp_path / first.name / file).write_text("{}\n")
    damaged = result_of(first, tmp_path)
    assert damaged is not None
    assert damaged.status == "failed"
    assert "is damaged" in (damaged.error or "") or "has no `seal`" in (damaged.error or "")
    intact = result_of(second, tmp_path)
    assert intact is not None
    assert intact.status == "finished"
    shutil.rmtree(tmp_path / first.name)
    assert result_of(first, tmp_path) is None


def test_files_are_read_once_for_trainings_on_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        rows = [f"{x},{x * x}" for x in range(12 if name == "a" else 10)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["x,y", *rows]))

    def config(name: str, seed: int) -> Config:
        return config_of(
            {
                "seed": seed,
                "data": {"file": str(tmp_path / f"{name}.csv"), "split": {"val": 0.25}},
                "network": {"layers": ["auto", 2, 1], "activations": ["tanh", "identity"]},
                "loss": "mse",
                "training": {"epochs": 2},
            }
        )

    known = [build(config(*each)) for each in (("a", 0), ("a", 1), ("b", 0), ("a", 0))]
    read: list[str] = []
    monkeypatch.setattr(module, "read_rows", _telling(read))
    read_once = module._ReadOnce()
    for one in known:
        again = build(one.config, read=read_once)
        np.testing.assert_array_equal(again.splits["val"].X, one.splits["val"].X)
        np.testing.assert_array_equal(again.splits["val"].index, one.splits["val"].index)
    assert read == ["a.csv", "b.csv", "a.csv"]


def _telling(read: list[str]) -> ReadRows:
    def telling(spec: Spec) -> RawTable:
        read.extend(path.name for path in spec.data.files)
        return read_rows(spec)

    return telling
