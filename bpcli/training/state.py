"""The state of a training: all that it needs to continue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from bpcli.nn.arrays import Vector
from bpcli.optimizers.base import Point, State, StepFailed
from bpcli.training.objective import NetworkObjective

NO_STATE: State = {}
"""The state of a learning rate that has none; never changed in place, as any state."""


class TrainState(NamedTuple):
    """The state of training after `number` epochs: all that it needs to continue.

    `rate_state` is that of a learning rate that depends on the losses so far.
    """

    number: int
    point: Point
    optimizer_state: State
    random_state: Mapping[str, Any]
    ended: StepFailed | None = None
    rate_state: State = NO_STATE

    @property
    def params(self) -> Vector:
        return self.point.params

    def evaluated(self, objective: NetworkObjective) -> TrainState:
        """The same state with the objective's value computed, if it is not known yet.

        The gradient is computed with it, as most optimizers use it in the next step.
        """
        if self.point.known is not None:
            return self
        return self.with_gradient(objective)

    def with_gradient(self, objective: NetworkObjective) -> TrainState:
        """The same state with the objective's value and gradient computed."""
        if self.point.evaluation is not None:
            return self
        return self._replace(point=Point(self.params, self.point.evaluate(objective)))

    @property
    def has_finite_loss(self) -> bool:
        """Whether the objective is finite; the state must have been evaluated."""
        assert self.point.known is not None, "only for an evaluated state"
        return math.isfinite(self.point.known.value)

    def without_evaluation(self) -> TrainState:
        """The same state without the objective's value and gradient, to save memory."""
        return self._replace(point=Point(self.params))
