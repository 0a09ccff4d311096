"""An optimizer with a meter: the evaluations of the objective and the time of its steps.

Only comparisons of optimizers use it, so an ordinary training pays nothing for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter as clock

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.optimizers import Optimizer, State, StepFailed
from bpcli.optimizers.base import Evaluation, GaussNewton, Losses, Objective, Point


@dataclass
class Counts:
    """Rows that went through the network, for gradients and for losses alone."""

    gradient_rows: int = 0
    loss_rows: int = 0


class CountedObjective:
    """An objective that counts the rows of its evaluations.

    A gradient, with or without its value, counts its rows once. So do a Gauss-Newton matrix with
    its gradient, and its product with a vector. The value alone is counted separately.
    """

    def __init__(self, objective: Objective, counts: Counts) -> None:
        self._objective = objective
        self._counts = counts

    @property
    def network(self) -> Network:
        return self._objective.network

    @property
    def n_rows(self) -> int:
        return self._objective.n_rows

    def value(self, params: Vector) -> complex | float:
        self._counts.loss_rows += self.n_rows
        return self._objective.value(params)

    def losses(self, params: Vector) -> Losses:
        self._counts.loss_rows += self.n_rows
        return self._objective.losses(params)

    def grad(self, params: Vector) -> Vector:
        self._counts.gradient_rows += self.n_rows
        return self._objective.grad(params)

    def value_and_grad(self, params: Vector) -> Evaluation:
        self._counts.gradient_rows += self.n_rows
        return self._objective.value_and_grad(params)

    def gauss_newton(self, params: Vector) -> GaussNewton:
        self._counts.gradient_rows += self.n_rows
        return self._objective.gauss_newton(params)

    @property
    def gauss_newton_scale(self) -> float:
        return self._objective.gauss_newton_scale

    def gauss_newton_product(self, params: Vector, direction: Vector) -> Vector:
        self._counts.gradient_rows += self.n_rows
        return self._objective.gauss_newton_product(params, direction)


_METER = "meter"
METERED = ("gradient_evaluations", "loss_evaluations", "seconds")
"""The diagnostics of a metered optimizer."""


class Metered(Optimizer):
    """Another optimizer's steps, with their total cost in the state.

    The meter has the rows of gradients, the rows of losses, and seconds. It is part of the state,
    so a training that goes back to an earlier epoch also gets its meter back. `diagnostics` gives
    evaluations over all training rows: the mini-batches of an epoch together are one evaluation.

    Evaluations for a log or a stop rule do not make a step cheaper: the optimizer gets
    the values of its point only if its own last step computed them (the meter's fourth number).
    """

    def __init__(self, optimizer: Optimizer, training_rows: int) -> None:
        self._optimizer = optimizer
        self._training_rows = training_rows

    def init(self, params: Vector) -> State:
        return {**self._optimizer.init(params), _METER: np.zeros(4)}

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        own, meter = {**state}, state[_METER]
        del own[_METER]
        counts = Counts()
        counted = CountedObjective(objective, counts)
        known = _as_far_as_known(point, int(meter[3]))
        began = clock()
        try:
            end, after = self._optimizer.step(counted, known, own, learning_rate)
        except StepFailed:
            # A failed step has no new state, so its cost is added to the old one.
            meter[:3] += (counts.gradient_rows, counts.loss_rows, clock() - began)
            raise
        known_there = (end.known is not None) + (end.evaluation is not None)
        spent = np.array([counts.gradient_rows, counts.loss_rows, clock() - began, known_there])
        spent[:3] += meter[:3]
        return end, {**after, _METER: spent}

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        gradient_rows, loss_rows, seconds, _ = state[_METER].tolist()
        count = self._training_rows
        return dict(zip(METERED, (gradient_rows / count, loss_rows / count, seconds), strict=True))


def _as_far_as_known(point: Point, step_knew: int) -> Point:
    """The point with nothing (0), the losses (1) or the gradient too (2), as its step had them."""
    if step_knew == 1 and point.known is not None:
        return Point(point.params, losses=Losses(point.known.value, point.known.mean_loss))
    return point if step_knew else Point(point.params)
