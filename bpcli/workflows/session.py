"""One training from its first epoch to its last, and the files that it keeps of that."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter as clock
from typing import Protocol

from bpcli.engine.pool.base import WorkerPool
from bpcli.errors import Diverged, Interrupted, RunError, WorkerLost
from bpcli.experiment import Experiment
from bpcli.nn.units import UnitCounts
from bpcli.runs.checkpoint import NOTHING, Checkpoint, Checkpoints, Extent
from bpcli.runs.files import array_bytes, file_digest
from bpcli.runs.layout import CONFIG, METRICS, PATH, RESOLVED, SPLIT, WEIGHTS
from bpcli.runs.metrics_log import LogLine, MetricsFile
from bpcli.runs.parameter_path import ParameterPath
from bpcli.runs.record import (
    criterion_record,
    now,
    split_bytes,
    weight_arrays,
    weights_meta,
)
from bpcli.runs.references import reference_to
from bpcli.runs.run_json import RunRecord, Status
from bpcli.runs.store import Run
from bpcli.training.loop import Epoch, train_epochs
from bpcli.training.stopping import Best, Stopping, StopRules
from bpcli.workflows.checkpoint_pace import CheckpointPace
from bpcli.workflows.interrupts import Abandoned, StopRequest
from bpcli.workflows.scores import EpochScores, all_baselines, all_scores, losses

_MOST_LOG_LINES = 1000
_SCORED_LINES = 50
_STATUS: Mapping[str, Status] = {"interrupted": "interrupted", "diverged": "diverged"}
"""What a run's status is where training failed, by the stop reason; all others have failed."""


class Callback(Protocol):
    """Whoever looks on: told of every record, it decides itself what to show and when."""

    def start(self, record: RunRecord, stopping: Stopping) -> None: ...

    def next_due(self, number: int) -> int:
        """The next epoch, after this one, that it wants to be told of whatever the clock says."""
        ...

    def see(self, epoch: Epoch, scores: EpochScores, is_last: bool) -> None: ...


class Closer(Protocol):
    """What has to be let go of."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """How training ended: the run, its record, and what cut training short, if anything did."""

    run: Run
    record: RunRecord
    failure: Exception | None


def stop_rules(experiment: Experiment) -> StopRules:
    """The rules that the config asks for."""
    training = experiment.spec.training
    return StopRules(epochs=training.epochs, **training.stop.model_dump())


def reason_to_end(epoch: Epoch, best: Best, stopping: Stopping, request: StopRequest) -> str | None:
    """What ends training at this epoch, which may be the best: a rule, the optimizer, a signal."""
    best.see(epoch)
    stopping.see(epoch)
    return reason_known(epoch, stopping, request)


def reason_known(epoch: Epoch, stopping: Stopping, request: StopRequest) -> str | None:
    """The same, where the epoch has been seen."""
    if request.signal_number is not None:
        return "interrupted"
    if stopping.reason is None and epoch.ended is not None:
        return epoch.ended.reason
    return stopping.reason


def sees_every_epoch(experiment: Experiment, rules: StopRules) -> bool:
    """Whether a best epoch is sought, or a rule looks at figures that change with every epoch."""
    return bool(len(experiment.splits["val"])) or rules.need_every_epoch


@dataclass
class Session:
    """Everything that one training keeps track of.

    `start` is where an earlier session of the same run stood; what is to survive this one is a
    `Checkpoint` too.
    """

    experiment: Experiment
    run: Run
    callback: Callback
    record: RunRecord
    start: Checkpoint | None = None
    checkpoints: Checkpoints | None = None
    closers: list[Closer] = field(default_factory=list)
    best: Best = field(default_factory=Best)
    last: Epoch | None = None
    reason: str = "interrupted"
    watching_seconds: float = 0.0
    noted: int = -1
    is_abandoned: bool = False
    """Whether a signal ended training within an epoch: then nothing long is computed any more."""
    before: tuple[int, int] | None = None
    """Sizes of log and path before the latest epoch was noted; None while it is being looked at."""

    def __post_init__(self) -> None:
        training = self.experiment.spec.training
        self.scores = EpochScores(self.experiment)
        self.rules = stop_rules(self.experiment)
        self.stopping = Stopping(self.rules, self.best)
        self.seconds = 0.0 if self.start is None else self.start.seconds
        self.pace = CheckpointPace(training.checkpoint_every, self.seconds)
        if self.checkpoints is None:
            self.checkpoints = Checkpoints(self.run, self.record.identity)
        if self.start is not None:
            self.best.recall(self.start.best)
            self.stopping.recall(self.start.stopping)

    def save_start(self) -> None:
        """Write what is known before the first epoch."""
        config = self.experiment.config
        self._write(CONFIG, config.source.content)
        self._write(SPLIT, split_bytes(self.experiment))
        self._write(RESOLVED, config.resolved())
        self.run.write_record(self.record)
        self._open()

    def _write(self, file: str, content: str | bytes) -> None:
        """Write a file that stays as it is; its digest is for the record, which is written next."""
        content = content.encode() if isinstance(content, str) else content
        self.run.write(file, content, syncs_folder=False)
        digest = hashlib.sha256(content).hexdigest()
        self.record = replace(self.record, sha256=self.record.sha256 | {file: digest})

    def go_on(self) -> None:
        """Write what this session begins with."""
        self.run.write_record(self.record)  # first: from now on it vouches for no other config
        self._write(RESOLVED, self.experiment.config.resolved())
        self.run.write_record(self.record)
        self._open()

    def _open(self) -> None:
        """Open log and path, and cut them back to where this session begins."""
        self.log = MetricsFile(
            self.run.path(METRICS), 0 if self.start is None else self.start.log.size
        )
        self.closers.append(self.log)
        self.path = self._path()
        self.callback.start(self.record, self.stopping)

    def _path(self) -> ParameterPath | None:
        """Where the parameters of every epoch go."""
        if not self.experiment.spec.training.record_params:
            return None
        rows = 0 if self.start is None else self.start.path.size
        n_params = self.experiment.network.n_params
        path = ParameterPath(self.run, n_params, self.experiment.dtype, rows)
        self.closers.append(path)
        return path

    def close(self) -> None:
        """Let go of files, and of the lock last: once all else is done."""
        for closer in reversed(self.closers):
            closer.close()

    def follow(self, workers: WorkerPool, request: StopRequest) -> Exception | None:
        """Go through the epochs until a rule, a signal or a failure ends them.

        Returns the failure, so that what there is can be saved before it is raised.
        """
        try:
            for epoch in self._epochs(workers):
                began = clock()
                request.at_epoch(began)
                self.last, self.before = epoch, None
                reason = self._reason(epoch, request)
                self.before = self._sizes
                if reason is None and self.pace.is_due(epoch) and math.isfinite(epoch.loss):
                    self._save_checkpoint(epoch)
                self._note(epoch, is_last=reason is not None)
                if reason is not None:
                    self.reason = reason
                    break
                self.watching_seconds += clock() - began
        except Abandoned:
            self.is_abandoned = True
        except Exception as error:
            failure = self._of_checkpoint(error)
            self.reason = "diverged" if isinstance(failure, Diverged) else "failed"
            return failure
        if self.reason == "interrupted" and request.signal_number is not None:
            return Interrupted("Training was interrupted.", request.signal_number)
        return None

    def _of_checkpoint(self, error: Exception) -> Exception:
        """The error, or that the numbers of a checkpoint lead nowhere: anybody may have made it."""
        if self.start is None or not isinstance(error, ArithmeticError):
            return error
        return Diverged(
            f"Training cannot be resumed from the checkpoint at epoch {self.start.number}: its "
            f"numbers lead to an error ({error})."
        )

    def _epochs(self, workers: WorkerPool) -> Iterator[Epoch]:
        experiment = self.experiment
        training = experiment.training(experiment.objective(workers))
        if self.start is not None:
            training.start = self.start.position
        return train_epochs(
            training,
            self.rules.epochs,
            validation=experiment.validation(workers),
            next_due=self._next_due,
            is_checked=self._is_line,
            seconds=self.seconds,
        )

    def _reason(self, epoch: Epoch, request: StopRequest) -> str | None:
        """What ends training at this epoch; that of a checkpoint has been seen before."""
        if self.start is not None and epoch.number == self.start.number:
            return reason_known(epoch, self.stopping, request)
        return reason_to_end(epoch, self.best, self.stopping, request)

    @property
    def _sizes(self) -> tuple[int, int]:
        return self.log.size, 0 if self.path is None else self.path.rows

    def _save_checkpoint(self, epoch: Epoch) -> None:
        """Save where training stands. No way leads on from a loss that is not finite."""
        assert self.before is not None, "all rules have seen the epoch"
        began, (log_bytes, rows) = clock(), self.before
        for file in (self.log, self.path):
            if file is not None:
                file.sync()  # a checkpoint counts on what was written before
        assert self.checkpoints is not None, "made with the session"
        self.checkpoints.save(
            Checkpoint(
                epoch.position,
                self.best.memory(),
                self.stopping.memory(),
                epoch.seconds,
                epoch.val_loss,
                Extent(log_bytes, self.log.digest(log_bytes)),
                NOTHING if self.path is None else Extent(rows, self.path.digest(rows)),
            )
        )
        self.pace.saved(epoch, began)

    def _next_due(self, number: int) -> int:
        """The next epoch that a rule, the log, a checkpoint or the callback is to see."""
        if self._sees_every_epoch:
            return number + 1
        next_line = number - number % self._log_every + self._log_every
        return min(next_line, self.callback.next_due(number), self.pace.next_due(number))

    @cached_property
    def _sees_every_epoch(self) -> bool:
        """True where something is sought among all epochs, or the path is kept."""
        keeps_path = self.experiment.spec.training.record_params
        return keeps_path or sees_every_epoch(self.experiment, self.rules)

    def _note(self, epoch: Epoch, is_last: bool) -> None:
        if epoch.number <= self.noted:
            return  # the last good epoch once more, after training diverged
        self.noted = epoch.number
        if self.path is not None:
            self.path.add(epoch.params)
        if is_last or self._is_line(epoch.number):
            is_scored = is_last or epoch.number % self._score_every == 0
            self.log.append(self._line(epoch, is_scored))
        self.callback.see(epoch, self.scores, is_last)

    def _line(self, epoch: Epoch, is_scored: bool) -> LogLine:
        """An epoch's line; scored, it has metrics beyond the losses, and units that fail."""
        dead, saturated = self.scores.units(epoch) if is_scored else UnitCounts([], [])
        return LogLine(
            epoch=epoch.number,
            loss=epoch.loss,
            grad_norm=epoch.grad_norm,
            grad_norms=[*epoch.grad_norms],
            diagnostics={**epoch.diagnostics},
            seconds=round(epoch.seconds, 6),
            metrics=self.scores.of(epoch) if is_scored else losses(epoch),
            dead_units=dead,
            saturated_units=saturated,
        )

    def _is_line(self, number: int) -> bool:
        """Whether an epoch has a line in the log; the last one has, too."""
        return number % self._log_every == 0

    @cached_property
    def _log_every(self) -> int:
        """Epochs between lines of the log."""
        training = self.experiment.spec.training
        if training.log_every != "auto":
            return training.log_every
        return max(1, -(-training.epochs // _MOST_LOG_LINES))

    @cached_property
    def _score_every(self) -> int:
        """Epochs between lines that have metrics too, which cost another forward pass."""
        training = self.experiment.spec.training
        if training.log_every != "auto":
            return training.log_every
        return self._log_every * max(1, training.epochs // (_SCORED_LINES * self._log_every))

    def save_end(self, failure: Exception | None) -> Outcome:
        """Save a checkpoint, weights and record; what cannot be saved is said in the record too."""
        try:
            failure = self._last_checkpoint(failure)
            self._save_results(failure)
        except RunError as error:
            with suppress(RunError):
                self.run.write_record(
                    replace(self.record, status="failed", stop_reason="failed", error=str(error))
                )
            raise self._with_way_on(error) from None
        return Outcome(self.run, self.record, failure and self._with_place(failure))

    def _last_checkpoint(self, failure: Exception | None) -> Exception | None:
        """Save where training ended, so that it can go on from there; what failed, or fails now."""
        if self.last is None or self.before is None or isinstance(failure, Diverged | WorkerLost):
            return failure
        if self.last.is_evaluated and not math.isfinite(self.last.loss):
            return failure
        self.last.release()  # saving takes memory too
        try:
            self._save_checkpoint(self.last)
        except RunError as error:
            if failure is None or isinstance(failure, Interrupted):
                self.reason = "failed"
                return error
        return failure

    def _save_results(self, failure: Exception | None) -> None:
        last = self.experiment.initial_params if self.last is None else self.last.params
        best = last if self.best.params is None else self.best.params
        self._let_weights_change()
        meta = weights_meta(self.experiment, self.best.number)
        content = array_bytes(weight_arrays(self.experiment, best, last), meta)
        self._write(WEIGHTS, content)
        digests = self.record.sha256 | {METRICS: self.log.digest()}
        if self.path is not None:
            self.path.finish()
            digests[PATH] = file_digest(self.run.path(PATH))
        self.record = replace(
            self.record,
            status="finished" if failure is None else _STATUS.get(self.reason, "failed"),
            stop_reason=self.reason,
            stop_message=self._stop_message(),
            diagnostics={} if self.last is None else {**self.last.diagnostics},
            epochs=0 if self.last is None else self.last.number,
            best_epoch=self.best.number,
            ended=now(),
            seconds=0.0 if self.last is None else round(self.last.seconds, 6),
            watching_seconds=round(self.watching_seconds, 6),
            stop=[criterion_record(rule) for rule in self.stopping.criteria],
            warning=self._warning(),
            metrics={} if self.is_abandoned else all_scores(self.experiment, best),
            baselines={} if self.is_abandoned else all_baselines(self.experiment),
            sha256=digests,
        )
        self.run.write_record(self.record)

    def _let_weights_change(self) -> None:
        """Take the digest of an earlier end's weights out of the record: they agree at any time."""
        digests = self.record.sha256
        if WEIGHTS in digests:
            kept = {file: digests[file] for file in digests if file != WEIGHTS}
            self.record = replace(self.record, sha256=kept)
            self.run.write_record(self.record)

    def _stop_message(self) -> str | None:
        """Why the optimizer went no further, if that is what ended training."""
        ended = None if self.last is None else self.last.ended
        return str(ended) if ended is not None and ended.reason == self.reason else None

    def _warning(self) -> str | None:
        """What looks wrong although training ended as asked."""
        trained = self.last is not None and self.last.number > 0
        if trained and self.best.number == 0:
            warning = "no epoch had a lower validation loss than the start"
            has_rate = self.experiment.spec.training.learning_rate is not None
            return warning + ": is `training.learning_rate` too large?" * has_rate
        return None

    def _with_place(self, failure: Exception) -> Exception:
        """The failure, with where the run was saved; one of ours alone can be told so."""
        saved = f"{failure} The run is saved as {self.run.run_id} ({self.record.epochs} epochs)."
        if isinstance(failure, Interrupted):
            resume = f"Go on with: bpnet train --resume {reference_to(self.run)}"
            return Interrupted(f"{saved}\n{resume}", failure.signal_number)
        if isinstance(failure, RunError):
            return self._with_way_on(failure)
        return type(failure)(saved) if isinstance(failure, Diverged | WorkerLost) else failure

    def _with_way_on(self, failure: RunError) -> RunError:
        """What could not be saved, with what to do once it can be."""
        resume = f"bpnet train --resume {reference_to(self.run)}"
        return RunError(f"{failure}\nOnce it can be, go on with: {resume}")
