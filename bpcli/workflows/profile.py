"""Where an epoch's time goes, for the network and the data at hand.

The pass over one block is recorded, so its operations can be timed one by one; the optimizer is
timed around what it asks of the objective; what remains is told apart as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter as clock

import numpy as np

from bpcli.engine.recording import Recorded, kind_of
from bpcli.engine.sums import RecordedPass
from bpcli.experiment import Experiment
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.run_json import RunRecord
from bpcli.training.objective import Evaluation, Objective

_SECONDS = 0.3
"""How long each measurement takes, or one epoch if that is longer."""


@dataclass(frozen=True)
class Profile:
    """Seconds an epoch, of one worker: by kind of work, and of what was really trained.

    `parts` add up to `alone`. `trained` is the mean over the training, with its own workers and
    without `watching`, which is what log lines and the view took.
    """

    parts: Mapping[str, float]
    alone: float
    trained: float
    watching: float

    def to_json(self) -> dict[str, object]:
        return {
            "seconds_per_epoch": dict(self.parts),
            "alone": self.alone,
            "trained": self.trained,
            "log_and_view": self.watching,
        }


def profile(experiment: Experiment, record: RunRecord) -> Profile:
    """Measure the parts of an epoch; `record` is that of the training that was just done."""
    with repeatable_numerics():
        objective = _Timed(experiment.objective())
        epochs, seconds = _train(experiment, objective)
        passes = _pass_seconds(experiment)
    in_objective = objective.seconds / epochs
    in_passes = sum(passes.values())
    parts = {
        **passes,
        "adding up, scale, L2, Python": max(0.0, in_objective - in_passes),
        "optimizer": seconds - in_objective,
    }
    trained_epochs, watching = max(1, record.epochs), record.watching_seconds
    return Profile(
        parts,
        sum(parts.values()),
        (record.seconds - watching) / trained_epochs,
        watching / trained_epochs,
    )


class _Timed(Objective):
    """An objective that counts the seconds spent in it, mini-batches included."""

    def __init__(self, objective: Objective) -> None:
        vars(self).update(vars(objective))
        self._spent = [0.0]

    @property
    def seconds(self) -> float:
        return self._spent[0]

    def grad(self, params: Vector) -> Vector:
        began = clock()
        found = super().grad(params)
        self._spent[0] += clock() - began
        return found

    def value_and_grad(self, params: Vector) -> Evaluation:
        began = clock()
        found = super().value_and_grad(params)
        self._spent[0] += clock() - began
        return found

    def rows(self, index: Array) -> _Timed:
        began = clock()
        found = super().rows(index)
        self._spent[0] += clock() - began
        return found

    def forget(self) -> None:
        """Count from here on."""
        self._spent[0] = 0.0


def _train(experiment: Experiment, objective: _Timed) -> tuple[int, float]:
    """Epochs that were run, and seconds an epoch, by this process alone."""
    training = experiment.training(objective)
    training.advance(training.start, 1)  # what is prepared once is not part of an epoch
    objective.forget()
    epochs, began = 0, clock()
    while epochs == 0 or clock() - began < _SECONDS:
        training.advance(training.start, 1)
        epochs += 1
    return epochs, (clock() - began) / epochs


def _pass_seconds(experiment: Experiment) -> dict[str, float]:
    """Seconds an epoch of the operations of the passes over all blocks, by kind."""
    rows, batches = experiment.rows("train"), experiment.batches
    an_epoch = len(rows) if batches.is_full else batches.rows_per_epoch or len(rows)
    at_once = min(len(rows), experiment.plan.block, batches.size or len(rows))
    params = experiment.initial_params.copy()
    recorded = RecordedPass(experiment.network, params, rows.block(0, at_once))
    found: dict[str, float] = {"matrix products": 0.0, "elementwise functions": 0.0}
    for (func, _), seconds in zip(recorded.operations, _time(recorded.operations), strict=True):
        kind = kind_of(func)
        found[kind] = found.get(kind, 0.0) + seconds * an_epoch / at_once
    return found


def _time(operations: list[Recorded]) -> Array:
    """Seconds of each operation, the median over many rounds of all in order."""
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
