"""Predictions for the rows of an experiment, in original units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcli.build import Experiment
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.propagation import predict as network_outputs


@dataclass(frozen=True)
class PredictedRows:
    """Inputs, targets if known, outputs, and predicted classes if there are classes."""

    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    rows: Array
    X: Array
    outputs: Array
    targets: list[Any] | None
    classes: list[str] | None

    def to_json(self) -> list[dict[str, Any]]:
        """A list with one mapping a row."""
        return [
            {
                "row": int(row),
                "outputs": dict(zip(self.output_names, self.outputs[i].tolist(), strict=True)),
                **({"class": self.classes[i]} if self.classes else {}),
                **({"target": self.targets[i]} if self.targets else {}),
            }
            for i, row in enumerate(self.rows)
        ]


def predict_rows(experiment: Experiment, params: Vector, rows: Array) -> PredictedRows:
    """The outputs of the network for some rows of the table, counted from 0."""
    table, preparation = experiment.table, experiment.preparation
    X = table.X[rows]
    A = network_outputs(experiment.network, params, preparation.inputs.apply(X))[1]
    classes = preparation.classes(A)
    names = table.class_names
    targets: list[Any] | None = None
    if table.labels is not None:
        targets = [names[label] for label in table.labels[rows]]
    elif table.Y is not None and not table.reconstructs:
        targets = [value[0] if len(value) == 1 else value for value in table.Y[rows].tolist()]
    return PredictedRows(
        table.input_names,
        _output_names(experiment),
        np.asarray(rows),
        X,
        preparation.original(A),
        targets,
        None if classes is None else [names[label] for label in classes],
    )


def _output_names(experiment: Experiment) -> tuple[str, ...]:
    table, outputs = experiment.table, experiment.network.outputs
    if table.class_names:
        return table.class_names if outputs > 1 else (f"output[{table.class_names[1]}]",)
    if len(table.target_names) == outputs:
        return table.target_names
    return tuple(f"output{number}" for number in range(1, outputs + 1))
