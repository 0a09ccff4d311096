"""Train an experiment in memory: nothing is written."""

from __future__ import annotations

import math
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bpcli.errors import Interrupted
from bpcli.experiment import Experiment
from bpcli.nn.arrays import Vector
from bpcli.nn.numerics import repeatable_numerics
from bpcli.optimizers.base import Optimizer, Point
from bpcli.training.loop import every_epoch, train_epochs
from bpcli.training.state import TrainState
from bpcli.training.stopping import Best
from bpcli.workflows.interrupts import stop_requests
from bpcli.workflows.run_epochs import Ending, run_epochs
from bpcli.workflows.scores import EpochScores
from bpcli.workflows.stop_decision import Observer, StopDecision, stop_rules
from bpcli.workflows.workers import pool_for, workers_for


@dataclass(frozen=True)
class Fit:
    """A trained experiment: how it ended, the best epoch, and the state after the last one."""

    ending: Ending
    best: Best
    state: TrainState

    @property
    def loss(self) -> float:
        """The objective after the last epoch."""
        return math.nan if self.ending.last is None else self.ending.last.loss

    @property
    def seconds(self) -> float:
        """The time that the epochs took."""
        return 0.0 if self.ending.last is None else self.ending.last.seconds

    @property
    def params(self) -> Vector:
        """The parameters of the best epoch."""
        return self.state.params if self.best.params is None else self.best.params


def fit(
    experiment: Experiment,
    observers: Sequence[Observer] = (),
    *,
    start: TrainState | Vector | None = None,
    optimizer: Optimizer | None = None,
) -> Fit:
    """Train until a stop rule, the optimizer, an observer, a signal or a failure ends it.

    Starts from the initial parameters of the config, from other parameters, or from the state of an
    earlier training, which goes on to the epochs of this config. `optimizer` may replace that of
    the config, for example by a wrapper that measures it.

    A failure is in the ending, not raised. Ctrl-C ends training after the current epoch; any other
    signal is raised again.
    """
    spec = experiment.spec.training
    with ExitStack() as stack:
        request = stack.enter_context(stop_requests())
        stack.enter_context(repeatable_numerics())
        pool = stack.enter_context(pool_for(experiment, workers_for(experiment)))
        training = experiment.training(experiment.objective(pool), optimizer)
        if start is not None:
            training.resume(_at(start, training.start, optimizer or spec.optimizer))
        decision = StopDecision(stop_rules(experiment), request, observers=observers)
        epochs = train_epochs(
            training,
            spec.epochs,
            validation=experiment.validation(pool),
            next_due=every_epoch,
        )
        ending = run_epochs(epochs, decision, [request], EpochScores(experiment))
        state = training.start if ending.last is None else ending.last.state
    failure = ending.failure
    if isinstance(failure, Interrupted) and failure.signal_number != signal.SIGINT:
        signal.raise_signal(failure.signal_number)
    return Fit(ending, decision.best, state)


def _at(start: TrainState | Vector, initial: TrainState, optimizer: Optimizer) -> TrainState:
    """The given state; or the initial state with other parameters.

    The state of another optimizer is of no use: then this one begins with its own.
    """
    if not isinstance(start, TrainState):
        return initial._replace(point=Point(start), optimizer_state=optimizer.init(start))
    if start.optimizer_state.keys() == initial.optimizer_state.keys():
        return start
    return start._replace(optimizer_state=optimizer.init(start.params))
