"""The facts known before a training: its splits, its initial loss, and likely mistakes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bpcli.config.origins import origins
from bpcli.config.source import Location, Source
from bpcli.data.preprocessing import Split
from bpcli.experiment.memory import Need, needs
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.record import layer_records
from bpcli.system import available_memory
from bpcli.workflows.beginning import Beginning


@dataclass(frozen=True)
class InitialLoss:
    """The loss before training as in the log, the mean data loss, and references for the latter.

    `mean` is the mean data loss: without L2, whatever the reduction. So are its references, that of
    a `constant` prediction and that of `chance` level; None if there is none.
    """

    loss: float
    mean: float
    constant: float | None
    chance: float | None
    chance_formula: str | None


@dataclass(frozen=True)
class Check(Beginning):
    """The check of an experiment, without training it."""

    @cached_property
    def resolved(self) -> Source:
        """The config with every default, and the line of each of its values."""
        return Source.parse(self.experiment.config.resolved(), "resolved.yaml")

    @cached_property
    def origins(self) -> dict[Location, str]:
        return origins(self.experiment.config, self.resolved)

    @cached_property
    def needs(self) -> list[Need]:
        """The memory needed, including the table, which is already loaded."""
        table = self.experiment.table
        arrays = (table.X, table.Y, table.labels, table.weight)
        loaded = sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
        spec, network = self.experiment.spec, self.experiment.network
        return needs(spec, network, len(table), loaded, is_streamed=table.is_stored)

    @cached_property
    def available(self) -> float:
        return available_memory()

    @cached_property
    def initial_loss(self) -> InitialLoss:
        """The loss before training, at chance level, and of a constant prediction."""
        experiment, network = self.experiment, self.experiment.network
        with repeatable_numerics(), np.errstate(all="ignore"):
            loss = float(experiment.objective().value(experiment.initial_params).real)
        formula = None
        if network.loss.targets == "distribution":
            formula = f"ln {network.outputs}"
        elif network.loss.targets == "probabilities":
            formula = f"{network.outputs} ln 2" if network.outputs > 1 else "ln 2"
        return InitialLoss(loss, self.mean_loss, self.constant_loss, self.chance_loss, formula)

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
            "log": asdict(self.log_cost),
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
