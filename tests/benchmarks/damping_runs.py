"""One fit by one optimizer: what the objective was after how much work."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from bpcli.optimizers import Optimizer, StepFailed
from bpcli.optimizers.base import Evaluation, GaussNewton, Losses, Objective, Point

VALUE_COST = 0.6
"""The cost of a forward pass, where a gradient costs 1."""

_SETTLED = 1e-10
_PATIENCE = 25


@dataclass
class Trace:
    """Each time the objective fell: its value, and the work until then.

    `costs` are in gradients, `seconds` of the processor. `trials` are the objective's values, the
    first of them at the start; `steps` are those that were accepted.
    """

    values: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    steps: int = 0
    trials: int = 0
    reason: str = "steps"


class Meter:
    """An objective that counts what it computes. `jacobian` is the cost of a matrix JᵀJ."""

    def __init__(self, objective: Objective, jacobian: float) -> None:
        self.objective = objective
        self.trace = Trace()
        self.cost = 0.0
        self._jacobian = jacobian
        self._begin = time.process_time()

    @property
    def network(self) -> object:
        return self.objective.network

    @property
    def n_rows(self) -> int:
        return self.objective.n_rows

    def value(self, params: np.ndarray) -> float:
        self.cost += VALUE_COST
        return self._note(self.objective.value(params))

    def grad(self, params: np.ndarray) -> np.ndarray:
        self.cost += 1
        return self.objective.grad(params)

    def value_and_grad(self, params: np.ndarray) -> Evaluation:
        self.cost += 1
        evaluation = self.objective.value_and_grad(params)
        self._note(evaluation.value)
        return evaluation

    def losses(self, params: np.ndarray) -> Losses:
        self.cost += VALUE_COST
        losses = self.objective.losses(params)
        self._note(losses.value)
        return losses

    def gauss_newton(self, params: np.ndarray) -> GaussNewton:
        self.cost += self._jacobian
        return self.objective.gauss_newton(params)

    def _note(self, value: float) -> float:
        trace = self.trace
        trace.trials += 1
        if not trace.values or value < trace.values[-1]:
            trace.values.append(float(value))
            trace.costs.append(self.cost)
            trace.seconds.append(time.process_time() - self._begin)
        return value


def run(
    optimizer: Optimizer, objective: Objective, start: np.ndarray, jacobian: float, most: int
) -> Trace:
    """At most so many steps; fewer if the objective settles, or no step lowers it."""
    meter = Meter(objective, jacobian)
    trace, state, rate = meter.trace, optimizer.init(start), np.asarray(np.nan)
    point, values = Point(start, meter.value_and_grad(start)), []
    for _ in range(most):
        try:
            point, state = optimizer.step(meter, point, state, rate)
        except StepFailed as ended:
            trace.reason = ended.reason
            break
        trace.steps += 1
        values.append(trace.values[-1])
        if trace.steps > _PATIENCE and values[-_PATIENCE] - values[-1] <= _SETTLED * values[-1]:
            trace.reason = "settled"
            break
    return trace


def jacobian_cost(objective: Objective, params: np.ndarray, repeats: int = 15) -> float:
    """Seconds for JᵀJ and Jᵀr over those for a gradient: medians of pairs."""
    objective.value_and_grad(params)
    objective.gauss_newton(params)
    seconds = np.empty((repeats, 2))
    for row in seconds:
        begin = time.process_time()
        objective.value_and_grad(params)
        middle = time.process_time()
        objective.gauss_newton(params)
        row[:] = middle - begin, time.process_time() - middle
    grad, matrix = np.median(seconds, axis=0)
    return float(matrix / grad)
