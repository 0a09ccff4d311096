"""What can be known before a training: its splits, its initial loss, and likely mistakes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from bpcli.config.origins import origins
from bpcli.config.source import Location, Source
from bpcli.data.preprocessing import FITTED_RULES, Split
from bpcli.experiment import Experiment
from bpcli.experiment.memory import Need, needs
from bpcli.nn.arrays import Array
from bpcli.nn.numerics import repeatable_numerics
from bpcli.nn.propagation import columns_of
from bpcli.nn.units import UnitCounter, UnitCounts, rows_to_look_at
from bpcli.runs.record import layer_records
from bpcli.system import available_memory

_UNEQUAL = 100.0
_MANY_UNITS = 0.1
_FAR_FROM_CHANCE = 3.0
_MOST_NAMES = 5


@dataclass(frozen=True)
class InitialLoss:
    """The loss before training as the log shows it, its mean data loss, and references for that.

    The mean data loss has no L2, whatever the reduction; `constant` and `chance` are such means.
    """

    loss: float
    mean: float
    constant: float | None
    chance: float | None
    chance_formula: str | None


@dataclass(frozen=True)
class Check:
    """The check of an experiment, without training it."""

    experiment: Experiment

    @cached_property
    def resolved(self) -> Source:
        """The config with every default, and the line of each of its values."""
        return Source.parse(self.experiment.config.resolved(), "resolved.yaml")

    @cached_property
    def origins(self) -> dict[Location, str]:
        return origins(self.experiment.config, self.resolved)

    @cached_property
    def needs(self) -> list[Need]:
        """The memory needed, with that of the table, which is already loaded."""
        table = self.experiment.table
        arrays = (table.X, table.Y, table.labels, table.weight)
        loaded = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
        return needs(self.experiment.spec, self.experiment.network, len(table), loaded)

    @cached_property
    def available(self) -> float:
        return available_memory()

    @cached_property
    def initial_loss(self) -> InitialLoss:
        """The loss before training, at chance level, and of a constant prediction."""
        experiment = self.experiment
        with repeatable_numerics(), np.errstate(all="ignore"):
            objective = experiment.objective()
            loss = float(objective.value(experiment.initial_params).real)
            mean = objective.mean_loss(experiment.initial_params)
            constant = _constant_loss(experiment)
        outputs, targets = experiment.network.outputs, experiment.network.loss.targets
        if targets == "distribution":
            return InitialLoss(loss, mean, constant, math.log(outputs), f"ln {outputs}")
        if targets == "probabilities":
            times = f"{outputs} " if outputs > 1 else ""
            return InitialLoss(loss, mean, constant, outputs * math.log(2), f"{times}ln 2")
        return InitialLoss(loss, mean, constant, None, None)

    @cached_property
    def units(self) -> UnitCounts:
        """Dead and saturated units before training, over some of the training rows."""
        experiment = self.experiment
        split = experiment.splits["train"]
        some = replace(split, index=split.index[rows_to_look_at(len(split))])
        network, params = experiment.network, experiment.initial_params
        with repeatable_numerics(), np.errstate(all="ignore"):
            inputs = columns_of(network, some.X, params.dtype)
            return UnitCounter(network, inputs).count(params)

    @property
    def warnings(self) -> list[str]:
        """Likely mistakes among what is allowed."""
        return [
            *self._few_rows(),
            *self._constant_columns(),
            *self._unequal_scales(),
            *self._failing_units(),
            *self._far_from_chance(),
        ]

    def _few_rows(self) -> Iterator[str]:
        rows, params = len(self.experiment.splits["train"]), self.experiment.network.n_params
        if rows < params:
            counted = "1 training row is" if rows == 1 else f"{rows:,} training rows are"
            yield (
                f"{counted} fewer than the {params:,} parameters, which may overfit: watch the "
                "validation loss, use fewer units, or set `training.l2`"
            )

    def _constant_columns(self) -> Iterator[str]:
        names = self.experiment.table.input_names
        constant = [names[index] for index in np.flatnonzero(self._spread == 0)]
        if constant and len(self.experiment.splits["train"]) > 1:
            more = f" and {len(constant) - _MOST_NAMES} more" if len(constant) > _MOST_NAMES else ""
            listed = ", ".join(f"`{name}`" for name in constant[:_MOST_NAMES])
            verb = "are" if len(constant) > 1 else "is"
            yield f"{listed}{more} {verb} constant over the training rows: leave out such inputs"

    def _unequal_scales(self) -> Iterator[str]:
        spread, names = self._spread, self.experiment.table.input_names
        if self.experiment.spec.data.scale.inputs in FITTED_RULES or not spread.any():
            return
        widest = int(spread.argmax())
        narrowest = int(np.where(spread > 0, spread, np.inf).argmin())
        ratio = spread[widest] / spread[narrowest]
        if ratio > _UNEQUAL:
            yield (
                f"the range of `{names[widest]}` is {ratio:,.0f} times that of "
                f"`{names[narrowest]}`, which slows gradient descent: set "
                "`data.scale: {inputs: standard}`"
            )

    @cached_property
    def _spread(self) -> Array:
        """Largest minus least value of each input over the training rows, scaled as configured."""
        low: Array | None = None
        high: Array | None = None
        for X, _ in self.experiment.splits["train"].blocks():
            low = X.min(axis=0) if low is None else np.minimum(low, X.min(axis=0))
            high = X.max(axis=0) if high is None else np.maximum(high, X.max(axis=0))
        assert low is not None, "there are training rows"
        assert high is not None
        spread: Array = high - low
        return spread

    def _failing_units(self) -> Iterator[str]:
        layers = self.experiment.network.layers
        counts = zip(layers, self.units.dead, self.units.saturated, strict=True)
        for number, (layer, dead, saturated) in enumerate(counts, 1):
            failing = dead + saturated
            if failing > _MANY_UNITS * layer.units:
                yield (
                    f"{failing} of {layer.units} units of layer {number} are dead ({dead}) or "
                    f"saturated ({saturated}) before training: scale the inputs, or use smaller "
                    "initial weights"
                )

    def _far_from_chance(self) -> Iterator[str]:
        loss = self.initial_loss
        reference = loss.constant if loss.chance is None else loss.chance
        if reference and not loss.mean <= _FAR_FROM_CHANCE * max(reference, loss.constant or 0):
            name = "a constant prediction" if loss.chance is None else "chance level"
            yield (
                f"the initial mean loss is {loss.mean:.4g}, and that of {name} {reference:.4g}: "
                "scale the data, or use smaller initial weights"
            )

    def to_json(self) -> dict[str, Any]:
        experiment = self.experiment
        return {
            "config": self.resolved.tree,
            "origins": {".".join(map(str, key)): text for key, text in self.origins.items()},
            "layers": [
                record.to_json() | {"weights": [layer.rows, layer.inputs], "n_params": layer.size}
                for record, layer in zip(
                    layer_records(experiment.network), experiment.network.layers, strict=True
                )
            ],
            "n_params": experiment.network.n_params,
            "rows": {name: len(split) for name, split in experiment.splits.items()},
            "classes": {name: class_counts(split) for name, split in experiment.splits.items()},
            "memory": {
                "needs": [{"what": need.what, "bytes": need.bytes} for need in self.needs],
                "bytes": sum(need.bytes for need in self.needs),
                "available": self.available,
            },
            "initial_loss": asdict(self.initial_loss),
            "dead_units": self.units.dead,
            "saturated_units": self.units.saturated,
            "warnings": self.warnings,
            "notes": list(experiment.notes),
        }


def class_counts(split: Split) -> dict[str, int]:
    """The number of rows of each class, or with each label; empty for a regression."""
    labels, names = split.labels, split.table.class_names
    if split.table.words and split.values is not None:
        counts = split.values.sum(axis=0).astype(int).tolist()
        return dict(zip(split.table.words, counts, strict=True))
    if labels is None:
        return {}
    return dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True))


def _constant_loss(experiment: Experiment) -> float | None:
    """Return the mean training loss of the targets' means as constant outputs.

    None if the output layer cannot give those.
    """
    network, rows = experiment.network, experiment.rows("train")
    loss, activation = network.loss, network.layers[-1].activation
    _, y = rows.columns
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    a = np.average(y.astype(np.float64), axis=1, weights=weight)[:, np.newaxis]
    z = activation.link(a) if loss.is_canonical else a
    shape = np.broadcast_shapes(a.shape, y.shape)
    losses = loss.per_sample(np.broadcast_to(z, shape).copy(), np.broadcast_to(a, shape).copy(), y)
    mean = float(np.average(losses, weights=weight))
    return mean if math.isfinite(mean) else None
