"""A schedule whose new settings are chosen from the results of earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from bpcli.sweeps.runner import Schedule
from bpcli.sweeps.training import Training, TrainingResult


class Growing(Schedule, Protocol):
    """A schedule to which trainings can be added."""

    def add(self, trainings: Iterable[Training]) -> None:
        """Add the trainings of settings with greater numbers."""
        ...


class InBatches:
    """A schedule that asks for more trainings when all it had have ended.

    `more` gets the latest results by the trainings' names, and returns no trainings if there are no
    more. No training of the next batch begins before the slowest of this one has ended, so that the
    next batch does not depend on times.
    """

    def __init__(
        self,
        schedule: Growing,
        more: Callable[[Mapping[str, TrainingResult]], Sequence[Training]],
    ) -> None:
        self._schedule, self._more = schedule, more
        self._results: dict[str, TrainingResult] = {}
        self._running = 0

    def next(self) -> Training | None:
        training = self._schedule.next()
        if training is None and not self._running:
            self._schedule.add(self._more(self._results))
            training = self._schedule.next()
        self._running += training is not None
        return training

    def update(self, result: TrainingResult) -> None:
        self._running -= 1
        self._results[result.name] = result
        self._schedule.update(result)
