"""An optimizer with a meter: how many evaluations of the objective its steps take, and how long.

Only a comparison of optimizers uses it: a training that is not compared pays nothing for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter as clock

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers import Optimizer, State, StepFailed
from bpcli.training.objective import Evaluation, GaussNewton, Objective


@dataclass
class Counts:
    """Rows that went through the network, for gradients and for losses alone."""

    gradient_rows: int = 0
    loss_rows: int = 0


class CountedObjective(Objective):
    """An objective that counts what it computes.

    A gradient, with or without its value, counts its rows once. So does a Gauss-Newton matrix, with
    its gradient or, where that is remembered, without; and so does a product with the Hessian, a
    gradient at complex parameters. The value alone is counted apart.

    An answer that is remembered counts nothing. Who else looks at the objective does not count
    either: the memory is not shared with the objective that this one is made of, so that whatever
    is asked there, for a log or a stop rule, makes no step cheaper.
    """

    def __init__(self, objective: Objective, counts: Counts) -> None:
        vars(self).update(vars(objective))  # the same rows, sums and pool
        self._latest = None
        self._counts = counts

    def value(self, params: Vector) -> complex | float:
        self._counts.loss_rows += self._rows_to_visit(params)
        return super().value(params)

    def mean_loss(self, params: Vector) -> float:
        self._counts.loss_rows += self._rows_to_visit(params)
        return super().mean_loss(params)

    def grad(self, params: Vector) -> Vector:
        self._counts.gradient_rows += self._rows_to_visit(params)
        return super().grad(params)

    def value_and_grad(self, params: Vector) -> Evaluation:
        self._counts.gradient_rows += self._rows_to_visit(params)
        return super().value_and_grad(params)

    def gauss_newton(self, params: Vector) -> GaussNewton:
        self._counts.gradient_rows += self.n_rows - self._rows_to_visit(params)
        return super().gauss_newton(params)  # which counts its gradient where it is not remembered

    def _rows_to_visit(self, params: Vector) -> int:
        is_known = self._latest is not None and self._latest[0] is params
        return 0 if is_known else self.n_rows


_METER = "meter"
METERED = ("gradient_evaluations", "loss_evaluations", "seconds")
"""The figures of a metered optimizer."""


class Metered(Optimizer):
    """Another optimizer's steps, with what they took so far in the state.

    The meter holds rows visited for gradients, rows visited for losses, and seconds. As part of
    the state it belongs to an epoch: training that goes back to one goes back with the meter too.
    `diagnostics` gives evaluations, each over all training rows, so that the mini-batches of one
    epoch of every row are one evaluation together.
    """

    def __init__(self, optimizer: Optimizer, training_rows: int) -> None:
        self._optimizer = optimizer
        self._training_rows = training_rows
        self._counts = Counts()
        self._counted: tuple[Objective, CountedObjective] | None = None

    def init(self, params: Vector) -> State:
        return {**self._optimizer.init(params), _METER: np.zeros(3)}

    def step(
        self, objective: Objective, params: Vector, state: State, learning_rate: Array
    ) -> tuple[Vector, State]:
        own, meter = {**state}, state[_METER]
        del own[_METER]
        counted = self._counted_like(objective)
        counts = self._counts
        counts.gradient_rows = counts.loss_rows = 0
        began = clock()
        try:
            params, after = self._optimizer.step(counted, params, own, learning_rate)
        except StepFailed:
            # The search that found nothing leads to no new state: what it took joins the old one.
            meter += (counts.gradient_rows, counts.loss_rows, clock() - began)
            raise
        spent = (counts.gradient_rows, counts.loss_rows, clock() - began)
        return params, {**after, _METER: meter + spent}

    def _counted_like(self, objective: Objective) -> CountedObjective:
        """The objective with counts; as long as it is the same, what it remembers stays."""
        if self._counted is None or self._counted[0] is not objective:
            self._counted = (objective, CountedObjective(objective, self._counts))
        return self._counted[1]

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        gradient_rows, loss_rows, seconds = state[_METER].tolist()
        count = self._training_rows
        return dict(zip(METERED, (gradient_rows / count, loss_rows / count, seconds), strict=True))
