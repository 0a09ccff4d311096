"""Optimizers of the tests' own, whose evaluations can be counted by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers import OPTIMIZERS, Optimizer, State, StepFailed
from bpcli.optimizers.base import Objective, Point


@dataclass(frozen=True)
class Halving(Optimizer):
    """Down the gradient by half as much until the loss falls: a gradient and some losses a step."""

    needs_sum_of_squares: ClassVar[bool] = True

    tries: int = 30

    def init(self, params: Vector) -> State:
        return {}

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        params, start = point.params, point.evaluate(objective)
        for power in range(self.tries):
            trial = params - start.grad / 2**power
            if objective.value(trial).real < start.value:
                return Point(trial), state
        raise StepFailed("line_search", f"{self.tries} lengths were tried.")


@dataclass(frozen=True)
class Looking(Optimizer):
    """Looks at the gradient where it arrives, which the next step then knows."""

    def init(self, params: Vector) -> State:
        return {}

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        params = point.params - 0.1 * point.evaluate(objective).grad
        return Point(params, objective.value_and_grad(params)), state


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the configs of a test these optimizers too."""
    monkeypatch.setitem(OPTIMIZERS.paths, "halving", f"{__name__}:Halving")
    monkeypatch.setitem(OPTIMIZERS.paths, "looking", f"{__name__}:Looking")
