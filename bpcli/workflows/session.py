"""The training of one run, new or resumed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from bpcli.engine.pool.base import WorkerPool
from bpcli.errors import Diverged
from bpcli.experiment import Experiment
from bpcli.runs.checkpoint import Checkpoint, Checkpoints
from bpcli.runs.layout import CONFIG, RESOLVED, SPLIT
from bpcli.runs.record import split_bytes
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.training.epoch import Epoch
from bpcli.training.loop import NextDue, every_epoch, train_epochs
from bpcli.workflows.checkpointer import Checkpointer, pace_of
from bpcli.workflows.interrupts import StopRequest
from bpcli.workflows.run_epochs import Callback, Ending, TrainingCallback, earliest_due, run_epochs
from bpcli.workflows.scores import EpochScores
from bpcli.workflows.stop_decision import Observer, StopDecision, needs_every_epoch, stop_rules
from bpcli.workflows.training_log import TrainingLog, open_log


@dataclass(frozen=True)
class RunToTrain:
    """A locked run, and the checkpoint to resume from; without `start`, from epoch 0."""

    experiment: Experiment
    run: Run
    record: RunRecord
    checkpoints: Checkpoints
    start: Checkpoint | None
    observers: Sequence[Observer] = field(default=(), kw_only=True)

    def write_new(self) -> None:
        """Write the files of a new run that are known before its first epoch."""
        config = self.experiment.config
        self.write(CONFIG, config.source.content)
        self.write(SPLIT, split_bytes(self.experiment))
        start = self.experiment.start
        if start is not None:
            self.write(start.kept_as, start.content)
        self.write(RESOLVED, self._resolved)
        self.run.write_record(self.record)

    @property
    def _resolved(self) -> str:
        """The resolved config, which names the copy of the start in the run's folder."""
        start = self.experiment.start
        return self.experiment.config.resolved(None if start is None else start.kept_as)

    def write_resumed(self) -> None:
        """Write the files of a resumed run that are known before its next epoch."""
        self.run.write_record(self.record)  # first: without the digest of the old config
        self.write(RESOLVED, self._resolved)
        self.run.write_record(self.record)

    def write(self, file: str, content: str | bytes) -> None:
        """Write a file that does not grow; the record, written next, gets its digest."""
        content = content.encode() if isinstance(content, str) else content
        self.run.write(file, content, syncs_folder=False)
        self.record.sha256[file] = hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Session:
    """A run in training: its stop decision, and the writers of its growing files."""

    target: RunToTrain
    decision: StopDecision
    log: TrainingLog
    checkpointer: Checkpointer
    callbacks: Sequence[Callback]

    def train(self, pool: WorkerPool) -> Ending:
        """Train from the checkpoint or from epoch 0 until training ends."""
        scores = EpochScores(self.target.experiment)
        ending = run_epochs(self._epochs(pool), self.decision, self.callbacks, scores)
        return self._with_checkpoint_named(ending)

    def _epochs(self, pool: WorkerPool) -> Iterator[Epoch]:
        experiment, start = self.target.experiment, self.target.start
        training = experiment.training(experiment.objective(pool))
        if start is not None:
            training.resume(start.state)
        return train_epochs(
            training,
            experiment.spec.training.epochs,
            validation=experiment.validation(pool),
            next_due=self._next_due,
            is_checked=self.log.has_line,
            seconds=0.0 if start is None else start.seconds,
        )

    @property
    def _next_due(self) -> NextDue:
        experiment = self.target.experiment
        keeps_path = experiment.spec.training.record_params
        if keeps_path or self.target.observers or needs_every_epoch(experiment):
            return every_epoch
        return earliest_due(self.callbacks)

    def _with_checkpoint_named(self, ending: Ending) -> Ending:
        """Return the ending; after a resume, an arithmetic error names the checkpoint.

        A checkpoint may come from anywhere, so its numbers are not an internal error.
        """
        start, error = self.target.start, ending.failure
        if start is None or not isinstance(error, ArithmeticError):
            return ending
        diverged = Diverged(
            f"Training cannot be resumed from the checkpoint at epoch {start.number}: its numbers "
            f"lead to an error ({error})."
        )
        return replace(ending, reason="diverged", failure=diverged)


def open_session(
    target: RunToTrain, request: StopRequest, callback: TrainingCallback, files: ExitStack
) -> Session:
    """Open the growing files, which `files` closes, and begin to show the training."""
    experiment, start = target.experiment, target.start
    decision = StopDecision(stop_rules(experiment), request, start, target.observers)
    log = open_log(experiment, target.run, start, files)
    pace = pace_of(experiment.spec.training.checkpoint_every, start)
    checkpointer = Checkpointer(pace, target.checkpoints, decision, log)
    callback.on_start(target.record, decision.stopping)
    return Session(target, decision, log, checkpointer, [request, checkpointer, log, callback])
