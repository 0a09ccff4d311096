"""Successive halving: weak settings are stopped at fixed epochs, in the order of their numbers."""

from __future__ import annotations

import math
from bisect import bisect
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from heapq import heappop, heappush
from itertools import groupby

from bpcli.sweeps.ranking import Criterion
from bpcli.sweeps.training import Training, TrainingResult

FACTOR = 3
"""One of so many settings goes on at each rung."""
_MOST_RUNGS = 4


def rungs(epochs: int) -> list[int]:
    """The epochs at which settings are compared, and the last one: E/27, E/9, E/3, E."""
    epochs_of = {math.ceil(epochs / FACTOR**power) for power in range(_MOST_RUNGS)}
    return sorted(each for each in epochs_of if each > 0) or [epochs]


class Halving:
    """A schedule that pauses the trainings of every setting at each rung.

    A setting continues after a rung if it is one of the best third of the settings with lower or
    equal numbers that reached that rung. So a decision needs no later setting, and more settings
    change none: the result does not depend on the number of processes, nor on how often the sweep
    was extended. This is the rule of asynchronous successive halving (Li et al. 2020, MLSys, "A
    System for Massively Parallel Hyperparameter Tuning"), with the order of numbers for that of
    time.
    """

    def __init__(self, trainings: Iterable[Training], criterion: Criterion) -> None:
        self._criterion = criterion
        self._groups: dict[int, list[Training]] = {}
        self._rungs: dict[int, list[int]] = {}
        self._results: dict[tuple[str, int], TrainingResult] = {}
        self._decisions: dict[tuple[int, int], bool] = {}
        self._to_decide: list[deque[int]] = [deque() for _ in range(_MOST_RUNGS)]
        self._costs: list[list[tuple[float, int]]] = [[] for _ in range(_MOST_RUNGS)]
        self._ready: list[tuple[int, int, int]] = []
        self.add(trainings)

    def add(self, trainings: Iterable[Training]) -> None:
        """Add the trainings of settings with greater numbers."""
        for number, group in groupby(trainings, lambda each: each.setting):
            self._groups[number] = [*group]
            epochs = self._groups[number][0].config.spec.training.epochs
            self._rungs[number] = rungs(epochs)
            for waiting in self._to_decide:
                waiting.append(number)
            self._make_ready(number, 0)

    def _make_ready(self, number: int, rung: int) -> None:
        """Let the trainings of a setting begin, up to a rung."""
        for index in range(len(self._groups[number])):
            heappush(self._ready, (number, rung, index))

    def next(self) -> Training | None:
        while self._ready:
            number, rung, index = heappop(self._ready)
            training, epochs = self._groups[number][index], self._rungs[number]
            if (training.name, rung) not in self._results:  # else, it ended before an earlier rung
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
        for each in range(_MOST_RUNGS):
            self._decide(each)

    def _decide(self, rung: int) -> None:
        """Decide which settings go on from a rung, in the order of their numbers, as far as known.

        Where the number of epochs differs between settings, some have fewer rungs.
        """
        waiting, costs = self._to_decide[rung], self._costs[rung]
        while waiting:
            number = waiting[0]
            reaches = rung == 0 or self._decisions.get((number, rung - 1))
            cost = self._cost(number, rung) if reaches else math.inf
            if reaches is None or cost is None:
                return
            waiting.popleft()
            is_last = rung >= len(self._rungs[number]) - 1
            self._decisions[number, rung] = False
            if not reaches or rung >= len(self._rungs[number]):
                continue
            rank = bisect(costs, (cost, number))
            costs.insert(rank, (cost, number))
            if not is_last and rank < math.ceil(len(costs) / FACTOR):
                self._decisions[number, rung] = True
                self._make_ready(number, rung + 1)

    def _cost(self, number: int, rung: int) -> float | None:
        """The mean of a setting at a rung, smaller is better; None if a result is missing."""
        results = [self._results.get((each.name, rung)) for each in self._groups[number]]
        known = [result for result in results if result is not None]
        if len(known) < len(results):
            return None
        costs = [self._criterion.cost_of(result) for result in known]
        finite = [cost for cost in costs if math.isfinite(cost)]
        return sum(finite) / len(finite) if finite else math.inf
