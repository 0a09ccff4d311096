"""The verbs that every optimizer has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bpcli.nn.arrays import Array, Vector
from bpcli.training.objective import Objective

State: TypeAlias = dict[str, Array]
"""What an optimizer carries from step to step, by name; a number is an array of shape ()."""


@dataclass(frozen=True)
class Optimizer:
    """Lowers an objective step by step."""

    def init(self, params: Vector) -> State:
        """The state before the first step."""
        raise NotImplementedError

    def step(
        self, objective: Objective, params: Vector, state: State, learning_rate: Array
    ) -> tuple[Vector, State]:
        """One update: new parameters and new state; the old ones are left as they are.

        The learning rate is an array of shape () in the dtype of the parameters.
        """
        raise NotImplementedError
