"""Measure where the time of an epoch goes, for a given network and data.

The operations of a recorded pass over one block are timed one by one. The optimizer's own time is
that of a step without its calls of the objective. The remaining time is listed too.
"""

from __future__ import annotations

from time import perf_counter as clock
from typing import Any

import numpy as np

from bpcli.engine.recording import Recorded, category_of
from bpcli.engine.sums import RecordedPass
from bpcli.experiment import Experiment
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.numerics import repeatable_numerics
from bpcli.optimizers import Optimizer, State
from bpcli.optimizers.base import Evaluation, GaussNewton, Losses, Objective, Point
from bpcli.runs.run_json import RunRecord
from bpcli.training.metered import CountedObjective, Counts

_SECONDS = 0.3
"""The duration of each measurement, unless one epoch takes longer."""


def profile(experiment: Experiment, record: RunRecord) -> dict[str, Any]:
    """Measure the seconds of an epoch; `record` is that of the training just done.

    `seconds_per_epoch`, by kind of work with one worker, add up to `alone`. `trained` is the mean
    over the training with its own workers, without `log_and_view`.
    """
    with repeatable_numerics():
        seconds, timed = _train(experiment)
        parts = _parts(experiment, timed)
    parts["optimizer"] = seconds - timed.seconds - timed.seconds_of_matrix
    trained_epochs, watching = max(1, record.epochs), record.watching_seconds
    return {
        "seconds_per_epoch": parts,
        "alone": sum(parts.values()),
        "trained": (record.seconds - watching) / trained_epochs,
        "log_and_view": watching / trained_epochs,
    }


def _parts(experiment: Experiment, timed: _Timed) -> dict[str, float]:
    """Return the seconds per epoch of the work in the objective."""
    optimizer = experiment.spec.training.optimizer
    if optimizer.needs_sum_of_squares:  # its passes are not those of a gradient
        kind = "matrix" if optimizer.needs_matrix else "products"
        return {
            f"Gauss-Newton {kind}": timed.seconds_of_matrix,
            "losses and gradients": timed.seconds,
        }
    passes = _pass_seconds(experiment)
    rest = max(0.0, timed.seconds - sum(passes.values()))
    return {**passes, "adding up, scale, L2, Python": rest}


class _TimedObjective(CountedObjective):
    """An objective whose evaluations are timed; the Gauss-Newton matrix and its products apart."""

    def __init__(self, objective: Objective) -> None:
        super().__init__(objective, Counts())
        self.seconds = self.seconds_of_matrix = 0.0

    def losses(self, params: Vector) -> Losses:
        began = clock()
        losses = super().losses(params)
        self.seconds += clock() - began
        return losses

    def gauss_newton(self, params: Vector) -> GaussNewton:
        began = clock()
        found = super().gauss_newton(params)
        self.seconds_of_matrix += clock() - began
        return found

    def gauss_newton_product(self, params: Vector, direction: Vector) -> Vector:
        began = clock()
        product = super().gauss_newton_product(params, direction)
        self.seconds_of_matrix += clock() - began
        return product

    def grad(self, params: Vector) -> Vector:
        began = clock()
        grad = super().grad(params)
        self.seconds += clock() - began
        return grad

    def value_and_grad(self, params: Vector) -> Evaluation:
        began = clock()
        evaluation = super().value_and_grad(params)
        self.seconds += clock() - began
        return evaluation


class _Timed(Optimizer):
    """An optimizer that measures the seconds that its steps spend in the objective."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self.clear()

    def clear(self) -> None:
        """Begin new sums."""
        self.seconds = self.seconds_of_matrix = 0.0

    def divide(self, epochs: int) -> None:
        """Make the sums those of one epoch."""
        self.seconds /= epochs
        self.seconds_of_matrix /= epochs

    def init(self, params: Vector) -> State:
        return self._optimizer.init(params)

    def step(
        self, objective: Objective, here: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        timed = _TimedObjective(objective)
        end = self._optimizer.step(timed, Point(here.params), state, learning_rate)
        self.seconds += timed.seconds
        self.seconds_of_matrix += timed.seconds_of_matrix
        return end


def _train(experiment: Experiment) -> tuple[float, _Timed]:
    """Return the seconds per epoch, and the optimizer with those in the objective; no workers."""
    optimizer = _Timed(experiment.spec.training.optimizer)
    training = experiment.training(experiment.objective(), optimizer)
    training.advance(training.start, 1)  # the first epoch also prepares memory
    optimizer.clear()
    epochs, began = 0, clock()
    while epochs == 0 or clock() - began < _SECONDS:
        training.advance(training.start, 1)
        epochs += 1
    seconds = (clock() - began) / epochs
    optimizer.divide(epochs)
    return seconds, optimizer


def _pass_seconds(experiment: Experiment) -> dict[str, float]:
    """Return the seconds per epoch of the passes over all blocks, by kind of operation."""
    rows, batches = experiment.rows("train"), experiment.batches
    per_epoch = len(rows) if batches.is_full else batches.rows_per_epoch or len(rows)
    at_once = min(len(rows), experiment.plan.block, batches.size or len(rows))
    params = experiment.initial_params.copy()
    recorded = RecordedPass(experiment.network, params, rows.block(0, at_once))
    by_kind: dict[str, float] = {"matrix products": 0.0, "elementwise functions": 0.0}
    for (func, _), seconds in zip(recorded.operations, _time(recorded.operations), strict=True):
        category = category_of(func)
        by_kind[category] = by_kind.get(category, 0.0) + seconds * per_epoch / at_once
    return by_kind


def _time(operations: list[Recorded]) -> Array:
    """Return the seconds of each operation: medians over many rounds of all operations."""
    rounds: list[list[float]] = []
    began = clock()
    while not rounds or (clock() - began < _SECONDS and len(rounds) < 2000):
        times = []
        for func, args in operations:
            start = clock()
            func(*args)
            times.append(clock() - start)
        rounds.append(times)
    seconds: Array = np.median(rounds, axis=0)
    return seconds
