"""Rows of another file as a split of an experiment, called `data`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bpcli.config.file_models import FileData
from bpcli.data.columns import FeatureEncoder
from bpcli.data.files.cleaning import signs_unlike_training
from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Signs
from bpcli.data.files.table import naming
from bpcli.data.row_weights import row_weights
from bpcli.data.table import Classes, Table, Targets, Values
from bpcli.data.tally import Tally
from bpcli.data.targets import rows_with_targets, weights_of
from bpcli.data.types import DataFrame
from bpcli.errors import DataError, RunError
from bpcli.experiment import Experiment
from bpcli.experiment.issues import of_loss
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
        dialect = replace(data.dialect, skip_last=0).told(signs)  # other totals, or none
        frame, notes = read(layout_of(path, replace(dialect, text=encoder.text)))
        if not len(frame):
            raise DataError("the file has no rows")
        frame, more = rows_with_targets(frame, encoder.targets)
        encoder = encoder.told(dialect.date_format)
        tally = Tally()
        table = _table(experiment, frame, encoder, data.weight, tally)
        more = (*more, *signs_unlike_training(frame, encoder.fills))
    notes = (*notes, *(f"{path.name}: {note}" for note in (*more, *tally.notes())))
    split = experiment.preprocessor.split("data", table, np.arange(len(table)))
    for issue in of_loss(experiment.network, {"data": split}):
        raise DataError(f"{path.name}: {issue.message}")
    experiment = replace(experiment, splits=experiment.splits | {"data": split})
    return replace(trained, experiment=experiment), notes


def _table(
    experiment: Experiment,
    frame: DataFrame,
    encoder: FeatureEncoder,
    weight: str | None,
    tally: Tally,
) -> Table:
    known, every = experiment.table, np.arange(len(frame))
    table = Table(
        encoder.encode(frame, tally),
        known.input_names,
        targets=_targets(known, frame, encoder),
        weight=None if weight is None else weights_of(frame, weight),
        row_numbers=np.asarray(frame.index) + 1,
    )
    table = replace(table, weight=row_weights(table, experiment.class_weights, every))
    return table.with_inputs_as_targets() if known.is_autoencoder else table


def _targets(known: Table, frame: DataFrame, encoder: FeatureEncoder) -> Targets:
    if known.is_autoencoder:
        return None
    if known.labels is not None:
        return Classes(encoder.labels(frame), known.class_names)
    return Values(encoder.values(frame), known.target_names)
