"""A training before its first step: its initial loss, and likely mistakes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bpcli.engine.pool.base import SerialPool
from bpcli.experiment import Experiment, facts
from bpcli.nn.numerics import repeatable_numerics
from bpcli.nn.units import UnitCounts
from bpcli.text import plural
from bpcli.training.objective import NetworkObjective
from bpcli.workflows.log_cost import LogCost, log_cost

_MANY_UNITS = 0.1
_FAR_FROM_CHANCE = 3.0
_MOST_LAYERS = 5


@dataclass(frozen=True)
class Beginning:
    """An experiment before it is trained."""

    experiment: Experiment

    @cached_property
    def mean_loss(self) -> float:
        """The mean data loss of the initial parameters: no L2, whatever the reduction."""
        experiment = self.experiment
        # Closing the pool releases the arrays of the pass now, not at the next collection.
        with (
            repeatable_numerics(),
            np.errstate(all="ignore"),
            closing(SerialPool()) as pool,
        ):
            objective = NetworkObjective(experiment.network, experiment.rows("train"), pool=pool)
            return objective.mean_loss(experiment.initial_params)

    @property
    def constant_loss(self) -> float | None:
        """The mean data loss of a constant prediction; None if the output layer cannot give it."""
        with repeatable_numerics(), np.errstate(all="ignore"):
            return self.experiment.constant_loss("train")

    @property
    def chance_loss(self) -> float | None:
        """The mean data loss of equal probabilities; None for a regression loss."""
        network = self.experiment.network
        if network.loss.targets == "distribution":
            return math.log(network.outputs)
        return network.outputs * math.log(2) if network.loss.targets == "probabilities" else None

    @cached_property
    def log_cost(self) -> LogCost:
        """What the log will cost."""
        return log_cost(self.experiment)

    @cached_property
    def units(self) -> UnitCounts:
        """Dead and saturated units before training, over some of the training rows."""
        with repeatable_numerics(), np.errstate(all="ignore"):
            return self.experiment.unit_counter().count(self.experiment.initial_params)

    @cached_property
    def warnings(self) -> list[str]:
        """Warnings about likely mistakes in a valid config."""
        return [
            *self._few_rows(),
            *self._constant_columns(),
            *self.experiment.scales.warnings,
            *self._failing_units(),
            *self._far_from_chance(),
            *filter(None, [self.log_cost.warning]),
        ]

    def _few_rows(self) -> Iterator[str]:
        """Warn if there are fewer training rows than parameters, and no weight decay."""
        fact = facts.few_rows(self.experiment)
        if fact is not None:
            yield f"{fact}, which may overfit: {facts.FEW_ROWS_REMEDY}"

    def _constant_columns(self) -> Iterator[str]:
        fact = facts.constant_inputs(self.experiment)
        if fact is not None:
            yield f"{fact}: leave out such inputs"

    def _failing_units(self) -> Iterator[str]:
        """Warn of dead and saturated units, unless the config gives the initial parameters."""
        if self.experiment.spec.network.parameters is not None:
            return
        layers = self.experiment.network.layers
        counts = zip(layers, self.units.dead, self.units.saturated, strict=True)
        failing = [
            f"{dead} dead and {saturated} saturated of {layer.units} in layer {number}"
            for number, (layer, dead, saturated) in enumerate(counts, 1)
            if dead + saturated > _MANY_UNITS * layer.units
        ]
        if failing:
            more = f" and in {plural(len(failing) - _MOST_LAYERS, 'more layer')}"
            shown = ", ".join(failing[:_MOST_LAYERS]) + more * (len(failing) > _MOST_LAYERS)
            yield (
                f"many units are dead or saturated before training: {shown}: scale the inputs, or "
                "use smaller initial weights"
            )

    def _far_from_chance(self) -> Iterator[str]:
        chance = self.chance_loss
        reference = self.constant_loss if chance is None else chance
        largest = max(reference or 0, self.constant_loss or 0)
        if reference and not self.mean_loss <= _FAR_FROM_CHANCE * largest:
            name = "a constant prediction" if chance is None else "chance level"
            yield (
                f"the initial mean loss is {self.mean_loss:.4g}, and that of {name} is "
                f"{reference:.4g}: scale the data, or use smaller initial weights"
            )
