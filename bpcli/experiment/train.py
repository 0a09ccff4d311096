"""Train a network from a config and save the run."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter as clock
from typing import Any, Protocol

import numpy as np

from bpcli.build import Experiment
from bpcli.data.prepare import PARTS
from bpcli.errors import Diverged, Interrupted, WorkerLost
from bpcli.experiment.interrupts import StopRequest, stop_requests
from bpcli.experiment.provenance import data_digest, file_digest, machine, usable_cores
from bpcli.experiment.record import criterion_record, describe, weight_arrays, weights_meta
from bpcli.experiment.scores import EpochScores, all_baselines, all_scores, losses
from bpcli.nn.arrays import Vector
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.files import save_arrays
from bpcli.runs.store import (
    CONFIG,
    PATH,
    RESOLVED,
    SPLIT,
    WEIGHTS,
    MetricsFile,
    Record,
    Run,
)
from bpcli.training.loop import Epoch, train_epochs
from bpcli.training.stopping import Best, Stopping, StopRules
from bpcli.training.workers import Crew, crew, useful_workers

_MOST_LOG_LINES = 1000
_SCORED_LINES = 50


class Watcher(Protocol):
    """Whoever looks on: told of every record, it decides itself what to show and when."""

    def start(self, record: Record) -> None: ...

    def next_due(self, number: int) -> int:
        """The next epoch, after this one, that it wants to be told of whatever the clock says."""
        ...

    def see(self, epoch: Epoch, scores: EpochScores, is_last: bool) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """How training ended: the run, its record, and what cut training short, if anything did."""

    run: Run
    record: Record
    failure: Exception | None


def train(
    experiment: Experiment, runs_dir: Path, watcher: Watcher, group: str | None = None
) -> Outcome:
    """Train, keep the metrics of the epochs that are due, and save the run in a new folder.

    `group` is the id of the first of several runs, folds of the same data, that belong together.

    Divergence, an interrupt or any other failure in training is returned, after what there is was
    saved. Raises `RunError` where the run cannot be saved; a run that has not begun leaves nothing.
    """
    with ExitStack() as stack:
        request = stack.enter_context(stop_requests())
        stack.enter_context(repeatable_numerics())
        workers = workers_for(experiment)
        with crew(workers) as who:
            run = Run.claim(runs_dir, experiment.spec.name)
            session = _begin(experiment, run, watcher, workers, group or run.run_id)
            stack.callback(session.log.close)
            failure = session.follow(who, request)
        return session.save_end(failure)


def _begin(
    experiment: Experiment, run: Run, watcher: Watcher, workers: int, group: str
) -> _Session:
    try:
        session = _Session(experiment, run, watcher, workers, group)
        session.save_start()
    except BaseException:
        run.discard()
        raise
    return session


def workers_for(experiment: Experiment) -> int:
    """How many workers share the training: as many as the config asks for, or are of use."""
    asked, tasks = experiment.spec.training.workers, experiment.tasks
    if asked == "auto":
        return useful_workers(tasks, experiment.network.n_params, usable_cores())
    return min(tasks, asked)


def stop_rules(experiment: Experiment) -> StopRules:
    """The rules that the config asks for."""
    training = experiment.spec.training
    return StopRules(epochs=training.epochs, **training.stop.model_dump())


def reason_to_end(epoch: Epoch, best: Best, stopping: Stopping, request: StopRequest) -> str | None:
    """What ends training at this epoch, which may be the best: a rule, the optimizer, a signal."""
    best.see(epoch)
    reason = stopping.see(epoch)
    if request.signal_number is not None:
        return "interrupted"
    if reason is None and epoch.ended is not None:
        return epoch.ended.reason
    return reason


def sees_every_epoch(experiment: Experiment, rules: StopRules) -> bool:
    """Whether a best epoch is sought, or a rule looks at figures that change with every epoch."""
    return bool(len(experiment.parts["val"])) or rules.need_every_epoch


@dataclass
class _Session:
    """Everything that one training keeps track of."""

    experiment: Experiment
    run: Run
    watcher: Watcher
    workers: int
    group: str
    best: Best = field(default_factory=Best)
    last: Epoch | None = None
    reason: str = "interrupted"
    watching_seconds: float = 0.0
    noted: int = -1
    path: list[Vector] = field(default_factory=list)
    record: Record = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scores = EpochScores(self.experiment)
        self.rules = stop_rules(self.experiment)
        self.stopping = Stopping(self.rules, self.best)

    def save_start(self) -> None:
        """Write what is known before the first epoch."""
        config = self.experiment.config
        self.run.write(CONFIG, config.source.content)
        self.run.write(RESOLVED, config.resolved())
        self.run.write(SPLIT, self._split_bytes())
        self.record = {
            "run_id": self.run.run_id,
            "status": "running",
            "started": _now(),
            **describe(self.experiment),
            **self._fold(),
            "workers": self.workers,
            "shards": len(self.experiment.plan.shards),
            "block": self.experiment.plan.block,
            "argv": [argument.encode("utf-8", "replace").decode() for argument in sys.argv[1:]],
            "data_sha256": data_digest(self.experiment.table),
            **machine(),
        }
        self.run.write_record(self.record)
        self.log = MetricsFile(self.run)
        self.watcher.start(self.record)

    def _fold(self) -> Record:
        """Which fold of how many the run is; nothing where there are no folds."""
        split = self.experiment.spec.data.split
        if split.folds is None:
            return {}
        return {"fold": {"number": split.fold or 1, "of": split.folds, "group": self.group}}

    def _split_bytes(self) -> bytes:
        buffer = io.BytesIO()
        indices: dict[str, Any] = {name: self.experiment.parts[name].index for name in PARTS}
        np.savez(buffer, **indices)
        return buffer.getvalue()

    def follow(self, workers: Crew, request: StopRequest) -> Exception | None:
        """Go through the epochs until a rule, a signal or a failure ends them.

        Returns the failure, so that what there is can be saved before it is raised.
        """
        try:
            for epoch in self._epochs(workers):
                began = clock()
                self.last = epoch
                reason = reason_to_end(epoch, self.best, self.stopping, request)
                self._note(epoch, is_last=reason is not None)
                if reason is not None:
                    self.reason = reason
                    break
                self.watching_seconds += clock() - began
        except Exception as failure:
            self.reason = "diverged" if isinstance(failure, Diverged) else "failed"
            return failure
        if self.reason == "interrupted" and request.signal_number is not None:
            return Interrupted("Training was interrupted.", request.signal_number)
        return None

    def _epochs(self, workers: Crew) -> Iterator[Epoch]:
        experiment = self.experiment
        return train_epochs(
            experiment.training(experiment.objective(workers)),
            self.rules.epochs,
            validation=experiment.validation(workers),
            next_due=self._next_due,
            is_checked=self._is_line,
        )

    def _next_due(self, number: int) -> int:
        """The next epoch that a rule, the log or the watcher is to see."""
        if self._sees_every_epoch:
            return number + 1
        next_line = number - number % self._log_every + self._log_every
        return min(next_line, self.watcher.next_due(number))

    @cached_property
    def _sees_every_epoch(self) -> bool:
        """True where something is sought among all epochs, or the path is kept."""
        keeps_path = self.experiment.spec.training.record_params
        return keeps_path or sees_every_epoch(self.experiment, self.rules)

    def _note(self, epoch: Epoch, is_last: bool) -> None:
        if epoch.number <= self.noted:
            return  # the last good epoch once more, after training diverged
        self.noted = epoch.number
        if self.experiment.spec.training.record_params:
            self.path.append(epoch.params)
        if is_last or self._is_line(epoch.number):
            is_scored = is_last or epoch.number % self._score_every == 0
            self.log.append(
                {
                    "epoch": epoch.number,
                    "loss": epoch.loss,
                    "grad_norm": epoch.grad_norm,
                    "grad_norms": epoch.grad_norms,
                    **epoch.figures,
                    "seconds": round(epoch.seconds, 6),
                    **(self._scored(epoch) if is_scored else losses(epoch)),
                }
            )
        self.watcher.see(epoch, self.scores, is_last)

    def _scored(self, epoch: Epoch) -> Record:
        """What a line has beyond the losses that cost nothing: metrics, and units that fail."""
        dead, saturated = self.scores.units(epoch)
        return self.scores.of(epoch) | {"dead_units": dead, "saturated_units": saturated}

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
        """Save weights and record."""
        last = self.experiment.initial_params if self.last is None else self.last.params
        best = last if self.best.params is None else self.best.params
        meta = weights_meta(self.experiment, self.best.number)
        save_arrays(self.run.path(WEIGHTS), weight_arrays(self.experiment, best, last), meta)
        if self.path:
            buffer = io.BytesIO()
            np.save(buffer, np.array(self.path))
            self.run.write(PATH, buffer.getbuffer())
        self.record |= {
            "status": "finished" if failure is None else self.reason,
            "stop_reason": self.reason,
            "stop_message": self._stop_message(),
            "figures": {} if self.last is None else self.last.figures,
            "epochs": 0 if self.last is None else self.last.number,
            "best_epoch": self.best.number,
            "ended": _now(),
            "seconds": 0.0 if self.last is None else round(self.last.seconds, 6),
            "watching_seconds": round(self.watching_seconds, 6),
            "stop": [criterion_record(rule) for rule in self.stopping.criteria],
            "warning": self._warning(),
            "metrics": all_scores(self.experiment, best),
            "baselines": all_baselines(self.experiment),
            "weights_sha256": file_digest(self.run.path(WEIGHTS)),
        }
        self.run.write_record(self.record)
        return Outcome(self.run, self.record, failure and self._with_place(failure))

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
        saved = f"{failure} The run is saved as {self.run.run_id} ({self.record['epochs']} epochs)."
        if isinstance(failure, Interrupted):
            return Interrupted(saved, failure.signal_number)
        return type(failure)(saved) if isinstance(failure, Diverged | WorkerLost) else failure


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
