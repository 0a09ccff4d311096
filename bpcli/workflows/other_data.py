"""Rows of another file as a split of an experiment, called `data`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bpcli.config.file_models import FileData
from bpcli.data.columns import FeatureEncoder
from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Signs
from bpcli.data.files.table import naming
from bpcli.data.row_weights import row_weights
from bpcli.data.table import Table
from bpcli.data.targets import weights_of
from bpcli.data.types import DataFrame
from bpcli.errors import DataError, RunError
from bpcli.experiment import Experiment
from bpcli.runs.trained import Trained


def with_other_data(trained: Trained, path: Path, signs: Signs) -> tuple[Trained, tuple[str, ...]]:
    """Return the run with the rows of a file as its split `data`, encoded like its training rows.

    `signs` say how the file is written where it differs from the training's. Columns are matched by
    name. Also returns notes on how the file was read. Raises `RunError` if the run has no such
    table, and `DataError` naming file, column and row of what does not fit.
    """
    experiment = trained.experiment
    data, encoder = experiment.spec.data, experiment.table.encoder
    if not isinstance(data, FileData) or encoder is None:
        raise RunError("--data is for runs that were trained on a table in a text or Parquet file.")
    with naming(path):
        dialect = data.dialect.told(signs)
        frame, notes = read(layout_of(path, replace(dialect, text=encoder.text)))
        if not len(frame):
            raise DataError("the file has no rows")
        table = _table(experiment, frame, encoder, data.weight)
    split = experiment.preprocessor.split("data", table, np.arange(len(table)))
    experiment = replace(experiment, splits=experiment.splits | {"data": split})
    return replace(trained, experiment=experiment), notes


def _table(
    experiment: Experiment, frame: DataFrame, encoder: FeatureEncoder, weight: str | None
) -> Table:
    known, every, X = experiment.table, np.arange(len(frame)), encoder.encode(frame)
    own = None if weight is None else weights_of(frame, weight)
    table = replace(known, X=X, Y=None, labels=None, weight=own)
    if known.is_autoencoder:
        table = replace(table, Y=X)
    elif known.labels is not None:
        table = replace(table, labels=encoder.labels(frame))
    else:
        table = replace(table, Y=encoder.values(frame))
    return replace(table, weight=row_weights(table, experiment.class_weights, every))
