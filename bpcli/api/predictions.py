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

    Raises `RunError` if the outputs are no probabilities.
    """
    activation = model.network.layers[-1].activation
    if not model.preprocessor.categories or not activation.gives_probabilities:
        why = "activation" if model.preprocessor.categories else "targets"
        raise RunError(
            f"`{model.name}` predicts no probabilities, because of its {why}: use `outputs`."
        )
    return class_probabilities(outputs) if len(model.class_names) == 2 else outputs
