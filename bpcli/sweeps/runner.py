"""Runs many trainings, each in a process of its own, and keeps their results."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from bpcli.nn.numerics import repeatable_numerics
from bpcli.sweeps.journal import Journal
from bpcli.sweeps.training import Key, Training, TrainingResult, result_of, run_training
from bpcli.system import Child, wait_for
from bpcli.workflows.interrupts import StopRequest

_SECONDS_BETWEEN_TICKS = 0.2


class Schedule(Protocol):
    """Says which training comes next; its decisions depend on results alone, not on times."""

    def next(self) -> Training | None:
        """The next training to begin; None if there is none, or results are needed first."""
        ...

    def update(self, result: TrainingResult) -> None:
        """Take the result of a training that `next` has given."""
        ...


class InOrder:
    """A schedule of given trainings, in their order."""

    def __init__(self, trainings: Iterable[Training]) -> None:
        self._trainings = deque(trainings)

    def add(self, trainings: Iterable[Training]) -> None:
        """Add trainings after those that there are."""
        self._trainings.extend(trainings)

    def next(self) -> Training | None:
        return self._trainings.popleft() if self._trainings else None

    def update(self, result: TrainingResult) -> None:
        """Nothing depends on it."""


class RunnerCallback(Protocol):
    """Is told of trainings as they begin and end."""

    def on_training_start(self, training: Training) -> None: ...

    def on_training_end(self, result: TrainingResult) -> None: ...

    def tick(self) -> None:
        """Called several times a second."""
        ...


@dataclass
class Runner:
    """Runs trainings in so many processes, each in a folder within `folder`.

    `known` are results of earlier processes: their trainings are not run again.
    """

    folder: Path
    journal: Journal
    processes: int
    request: StopRequest
    callback: RunnerCallback
    known: Mapping[Key, TrainingResult]
    _in_flight: dict[Child, Training] = field(default_factory=dict)

    def run(self, schedule: Schedule) -> None:
        """Run the trainings of a schedule.

        After a signal, no more begin, and those in flight are asked to save their runs. Raises
        `RunError` if the journal cannot be written.
        """
        is_stopping = False
        try:
            while True:
                self._begin(schedule)
                if not self._in_flight:
                    return
                wait_for([*self._in_flight], _SECONDS_BETWEEN_TICKS)
                if self.request.signal_number is not None and not is_stopping:
                    is_stopping = True
                    for child in self._in_flight:
                        child.stop()
                self._collect(schedule, is_stopping)
                self.callback.tick()
        finally:
            for child in self._in_flight:
                child.kill()

    def _begin(self, schedule: Schedule) -> None:
        """Begin trainings until all processes are busy, or none can begin now."""
        while len(self._in_flight) < self.processes and self.request.signal_number is None:
            training = schedule.next()
            if training is None:
                return
            if training.key in self.known:
                schedule.update(self.known[training.key])
                continue
            # Its config is not valid, or its process outlived the one that writes the journal.
            ended = result_of(training, self.folder, training.invalid)
            if ended is not None:
                self._keep(ended, schedule)
                continue
            self.callback.on_training_start(training)
            with repeatable_numerics():  # so that BLAS has one thread in the child
                child = Child(partial(run_training, training, self.folder))
            self._in_flight[child] = training

    def _collect(self, schedule: Schedule, is_stopping: bool) -> None:
        """Keep the results of the trainings that have ended."""
        for child in [each for each in self._in_flight if each.has_ended]:
            training = self._in_flight.pop(child)
            error = child.text()
            if error is None and not is_stopping:
                error = f"Its process {child.fate}."
            result = result_of(training, self.folder, error or "")
            if result is not None:
                self._keep(result, schedule)

    def _keep(self, result: TrainingResult, schedule: Schedule) -> None:
        self.journal.append(result)
        schedule.update(result)
        self.callback.on_training_end(result)
