"""What can be known of a training before it: its splits, its start, and what looks unwise."""

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
class Start:
    """The loss at the start as training logs it, its mean over the rows, and what is beside it.

    The mean is without L2, whatever the reduction: so are those of a constant and of guessing.
    """

    loss: float
    mean: float
    constant: float | None
    chance: float | None
    chance_formula: str | None


@dataclass(frozen=True)
class Check:
    """An experiment that is looked at, not trained."""

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
        """What it will take of memory, the table that is there already included."""
        table = self.experiment.table
        arrays = (table.X, table.Y, table.labels, table.weight)
        there = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
        return needs(self.experiment.spec, self.experiment.network, len(table), there)

    @cached_property
    def available(self) -> float:
        return available_memory()

    @cached_property
    def start(self) -> Start:
        """Where the loss starts, where guessing would, and where a constant would be."""
        experiment = self.experiment
        with repeatable_numerics(), np.errstate(all="ignore"):
            objective = experiment.objective()
            loss = float(objective.value(experiment.initial_params).real)
            mean = objective.mean_loss(experiment.initial_params)
            constant = _constant_loss(experiment)
        outputs, kind = experiment.network.outputs, experiment.network.loss.targets
        if kind == "distribution":
            return Start(loss, mean, constant, math.log(outputs), f"ln {outputs}")
        if kind == "probabilities":
            times = f"{outputs} " if outputs > 1 else ""
            return Start(loss, mean, constant, outputs * math.log(2), f"{times}ln 2")
        return Start(loss, mean, constant, None, None)

    @cached_property
    def units(self) -> UnitCounts:
        """Units that hardly learn from the start on, over some of the training rows."""
        experiment = self.experiment
        split = experiment.splits["train"]
        some = replace(split, index=split.index[rows_to_look_at(len(split))])
        network, params = experiment.network, experiment.initial_params
        with repeatable_numerics(), np.errstate(all="ignore"):
            inputs = columns_of(network, some.X, params.dtype)
            return UnitCounter(network, inputs).count(params)

    @property
    def warnings(self) -> list[str]:
        """What is allowed, and seldom meant."""
        return [
            *self._few_rows(),
            *self._constant_columns(),
            *self._unequal_scales(),
            *self._failing_units(),
            *self._far_start(),
        ]

    def _few_rows(self) -> Iterator[str]:
        rows, params = len(self.experiment.splits["train"]), self.experiment.network.n_params
        if rows < params:
            counted = "1 training row is" if rows == 1 else f"{rows:,} training rows are"
            yield (
                f"{counted} fewer than the {params:,} parameters, which can learn "
                "them by heart: mind the validation loss, or take fewer units or `training.l2`"
            )

    def _constant_columns(self) -> Iterator[str]:
        names = self.experiment.table.input_names
        constant = [names[place] for place in np.flatnonzero(self._spread == 0)]
        if constant and len(self.experiment.splits["train"]) > 1:
            more = f" and {len(constant) - _MOST_NAMES} more" if len(constant) > _MOST_NAMES else ""
            listed = ", ".join(f"`{name}`" for name in constant[:_MOST_NAMES])
            what = "they tell" if len(constant) > 1 else "it tells"
            yield f"no training row differs from another in {listed}{more}: {what} nothing"

    def _unequal_scales(self) -> Iterator[str]:
        spread, names = self._spread, self.experiment.table.input_names
        if self.experiment.spec.data.scale.inputs in FITTED_RULES or not spread.any():
            return
        widest = int(spread.argmax())
        narrowest = int(np.where(spread > 0, spread, np.inf).argmin())
        ratio = spread[widest] / spread[narrowest]
        if ratio > _UNEQUAL:
            yield (
                f"`{names[widest]}` spreads {ratio:,.0f} times as wide as `{names[narrowest]}`: "
                "gradient descent is slow then; set `data.scale: {inputs: standard}`"
            )

    @cached_property
    def _spread(self) -> Array:
        """Largest less least value of each input, as the network reads the training rows."""
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
                    f"{failing} of {layer.units} units of layer {number} hardly learn from the "
                    f"start on ({dead} dead, {saturated} saturated): scale the inputs, or take "
                    "smaller initial weights"
                )

    def _far_start(self) -> Iterator[str]:
        start = self.start
        guess = start.constant if start.chance is None else start.chance
        if guess and not start.mean <= _FAR_FROM_CHANCE * max(guess, start.constant or 0):
            whose = "a constant's is" if start.chance is None else "that of guessing is"
            yield (
                f"the mean loss starts at {start.mean:.4g}, where {whose} {guess:.4g}: scale the "
                "data, or take smaller initial weights"
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
            "start": asdict(self.start),
            "dead_units": self.units.dead,
            "saturated_units": self.units.saturated,
            "warnings": self.warnings,
            "notes": list(experiment.notes),
        }


def class_counts(split: Split) -> dict[str, int]:
    """The rows of each class; nothing where the targets are values."""
    labels, names = split.labels, split.table.class_names
    if labels is None:
        return {}
    return dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True))


def _constant_loss(experiment: Experiment) -> float | None:
    """The training rows' mean loss if the outputs were the targets' means, whatever the inputs.

    None where the output layer cannot give those.
    """
    network, rows = experiment.network, experiment.rows("train")
    loss, activation = network.loss, network.layers[-1].activation
    _, y = rows.columns
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    a = np.average(y.astype(np.float64), axis=1, weights=weight)[:, np.newaxis]
    z = activation.link(a) if loss.is_canonical else a
    shape = np.broadcast_shapes(a.shape, y.shape)
    found = loss.per_sample(np.broadcast_to(z, shape).copy(), np.broadcast_to(a, shape).copy(), y)
    mean = float(np.average(found, weights=weight))
    return mean if math.isfinite(mean) else None
