"""Predictions of a run in the form in which a Python program uses them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bpcli.api.configs import AnyPath
from bpcli.api.warn import warn
from bpcli.data.labels import class_values
from bpcli.data.tally import Tally
from bpcli.data.types import DataFrame
from bpcli.errors import RunError
from bpcli.export.model import Model
from bpcli.metrics.metrics import class_probabilities
from bpcli.nn.arrays import Array
from bpcli.nn.numerics import repeatable_numerics
from bpcli.workflows.frames import RowsInMemory, frame_of
from bpcli.workflows.interval_columns import Columns

RowSource: TypeAlias = "RowsInMemory | AnyPath"
"""A DataFrame, rows of the inputs, or the path of a file."""


def outputs_of(model: Model, rows: RowSource) -> Array:
    """The outputs (n, outputs) in original units; what was filled, unknown or guessed is a warning.

    Raises `DataError` naming a missing column, or column and row of a wrong value.
    """
    with repeatable_numerics():
        if isinstance(rows, str | os.PathLike):
            return _of_file(model, Path(rows))
        tally = Tally()
        outputs = model.predict(frame_of(rows, model), tally)
    warn(tally.notes())
    return outputs


def answers_with_intervals(
    model: Model, rows: RowSource, columns: Columns
) -> tuple[Array | DataFrame, ...]:
    """The answers, and the arrays of intervals or sets for each row, of the same shape.

    Raises like `outputs_of`.
    """
    network = model.network
    none = np.empty((0, network.inputs)), np.empty((0, network.outputs))
    with repeatable_numerics():
        if isinstance(rows, str | os.PathLike):
            blocks, notes = _blocks_of_file(model, Path(rows), columns)
        else:
            frame, tally = frame_of(rows, model), Tally()
            X = model.encoder.encode(frame, tally)
            blocks = [(columns.prepare(frame, X), model.outputs(X, tally))]
            notes = [*tally.notes()]
        blocks_of_arrays = [columns.arrays(*block) for block in (none, *blocks)]
    warn((*notes, *columns.notes))
    outputs = np.concatenate([none[1], *(outputs for _, outputs in blocks)])
    arrays = [
        np.concatenate([each[name] for each in blocks_of_arrays]) for name in blocks_of_arrays[0]
    ]
    if network.outputs == 1 and not model.class_names:
        arrays = [array[:, 0] for array in arrays]
    return answers_of(model, outputs), *arrays


def _blocks_of_file(
    model: Model, path: Path, columns: Columns
) -> tuple[list[tuple[Array, Array]], list[str]]:
    """What the columns are computed from and the outputs, in blocks of rows; and notes."""
    from bpcli.workflows.new_rows import new_rows

    file = new_rows(path, model)
    blocks = [(block.inputs, block.outputs) for block in file.predictions(columns).blocks]
    notes = [note for note in file.notes if note not in file.ignored]
    return blocks, [*notes, *file.later_notes]


def inputs_of(model: Model, rows: RowsInMemory) -> Array:
    """The network's inputs (n, inputs): the rows, encoded and scaled."""
    tally = Tally()
    encoded = model.encoder.encode(frame_of(rows, model), tally)
    warn(tally.notes())
    return model.preprocessor.inputs.apply(encoded)


def _of_file(model: Model, path: Path) -> Array:
    from bpcli.workflows.new_rows import new_rows

    rows = new_rows(path, model)
    blocks = [block.outputs for block in rows.predictions().blocks]
    warn((*(note for note in rows.notes if note not in rows.ignored), *rows.later_notes))
    return np.concatenate(blocks) if blocks else np.empty((0, len(model.output_names)))


def answers_of(model: Model, outputs: Array) -> Array | DataFrame:
    """What the outputs (n, outputs) predict.

    Classes (n,), the texts of labels as a DataFrame, or values: (n,) of one target, (n, k) of
    several.
    """
    if model.class_names:
        classes: Array = class_values(model.class_names)[model.labels(outputs)]
        return classes
    if model.answers:
        import pandas as pd

        return pd.DataFrame(model.preprocessor.in_words(outputs))
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs


def probabilities_of(model: Model, outputs: Array) -> Array:
    """The probability of each class (n, classes), or of each label (n, labels).

    Raises `RunError` if the outputs are not probabilities.
    """
    activation = model.network.layers[-1].activation
    if not model.preprocessor.categories or not activation.gives_probabilities:
        why = "activation" if model.preprocessor.categories else "targets"
        raise RunError(
            f"`{model.name}` does not predict probabilities because of its {why}: use `outputs`."
        )
    return class_probabilities(outputs) if len(model.class_names) == 2 else outputs
