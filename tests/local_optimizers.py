"""Optimizers of the tests' own, whose evaluations can be counted by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers import OPTIMIZERS, Optimizer, State, StepFailed
from bpcli.training.objective import Objective


@dataclass(frozen=True)
class Halving(Optimizer):
    """Down the gradient by half as much until the loss falls: a gradient and some losses a step."""

    needs_sum_of_squares: ClassVar[bool] = True

    tries: int = 30

    def init(self, params: Vector) -> State:
        return {}

    def step(
        self, objective: Objective, params: Vector, state: State, learning_rate: Array
    ) -> tuple[Vector, State]:
        here = objective.value_and_grad(params)
        for power in range(self.tries):
            trial = params - here.grad / 2**power
            if objective.value(trial).real < here.value:
                return trial, state
        raise StepFailed("line_search", f"{self.tries} lengths were tried.")


@dataclass(frozen=True)
class Looking(Optimizer):
    """Looks at the gradient where it arrives, which the next step then knows."""

    def init(self, params: Vector) -> State:
        return {}

    def step(
        self, objective: Objective, params: Vector, state: State, learning_rate: Array
    ) -> tuple[Vector, State]:
        params = params - 0.1 * objective.value_and_grad(params).grad
        objective.value_and_grad(params)
        return params, state


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the configs of a test these optimizers too."""
    monkeypatch.setitem(OPTIMIZERS.places, "halving", f"{__name__}:Halving")
    monkeypatch.setitem(OPTIMIZERS.places, "looking", f"{__name__}:Looking")
