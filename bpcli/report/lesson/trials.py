"""Short trainings that differ from a run's in one thing, to answer "what if" with evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from bpcli.errors import Diverged
from bpcli.experiment import Experiment
from bpcli.nn.arrays import Vector
from bpcli.nn.network import Layer, Network
from bpcli.optimizers.base import Point
from bpcli.optimizers.schedules import Schedule
from bpcli.training.loop import every_epoch, train_epochs

MOST_EPOCHS = 300
_FEWEST_EPOCHS = 10
_MOST_WORK = 1e9
"""Multiplications per trial: about a second."""

_MOST_UPDATES = 3000

_MOST_PARAMETERS = 20_000


@dataclass(frozen=True, eq=False)
class Trial:
    """A short training: the objective of each epoch (n + 1,), and the last finite parameters."""

    losses: Vector
    params: Vector
    is_diverged: bool

    @property
    def last(self) -> float:
        return float(self.losses[-1])

    @property
    def rises(self) -> int:
        """The epochs after which the loss was larger than before."""
        return int((np.diff(self.losses) > 0).sum())


def trained(experiment: Experiment, epochs: int, start: Vector | None = None) -> Trial:
    """Train for some epochs, without stop rules; divergence ends it and is reported.

    If the gradient has vanished, or the optimizer finds no step, the loss stays the same from there
    on.
    """
    training = experiment.training(experiment.objective())
    if start is not None:
        begin = training.start._replace(point=Point(start))
        training.resume(begin)
    losses: list[float] = []
    params, is_diverged = training.start.params, False
    try:
        with np.errstate(all="ignore"):
            for epoch in train_epochs(training, epochs, next_due=every_epoch):
                losses.append(epoch.loss)
                params = epoch.params
    except Diverged:
        is_diverged = True
    if not is_diverged:
        losses += [losses[-1]] * (epochs + 1 - len(losses))
    return Trial(np.array(losses), params, is_diverged)


@dataclass(frozen=True, eq=False)
class Trials:
    """The trials of one experiment, each made when a question needs it."""

    experiment: Experiment

    @property
    def are_affordable(self) -> bool:
        """Whether some epochs take a second at most."""
        return self._affordable >= _FEWEST_EPOCHS and (
            self.experiment.network.n_params <= _MOST_PARAMETERS
        )

    @property
    def _affordable(self) -> int:
        """The epochs that the limits of work and of updates allow."""
        rows = max(1, self.experiment.rows_per_epoch)
        updates = -(-rows // (self.experiment.batches.size or rows))
        return int(min(_MOST_WORK / work_of_epoch(self.experiment), _MOST_UPDATES / updates))

    @property
    def epochs(self) -> int:
        return max(1, min(MOST_EPOCHS, self._affordable, self.experiment.spec.training.epochs))

    @cached_property
    def plain(self) -> Trial:
        """The run's own training, as far as the trials go."""
        return trained(self.experiment, self.epochs)

    @property
    def rate(self) -> float | None:
        """The first learning rate; None if the optimizer has none."""
        rate: Any = self.experiment.spec.training.learning_rate
        if rate is None:
            return None
        return float(rate.start if isinstance(rate, Schedule) else rate)

    def with_rate(self, factor: float) -> Trial:
        """The training with another learning rate."""
        rate: Any = self.experiment.spec.training.learning_rate
        is_schedule = isinstance(rate, Schedule)
        other = replace(rate, start=rate.start * factor) if is_schedule else rate * factor
        return trained(changed(self.experiment, learning_rate=other), self.epochs)

    def from_params(self, params: Vector) -> Trial:
        """The training from other initial parameters."""
        return trained(self.experiment, self.epochs, params)

    def from_seed(self, seed: int) -> Trial:
        """The training from other random parameters of the same initializer."""
        experiment = self.experiment
        drawn = experiment.network.initial_params(
            experiment.spec.network.init, np.random.default_rng(seed)
        )
        return self.from_params(drawn.astype(experiment.dtype))

    def without_hidden_layers(self) -> Trial:
        """The training of a network in which the inputs lead straight to the outputs."""
        network = self.experiment.network
        top = network.layers[-1]
        only = Layer(network.inputs, top.units, top.activation, top.bias)
        shallow = replace(self.experiment, network=Network((only,), network.loss))
        return trained(shallow, self.epochs)


def work_of_epoch(experiment: Experiment) -> float:
    """The multiplications of an epoch, about: passes over the rows, or JᵀJ and its factor."""
    rows, size = max(1, experiment.rows_per_epoch), experiment.network.n_params
    if experiment.spec.training.optimizer.needs_matrix:
        return rows * size**2 + size**3 / 3
    return 3.0 * rows * size


def changed(experiment: Experiment, **training: object) -> Experiment:
    """The experiment with other values in the config's section `training`."""
    spec = experiment.spec
    other = spec.model_copy(update={"training": spec.training.model_copy(update=training)})
    return replace(experiment, config=replace(experiment.config, spec=other))
