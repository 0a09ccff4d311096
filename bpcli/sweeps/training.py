"""One of many trainings: a run in the folder of a sweep, and its result."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from bpcli.config.load import Config
from bpcli.config.models import Spec
from bpcli.data.table import RawTable
from bpcli.errors import BpnetError, Interrupted, RunError
from bpcli.experiment import build
from bpcli.experiment.table import read_rows
from bpcli.runs.layout import RECORD, RESOLVED, WEIGHTS
from bpcli.runs.lock import LockHeld
from bpcli.runs.run_json import RunRecord
from bpcli.runs.saved import Count, Digest, Figure, Number, Positive, Saved, Scores, Text, structure
from bpcli.runs.store import Run
from bpcli.system import stamp_of
from bpcli.terminal.progress import SilentView
from bpcli.training.epoch import Epoch
from bpcli.workflows.interrupts import stop_requests
from bpcli.workflows.resume import resume, resumption
from bpcli.workflows.stop_decision import Observer
from bpcli.workflows.train import train

MOST_TRAININGS = 100_000
"""Trainings of a sweep; more could not be planned in a minute."""

Key: TypeAlias = tuple[str, int | None]
ResultStatus: TypeAlias = Literal["finished", "diverged", "failed", "paused"]


@dataclass(frozen=True)
class Training:
    """A setting's training with one seed, one fold if the config has folds, and one restart.

    `until` is the epoch at which it pauses, if halving may end it there. `invalid` is why the
    values of its setting make no valid config: then it fails, and `config` is without the values.
    """

    setting: int
    seed: int
    fold: int | None
    config: Config
    restart: int | None = None
    until: int | None = None
    invalid: str = ""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return training_name(self.setting, self.seed, self.fold, self.restart)

    @property
    def key(self) -> Key:
        """What its result is found by."""
        return self.name, self.until


def training_name(setting: int, seed: int, fold: int | None, restart: int | None = None) -> str:
    """The name of the folder of a training."""
    end = "" if fold is None else f"-fold{fold}"
    return f"{setting:04}-{seed}{end}" + ("" if restart is None else f"-restart{restart}")


@structure
class TrainingResult(Saved):
    """The result of a training, as a line of the journal has it.

    `objective` is the last value of what was minimised; a training that failed before its first
    epoch has only an `error`.
    """

    name: Text
    setting: Count
    seed: Count
    fold: Positive | None
    until: Positive | None
    status: ResultStatus
    error: Text | None = None
    stop_reason: Text = ""
    epochs: Count = 0
    best_epoch: Count = 0
    seconds: Number = 0.0
    n_params: Count = 0
    objective: Figure = None
    metrics: Scores = field(default_factory=dict)
    diagnostics: Scores = field(default_factory=dict)
    weights_sha256: Digest | None = None

    @property
    def key(self) -> Key:
        """The key of its training."""
        return self.name, self.until

    @property
    def has_failed(self) -> bool:
        """Whether it has no network: it failed or diverged."""
        return self.status in ("failed", "diverged")


_NO_FILES: Mapping[str, str] = {}


def run_training(training: Training, folder: Path) -> str:
    """Train in a folder of its own within `folder`, or resume there; return why it failed.

    The text is empty if it did not fail, or can be resumed. Meant for a child process: whatever
    goes wrong is returned, so that other trainings go on.
    """
    try:
        with stop_requests() as request:
            failure = None if request.signal_number is not None else _train(training, folder)
    except MemoryError:
        return "There was not enough memory."
    except Exception as error:
        failure = error
    if failure is None or isinstance(failure, Interrupted | LockHeld):
        return ""
    if isinstance(failure, BpnetError):
        return str(failure)
    return f"{type(failure).__name__}: {failure}"


def _train(training: Training, folder: Path) -> Exception | None:
    run, view = Run(folder / training.name), SilentView()
    require_own(run, training)
    observers = [] if training.until is None else [_at(training.until)]
    if run.path(RECORD).is_file():
        with resumption(run, ()) as ready:
            # A process that ended while it paused there has left the checkpoint of the pause, from
            # which training would go on beyond it.
            if training.until is None or ready.at_epoch < training.until:
                return resume(replace(ready, observers=observers), view, workers=1).failure
    shutil.rmtree(run.folder, ignore_errors=True)  # of a process that was killed at once
    return train(
        build(training.config, read=_read_once), folder, view,
        observers=observers, folder_name=training.name, workers=1,
    ).failure  # fmt: skip


def require_own(run: Run, training: Training) -> None:
    """Raise `RunError` if a folder is not that of a training: a link, or another run."""
    is_link = run.folder.is_symlink() or run.folder.parent.is_symlink()
    resolved = run.path(RESOLVED)
    is_other = resolved.is_file() and resolved.read_text("utf-8") != training.config.resolved()
    if is_link or is_other:
        what = "a symbolic link" if is_link else "the run of another config"
        raise RunError(f"{run.folder} is {what}: remove it, and resume the sweep.")


class _ReadOnce:
    """Reads the rows of files, unless they are those that it read last.

    Of a training of 200 rows of a CSV file with a 10-8-1 network, reading takes a third.
    """

    def __init__(self) -> None:
        self._latest: tuple[object, RawTable] | None = None

    def __call__(self, spec: Spec) -> RawTable:
        if not spec.data.files:
            return read_rows(spec)
        try:
            known = spec.data.source, [stamp_of(path) for path in spec.data.files]
        except OSError:  # reading says what is wrong
            return read_rows(spec)
        if self._latest is None or self._latest[0] != known:
            self._latest = known, read_rows(spec)
        return self._latest[1]


_read_once = _ReadOnce()


def _at(until: int) -> Observer:
    """An observer that ends training at an epoch."""

    def has_reached(epoch: Epoch) -> bool:
        return epoch.number >= until

    return has_reached


def failed_result(training: Training, error: str) -> TrainingResult:
    """The result of a training that has failed."""
    return TrainingResult(
        training.name,
        training.setting,
        training.seed,
        training.fold,
        training.until,
        "failed",
        error or None,
    )


def result_of(
    training: Training, folder: Path, error: str = "", data_files: Mapping[str, str] = _NO_FILES
) -> TrainingResult | None:
    """The result of a training; None if it has not ended, and can be resumed.

    `error` is why it failed, if it did. A training whose files have not the digests of `data_files`
    has failed.
    """
    base = failed_result(training, error)
    run = Run(folder / training.name)
    result = None
    if run.path(RECORD).is_file():
        try:
            record = run.record()
            result = _recorded(base, run, record, training.until)
        except RunError as damage:
            return replace(base, error=str(damage))
        changed = [file for file, digest in record.data_files.items()
                   if data_files.get(file, digest) != digest]  # fmt: skip
        if result is not None and changed:
            return replace(base, error=f"{changed[0]} has changed since the sweep began.")
    return base if result is None and error else result


def _recorded(
    base: TrainingResult, run: Run, record: RunRecord, until: int | None
) -> TrainingResult | None:
    """The result that is in the run's record, if training has ended, or has paused at `until`."""
    if not record.has_ended or record.status == "interrupted":
        return None
    is_paused = record.stop_reason == PAUSED
    if is_paused and (until is None or record.epochs < until):
        return None
    lines = run.metrics()
    return replace(
        base,
        status="paused" if is_paused else _STATUS.get(record.status, "failed"),
        error=base.error or record.error or None,
        stop_reason=record.stop_reason,
        epochs=record.epochs,
        best_epoch=record.best_epoch,
        seconds=record.seconds,
        n_params=record.n_params,
        objective=lines[-1].loss if lines else None,
        metrics=record.metrics,
        diagnostics=record.diagnostics,
        weights_sha256=record.sha256.get(WEIGHTS),
    )


PAUSED = "callback"
"""The stop reason of a training that an observer has ended."""

_STATUS: dict[str, ResultStatus] = {"finished": "finished", "diverged": "diverged"}
