"""The facts known before a training: its splits, its initial loss, and likely mistakes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from bpcli.config.origins import origins
from bpcli.config.source import Location, Source
from bpcli.data.preprocessing import Split
from bpcli.data.row_index import index_pieces
from bpcli.data.stored_rows import StoredRows
from bpcli.experiment.memory import Need, needs
from bpcli.experiment.splits import label_counts
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
class Engine:
    """Where the rows are during training, and how many bytes an epoch reads at least."""

    name: Literal["memory", "stream", "dask"]
    bytes_per_epoch: int


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
        return needs(spec, network, len(table), loaded, table.buffer_bytes)

    @cached_property
    def engine(self) -> Engine:
        """Where the rows are during training."""
        X, rows = self.experiment.table.X, self.experiment.rows_per_epoch
        if not isinstance(X, StoredRows):
            return Engine("memory", 0)
        is_dask = self.experiment.spec.training.engine == "dask"
        return Engine("dask" if is_dask else "stream", round(X.source.bytes * rows / len(X)))

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
            "engine": asdict(self.engine),
            "initial_loss": asdict(self.initial_loss),
            "log": asdict(self.log_cost),
            "dead_units": self.units.dead,
            "saturated_units": self.units.saturated,
            "warnings": self.warnings,
            "notes": list(experiment.notes),
        }


def class_counts(split: Split) -> dict[str, int]:
    """The number of rows of each class, or with each label; empty for a regression."""
    table, pieces = split.table, index_pieces(split.index, _ROWS_AT_ONCE)
    if table.words and table.Y is not None:
        has_label = np.zeros(len(table.words), int)
        for rows in pieces:
            has_label += table.Y[rows].sum(axis=0).astype(int)
        return dict(zip(table.words, has_label.tolist(), strict=True))
    if table.labels is None:
        return {}
    counts = label_counts(table.labels, split.index, len(table.class_names))
    return dict(zip(table.class_names, counts.tolist(), strict=True))


_ROWS_AT_ONCE = 2**14
