"""Gradient descent with a learning rate that grows while the loss falls, and else shrinks.

    v ← μ v - η ∂objective/∂params          trial = params + v

    objective(trial) < objective(params)        params ← trial,   η ← increase · η
    objective(trial) > r · objective(params)    v ← 0,            η ← decrease · η
    else                                        params ← trial

with r = `max_loss_increase`: a step that raises the loss by a larger factor is rejected, and the
next one starts without momentum. A step to a loss that is not finite is rejected too. Vogl et al.
1988, Biological Cybernetics 59, 257; Battiti 1989, Complex Systems 3, 331 ("bold driver"). MATLAB's
traingda and traingdx have the same factors. With these, the rate stays the same while the loss
rises by less than 4 % per step; `max_loss_increase: 1` never lets the loss rise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Lt, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import (
    POSITIVE,
    Bounds,
    Objective,
    Optimizer,
    Point,
    State,
    StepFailed,
    square_of_gradient,
)


@dataclass(frozen=True)
class AdaptiveGradientDescent(Optimizer):
    """Gradient descent with an adaptive learning rate; `learning_rate` is its initial value.

    The state has `rate`, the current learning rate divided by the initial one.
    """

    formulas = (
        "v ← μ v - η ∂objective/∂params",
        "params ← params + v if objective(params + v) ≤ max_loss_increase · objective(params)",
    )
    notation = (
        "The learning rate η rises after a step that lowers the objective and falls after one "
        "that is rejected."
    )

    default_learning_rate: ClassVar[float | None] = 0.3
    changes_its_rate: ClassVar[bool] = True

    momentum: Annotated[float, Ge(0), Lt(1), doc("Momentum coefficient.")] = 0.9
    increase: Annotated[float, Ge(1), doc("Factor on the rate after the loss fell.")] = 1.05
    decrease: Annotated[
        float, Gt(0), Lt(1), doc("Factor on the rate after a step was rejected.")
    ] = 0.7
    max_loss_increase: Annotated[
        float, Ge(1), doc("A step that multiplies the loss by more than this is rejected.")
    ] = 1.04

    def init(self, params: Vector) -> State:
        velocity = {"velocity": np.zeros_like(params)} if self.momentum else {}
        return {"rate": np.asarray(1.0), **velocity}

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {"rate": POSITIVE}

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        start = point.evaluate(objective)
        loss, grad = start.value, start.grad
        velocity = grad * (-float(state["rate"]) * learning_rate)
        if self.momentum:
            velocity += self.momentum * state["velocity"]
        params = point.params + velocity
        # With its gradient, since most steps are accepted and the next step needs it.
        trial = Point(params, objective.value_and_grad(params))
        trial_loss = trial.evaluate(objective).value
        if trial_loss < loss:
            return trial, self._state(state, self.increase, velocity)
        if np.array_equal(params, point.params):
            if not grad.any():
                square_of_gradient(grad)  # raises: that is the reason
            raise StepFailed("no_progress", "The next step is too short to change any parameter.")
        if trial_loss <= self.max_loss_increase * loss:
            return trial, self._state(state, 1.0, velocity)
        return Point(point.params, start), self._state(state, self.decrease, np.zeros_like(params))

    def _state(self, state: State, factor: float, velocity: Vector) -> State:
        """Return the state after a step: the rate times a factor."""
        rate = np.asarray(factor * state["rate"])
        return {"rate": rate, "velocity": velocity} if self.momentum else {"rate": rate}

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        assert learning_rate is not None, "the config always sets it"
        return {"learning_rate": float(state["rate"]) * learning_rate}
