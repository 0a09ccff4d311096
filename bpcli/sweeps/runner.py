"""Runs many trainings, each in a process of its own, and keeps their results."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Protocol

from bpcli.nn.numerics import repeatable_numerics
from bpcli.sweeps.journal import Journal
from bpcli.sweeps.training import Training, TrainingResult, result_of, run_training
from bpcli.system import Child, usable_cores, wait_for
from bpcli.workflows.interrupts import StopRequest

_SECONDS_BETWEEN_TICKS = 0.2


class Schedule(Protocol):
    """Says which training comes next; a decision depends on results alone, not on times."""

    def next(self) -> Training | None:
        """The next training to begin; None if there is none, or results are needed first."""
        ...

    def update(self, result: TrainingResult) -> None:
        """Take the result of a training that `next` has given."""
        ...


class InOrder:
    """A schedule of given trainings, in their order."""

    def __init__(self, trainings: Iterable[Training]) -> None:
        self._trainings = iter(trainings)

    def next(self) -> Training | None:
        return next(self._trainings, None)

    def update(self, result: TrainingResult) -> None:
        """Nothing depends on it."""


class SweepCallback(Protocol):
    """Shows many trainings."""

    def on_training_start(self, training: Training) -> None: ...

    def on_training_end(self, training: Training, result: TrainingResult) -> None: ...

    def tick(self) -> None:
        """Called several times a second."""
        ...


def run_all(
    schedule: Schedule,
    folder: Path,
    journal: Journal,
    processes: int | None,
    request: StopRequest,
    callback: SweepCallback,
) -> None:
    """Run the trainings of a schedule, each in a folder within `folder`.

    `processes` run at the same time, by default as many as there are cores.

    After a signal, no more begin, and those in flight are asked to save their runs. A training
    that an earlier process has finished, but not written in the journal, is not run again. Raises
    `RunError` if the journal cannot be written.
    """
    in_flight: dict[Child, Training] = {}
    is_stopping, most = False, processes or usable_cores()
    try:
        while True:
            _begin(schedule, folder, journal, most, request, callback, in_flight)
            if not in_flight:
                return
            wait_for([*in_flight], _SECONDS_BETWEEN_TICKS)
            if request.signal_number is not None and not is_stopping:
                is_stopping = True
                for child in in_flight:
                    child.stop()
            for child in [each for each in in_flight if each.has_ended]:
                training = in_flight.pop(child)
                result = _result(child, training, folder, is_stopping)
                if result is not None:
                    _keep(result, training, journal, schedule, callback)
            callback.tick()
    finally:
        for child in in_flight:
            child.kill()


def _begin(
    schedule: Schedule,
    folder: Path,
    journal: Journal,
    processes: int,
    request: StopRequest,
    callback: SweepCallback,
    in_flight: dict[Child, Training],
) -> None:
    """Begin trainings until all processes are busy, or none can begin now."""
    while len(in_flight) < processes and request.signal_number is None:
        training = schedule.next()
        if training is None:
            return
        done = result_of(training, folder)
        if done is not None:
            _keep(done, training, journal, schedule, callback)
            continue
        callback.on_training_start(training)
        with repeatable_numerics():  # a child keeps BLAS with one thread
            in_flight[Child(partial(run_training, training, folder))] = training


def _keep(
    result: TrainingResult,
    training: Training,
    journal: Journal,
    schedule: Schedule,
    callback: SweepCallback,
) -> None:
    journal.append(result)
    schedule.update(result)
    callback.on_training_end(training, result)


def _result(
    child: Child, training: Training, folder: Path, is_stopping: bool
) -> TrainingResult | None:
    error = child.text()
    if error is None and not is_stopping:
        error = f"Its process {child.fate}."
    return result_of(training, folder, error or "")
