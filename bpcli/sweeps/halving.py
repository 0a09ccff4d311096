"""Successive halving: weak settings are stopped at fixed epochs, in the order of their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from bpcli.sweeps.ranking import Criterion
from bpcli.sweeps.training import Training, TrainingResult

FACTOR = 3
"""One of so many settings goes on at each rung."""
_MOST_RUNGS = 4


def rungs(epochs: int) -> list[int]:
    """The epochs at which settings are compared, and the last one: E/27, E/9, E/3, E."""
    epochs_of = {math.ceil(epochs / FACTOR**power) for power in range(_MOST_RUNGS)}
    return sorted(each for each in epochs_of if each > 0)


class Halving:
    """A schedule that pauses the trainings of every setting at each rung.

    A setting goes on from a rung if it is among the best third of the settings with lower or equal
    numbers that reached that rung. So a decision needs no later setting, and more settings change
    none: the result does not depend on the number of processes, nor on how often the sweep was
    extended. This is the rule of asynchronous successive halving (Li et al. 2020, MLSys, "A System
    for Massively Parallel Hyperparameter Tuning"), with the order of numbers for that of time.
    """

    def __init__(self, trainings: Iterable[Training], criterion: Criterion) -> None:
        self._criterion = criterion
        self._groups: dict[int, list[Training]] = {}
        self._rungs: dict[int, list[int]] = {}
        self.add(trainings)
        self._given: set[tuple[str, int]] = set()
        self._results: dict[tuple[str, int], TrainingResult] = {}
        self._decisions: dict[tuple[int, int], bool] = {}

    def add(self, trainings: Iterable[Training]) -> None:
        """Add the trainings of settings with greater numbers."""
        for number, group in groupby(trainings, lambda each: each.setting):
            self._groups[number] = [*group]
            epochs = self._groups[number][0].config.spec.training.epochs
            self._rungs[number] = rungs(epochs)

    def next(self) -> Training | None:
        for number, group in self._groups.items():
            rung = self._rung(number)
            if rung is None:
                continue
            for training in group:
                at = training.name, rung
                if at not in self._given and at not in self._results:
                    self._given.add(at)
                    epochs = self._rungs[number]
                    is_last = rung == len(epochs) - 1
                    return replace(training, until=None if is_last else epochs[rung])
        return None

    def update(self, result: TrainingResult) -> None:
        """Take a result; that of a training that has ended is its result at later rungs too."""
        epochs = self._rungs[result.setting]
        rung = len(epochs) - 1 if result.until is None else epochs.index(result.until)
        is_paused = result.status == "paused"
        for each in (rung,) if is_paused else range(rung, len(epochs)):
            self._results[result.name, each] = result

    def _rung(self, number: int) -> int | None:
        """The rung that a setting trains up to now; None if it waits, has stopped or has ended."""
        for rung in range(len(self._rungs[number])):
            if self._cost(number, rung) is None:
                return rung
            if rung == len(self._rungs[number]) - 1 or not self._goes_on(number, rung):
                return None
        return None

    def _goes_on(self, number: int, rung: int) -> bool | None:
        """Whether a setting goes on from a rung; None if that is not known yet."""
        if (number, rung) not in self._decisions:
            decision = self._decided(number, rung)
            if decision is None:
                return None
            self._decisions[number, rung] = decision
        return self._decisions[number, rung]

    def _decided(self, number: int, rung: int) -> bool | None:
        costs = []
        for other in self._groups:
            if other > number:
                break
            reaches = self._reaches(other, rung)
            if reaches is None:
                return None
            if reaches:
                cost = self._cost(other, rung)
                if cost is None:
                    return None
                costs.append((cost, other))
        return (self._cost(number, rung), number) in sorted(costs)[: math.ceil(len(costs) / FACTOR)]

    def _reaches(self, number: int, rung: int) -> bool | None:
        """Whether a setting trains up to a rung; None if that is not known yet.

        Where the number of epochs differs between settings, some have fewer rungs.
        """
        if rung >= len(self._rungs[number]):
            return False
        for earlier in range(rung):
            goes_on = self._goes_on(number, earlier)
            if not goes_on:
                return goes_on
        return True

    def _cost(self, number: int, rung: int) -> float | None:
        """The mean of a setting at a rung, smaller is better; None if a result is missing."""
        results = [self._results.get((each.name, rung)) for each in self._groups[number]]
        known = [result for result in results if result is not None]
        if len(known) < len(results):
            return None
        costs = [self._criterion.cost_of(result) for result in known]
        finite = [cost for cost in costs if math.isfinite(cost)]
        return sum(finite) / len(finite) if finite else math.inf
