"""Train an experiment in memory: nothing is written."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bpcli.engine.pool.choice import worker_pool
from bpcli.errors import Interrupted
from bpcli.experiment import Experiment
from bpcli.nn.arrays import Vector
from bpcli.nn.numerics import repeatable_numerics
from bpcli.optimizers.base import Point
from bpcli.training.loop import Training, TrainState, every_epoch, train_epochs
from bpcli.training.stopping import Best
from bpcli.workflows.interrupts import stop_requests
from bpcli.workflows.run_epochs import Ending, run_epochs
from bpcli.workflows.scores import EpochScores
from bpcli.workflows.stop_decision import Observer, StopDecision, stop_rules
from bpcli.workflows.train import workers_for


@dataclass(frozen=True)
class Fit:
    """A trained experiment: how it ended, the best epoch, and the state after the last one."""

    ending: Ending
    best: Best
    state: TrainState

    @property
    def params(self) -> Vector:
        """The parameters of the best epoch."""
        return self.state.params if self.best.params is None else self.best.params


def fit(
    experiment: Experiment,
    observers: Sequence[Observer] = (),
    *,
    start: TrainState | Vector | None = None,
) -> Fit:
    """Train until a stop rule, the optimizer, a signal or a failure ends it.

    Starts from the initial parameters of the config, from other parameters, or from the state of an
    earlier training, which goes on to the epochs of this config. A failure is in the ending, not
    raised. Ctrl-C ends training after the current epoch; any other signal is raised again.
    """
    with ExitStack() as stack:
        request = stack.enter_context(stop_requests())
        stack.enter_context(repeatable_numerics())
        pool = stack.enter_context(worker_pool(workers_for(experiment)))
        training = experiment.training(experiment.objective(pool))
        training.start = _start(training, experiment, start)
        decision = StopDecision(stop_rules(experiment), request, observers=observers)
        epochs = train_epochs(
            training,
            experiment.spec.training.epochs,
            validation=experiment.validation(pool),
            next_due=every_epoch,
        )
        ending = run_epochs(epochs, decision, [request], EpochScores(experiment))
        state = training.start if ending.last is None else ending.last.state
    failure = ending.failure
    if isinstance(failure, Interrupted) and failure.signal_number != signal.SIGINT:
        signal.raise_signal(failure.signal_number)
    return Fit(ending, decision.best, state)


def _start(
    training: Training, experiment: Experiment, start: TrainState | Vector | None
) -> TrainState:
    if start is None:
        return training.start
    if isinstance(start, TrainState):
        return start
    slots = experiment.spec.training.optimizer.init(start)
    return training.start._replace(point=Point(start), optimizer_state=slots)
