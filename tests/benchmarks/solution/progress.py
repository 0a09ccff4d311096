"""The clock of a solver, and when it ends: at its target, out of budget, or without progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import process_time

from benchmarks.solution.problem import STALLED, STALLED_AFTER


@dataclass(frozen=True)
class Solution:
    """What a solver found: its lowest objective, its processor time, and what it evaluated.

    A gradient is one evaluation, with or without the objective; so is a Jacobian. `losses` are
    objectives alone.
    """

    objective: float
    seconds: float
    gradients: int = 0
    jacobians: int = 0
    losses: int = 0
    compile_seconds: float = 0.0


class Ended(Exception):
    """Raised inside a solver to end it: its own tolerances are switched off."""


@dataclass
class Progress:
    """Told each objective as it is known. Without a target, a solver also ends if it stalls."""

    target: float | None
    budget: float
    lowest: float = float("inf")
    began: float = field(default_factory=process_time)
    seconds: float = 0.0
    _first: float | None = None
    _mark: float = float("inf")
    _idle: int = 0

    def see(self, objective: float) -> None:
        """Raises `Ended`. Takes 0.5 µs, which counts."""
        self.lowest = min(self.lowest, objective)
        self.seconds = process_time() - self.began
        if self.seconds > self.budget:
            raise Ended
        if self.target is None:
            self._watch(objective)
        elif objective <= self.target:
            raise Ended

    def _watch(self, objective: float) -> None:
        if self._first is None:
            self._first = self._mark = objective
        elif objective < self._mark - STALLED * (self._first - self._mark):
            self._mark, self._idle = objective, 0
        else:
            self._idle += 1
            if self._idle > STALLED_AFTER:
                raise Ended
