"""Measure where the time of an epoch goes, for a given network and data.

The operations of a recorded pass over one block are timed one by one. The optimizer's own time is
that of a step without its calls of the objective. The remaining time is listed too.
"""

from __future__ import annotations

from time import perf_counter as clock
from typing import Any

import numpy as np

from bpcli.engine.passes import RecordedPass
from bpcli.engine.recording import Recorded, category_of
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
        seconds, in_passes, in_matrix = _train(experiment)
        parts = _parts(experiment, in_passes, in_matrix)
    parts["optimizer"] = seconds - in_passes - in_matrix
    trained_epochs, watching = max(1, record.epochs), record.watching_seconds
    return {
        "seconds_per_epoch": parts,
        "alone": sum(parts.values()),
        "trained": (record.seconds - watching) / trained_epochs,
        "log_and_view": watching / trained_epochs,
    }


def _parts(experiment: Experiment, in_passes: float, in_matrix: float) -> dict[str, float]:
    """Return the seconds per epoch of the work in the objective."""
    optimizer = experiment.spec.training.optimizer
    if optimizer.needs_sum_of_squares:  # its passes are not those of a gradient
        quantity = "matrix" if optimizer.needs_matrix else "products"
        return {f"Gauss-Newton {quantity}": in_matrix, "losses and gradients": in_passes}
    parts = _pass_seconds(experiment)
    rest = max(0.0, in_passes - sum(parts.values()))
    return {**parts, "adding up, scale, L2, Python": rest}


class _Stopwatch:
    """Adds up the seconds inside `with`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._began = clock()

    def __exit__(self, *error: object) -> None:
        self.seconds += clock() - self._began


class _TimedObjective(CountedObjective):
    """An objective whose evaluations are timed; the Gauss-Newton matrix and its products apart."""

    def __init__(self, objective: Objective, passes: _Stopwatch, matrix: _Stopwatch) -> None:
        super().__init__(objective, Counts())
        self._passes, self._matrix = passes, matrix

    def losses(self, params: Vector) -> Losses:
        with self._passes:
            return super().losses(params)

    def grad(self, params: Vector) -> Vector:
        with self._passes:
            return super().grad(params)

    def value_and_grad(self, params: Vector) -> Evaluation:
        with self._passes:
            return super().value_and_grad(params)

    def gauss_newton(self, params: Vector) -> GaussNewton:
        with self._matrix:
            return super().gauss_newton(params)

    def gauss_newton_product(self, params: Vector, direction: Vector) -> Vector:
        with self._matrix:
            return super().gauss_newton_product(params, direction)


class _Timed(Optimizer):
    """An optimizer that measures the seconds that its steps spend in the objective."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self.clear()

    def clear(self) -> None:
        """Begin new sums."""
        self.passes, self.matrix = _Stopwatch(), _Stopwatch()

    def init(self, params: Vector) -> State:
        return self._optimizer.init(params)

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        timed = _TimedObjective(objective, self.passes, self.matrix)
        return self._optimizer.step(timed, Point(point.params), state, learning_rate)


def _train(experiment: Experiment) -> tuple[float, float, float]:
    """Return the seconds per epoch: all, in passes, and for the Gauss-Newton matrix; no workers."""
    optimizer = _Timed(experiment.spec.training.optimizer)
    training = experiment.training(experiment.objective(), optimizer)
    training.advance(training.start, 1)  # the first epoch also prepares memory
    optimizer.clear()
    epochs, began = 0, clock()
    while epochs == 0 or clock() - began < _SECONDS:
        training.advance(training.start, 1)
        epochs += 1
    seconds = clock() - began
    return (
        seconds / epochs,
        optimizer.passes.seconds / epochs,
        optimizer.matrix.seconds / epochs,
    )


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
