"""Runs many trainings in parallel, and keeps their results.

Processes, not stacked matrices: for 20 networks of one shape, trained by gradient descent on the
full batch with matrices (20, units, inputs), an epoch was 15 times as fast as in two processes for
XOR (2-2-1, 4 rows), but took 1.4 times as long for 4-8-3 with 150 rows, and 3.7 times for 10-16-1
with 1,000; and every optimizer, stop rule and checkpoint would need a second form.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from bpcli.errors import RunError
from bpcli.runs.store import Run
from bpcli.sweeps.journal import Journal
from bpcli.sweeps.places import Place, Seat
from bpcli.sweeps.training import (
    Key,
    Training,
    TrainingResult,
    failed_result,
    require_own,
    result_of,
)
from bpcli.workflows.interrupts import StopRequest

_SECONDS_BETWEEN_TICKS = 0.2
_MOST_STOPS = 3


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
    """A callback for the begin and the end of trainings."""

    def on_training_start(self, training: Training) -> None: ...

    def on_training_end(self, result: TrainingResult) -> None: ...

    def on_stop(self, count: int) -> None:
        """Called when a signal has asked so many trainings to save their runs."""
        ...

    def tick(self) -> None:
        """Called several times a second."""
        ...


class Runner:
    """Runs trainings at a place, each in a folder within `folder`.

    `known` are results of earlier processes: their trainings are not run again. `data_files` are
    the digests of the data's files: trainings on others fail.
    """

    def __init__(
        self,
        folder: Path,
        journal: Journal,
        place: Place[Any],
        request: StopRequest,
        callback: RunnerCallback,
        known: Mapping[Key, TrainingResult],
        data_files: Mapping[str, str],
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._place = place
        self._request = request
        self._callback = callback
        self._known = known
        self._data_files = data_files
        self._again: list[Training] = []
        self._stopped: Counter[str] = Counter()
        self._busy: dict[Seat, Training] = {}

    def run(self, schedule: Schedule) -> None:
        """Run the trainings of a schedule.

        After a signal, no more begin, and those in flight are asked to save their runs. Raises
        `RunError` if the journal cannot be written, and what the place raises.
        """
        is_stopping = False
        try:
            while True:
                self._begin(schedule)
                if not self._busy:
                    return
                self._place.wait([*self._busy], _SECONDS_BETWEEN_TICKS)
                if self._request.signal_number is not None and not is_stopping:
                    is_stopping = True
                    for seat in self._busy:
                        seat.stop()
                    self._callback.on_stop(len(self._busy))
                self._collect(schedule, is_stopping)
                self._callback.tick()
        finally:
            for seat in self._busy:
                seat.close()
            self._place.close()

    def _begin(self, schedule: Schedule) -> None:
        """Begin trainings until the place is full, or none can begin now."""
        while len(self._busy) < self._place.slots and self._request.signal_number is None:
            training = self._again.pop() if self._again else schedule.next()
            if training is None:
                return
            if training.key in self._known:
                schedule.update(self._known[training.key])
                continue
            # Its config is not valid, or it is of a process that was killed.
            ended = self._known_result(training)
            if ended is not None:
                self._keep(ended, schedule)
                continue
            self._callback.on_training_start(training)
            self._busy[self._place.begin(training)] = training

    def _known_result(self, training: Training) -> TrainingResult | None:
        """The result that a training has before it is begun here."""
        try:
            require_own(Run(self._folder / training.name), training)
        except RunError as foreign:
            return failed_result(training, str(foreign))
        return self._result_of(training, training.invalid)

    def _collect(self, schedule: Schedule, is_stopping: bool) -> None:
        """Keep the results of the trainings that have ended."""
        for seat in [each for each in self._busy if each.has_answer]:
            error = seat.answer()
            training = self._busy.pop(seat)
            if error is None and not is_stopping:
                error = f"Its process {seat.fate}."
            result = self._result_of(training, error or "")
            if error is None or result is None:  # it has ended, or was asked to end
                seat.close()
            else:
                self._place.release(seat)
            if result is not None:
                self._keep(result, schedule)
            elif not is_stopping:  # a signal was sent to this process alone
                self._go_on_with(training, schedule)

    def _go_on_with(self, training: Training, schedule: Schedule) -> None:
        """Resume a training in another process; after some times, it has failed."""
        self._stopped[training.name] += 1
        if self._stopped[training.name] < _MOST_STOPS:
            self._again.append(training)
            return
        error = f"Its process was asked to end {_MOST_STOPS} times."
        self._keep(failed_result(training, error), schedule)

    def _result_of(self, training: Training, error: str) -> TrainingResult | None:
        return result_of(training, self._folder, error, self._data_files)

    def _keep(self, result: TrainingResult, schedule: Schedule) -> None:
        self._journal.append(result)
        schedule.update(result)
        self._callback.on_training_end(result)
