"""Rows of another file as a split of an experiment, called `data`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bpcli.config.file_models import FileData
from bpcli.data.columns import FeatureEncoder
from bpcli.data.files.delimited import read, refuse_no_rows
from bpcli.data.files.dialect import Dialect, Signs
from bpcli.data.files.frames import naming
from bpcli.data.files.open_signs import signs_unlike_training
from bpcli.data.files.parquet import is_parquet
from bpcli.data.files.sniff import Layout
from bpcli.data.files.table import row_numbers
from bpcli.data.row_weights import row_weights
from bpcli.data.selection import as_known
from bpcli.data.table import Classes, MultiLabels, Table, Targets, Values
from bpcli.data.tally import Tally
from bpcli.data.targets import label_values, rows_with_targets, weights_of
from bpcli.data.types import DataFrame
from bpcli.errors import ConfigError, DataError, RunError
from bpcli.experiment import Experiment
from bpcli.experiment.issues import of_loss
from bpcli.export.model import Model
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained, Weights, load_trained, load_without_rows
from bpcli.workflows.new_rows import layout_as_trained

GivenRows: TypeAlias = "DataFrame | str | os.PathLike[str]"
"""Rows beside those of a run: a table, or the path of a file."""


def load_to_score(
    run: Run, weights: Weights, needs_splits: bool = False
) -> tuple[Trained, tuple[str, ...]]:
    """Load a run to score rows of another file; its own data files are read only if needed.

    They are needed if its splits are scored too, and for baselines other than the recorded
    constant; if they cannot be read, a note reports that such baselines are left out. Raises
    `RunError` if files of the run are missing or damaged, and `ConfigError` or `RunError` if its
    splits are needed and its data files cannot be read.
    """
    record = run.record()
    if needs_splits:
        return load_trained(run, weights), ()
    if record.constant and record.task != "reconstruction":
        return load_without_rows(run, weights), ()
    try:
        return load_trained(run, weights), ()
    except (ConfigError, RunError) as error:
        trained = load_without_rows(run, weights)
        why = next((issue.message for issue in getattr(error, "issues", ())), str(error))
        return trained, (f"baselines that need the training rows are left out: {why}",)


def with_other_data(trained: Trained, path: Path, signs: Signs) -> tuple[Trained, tuple[str, ...]]:
    """Return the run with the rows of a file as its split `data`, encoded like its training rows.

    `signs` are the settings of its format that differ from the training's. Columns are matched by
    name. Also returns notes on how the file was read. Raises `RunError` if the run was not trained
    on a table in a file, and `DataError` with the file, column and row of a value that cannot be
    used.
    """
    experiment = trained.experiment
    data, encoder = experiment.spec.data, experiment.table.encoder
    if not isinstance(data, FileData) or encoder is None:
        raise RunError(
            "Rows of another file are for runs that were trained on a table in a text or Parquet "
            "file."
        )
    with naming(path):
        layout = layout_as_trained(path, _model(trained, encoder, data.dialect), signs)
        layout, renamed = _with_known_weight(layout, data.weight)
        frame, notes = read(layout)
        trained, more = with_frame(
            trained, frame, encoder.with_date_format(signs.get("date_format"))
        )
    return trained, (*notes, *(f"{path.name}: {note}" for note in (*renamed, *more)))


def with_given_rows(
    trained: Trained, data: GivenRows, signs: Signs
) -> tuple[Trained, tuple[str, ...]]:
    """Return the run with the rows of a file or a table as its split `data`, and notes on them.

    Raises like `with_other_data` and `with_frame`.
    """
    if isinstance(data, str | os.PathLike):
        return with_other_data(trained, Path(data), signs)
    encoder = trained.experiment.table.encoder
    if encoder is None:
        raise RunError(
            "`data` needs a run that was trained on a table in a file, because columns are "
            "matched by name."
        )
    trained, notes = with_frame(trained, data, encoder)
    return trained, tuple(notes)


def with_frame(
    trained: Trained, frame: DataFrame, encoder: FeatureEncoder
) -> tuple[Trained, list[str]]:
    """Return the run with the rows of a table as its split `data`, and notes on them.

    Raises `DataError` with the column and row of a value that cannot be used.
    """
    experiment = trained.experiment
    refuse_no_rows(frame)
    frame, without_targets = rows_with_targets(frame, encoder.targets)
    tally, data = Tally(), experiment.spec.data
    weight = data.weight if isinstance(data, FileData) else None
    table = _table(experiment, frame, encoder, weight, trained.record.class_weights, tally)
    split = experiment.preprocessor.split("data", table, np.arange(len(table)))
    for issue in of_loss(experiment.network, {"data": split}):
        raise DataError(issue.message)
    experiment = replace(experiment, splits=experiment.splits | {"data": split})
    notes = [*without_targets, *signs_unlike_training(frame, encoder.fills), *tally.notes()]
    return replace(trained, experiment=experiment), notes


def _model(trained: Trained, encoder: FeatureEncoder, dialect: Dialect) -> Model:
    experiment = trained.experiment
    return Model(
        experiment.spec.name,
        experiment.network,
        trained.params,
        experiment.preprocessor,
        encoder,
        experiment.table.target_names,
        dialect,
    )


def _with_known_weight(layout: Layout, weight: str | None) -> tuple[Layout, list[str]]:
    """The layout with the weight column named as in training, and a note if it was not."""
    if weight is None or is_parquet(layout.path):
        return layout, []
    names, notes = as_known(layout.dialect.columns, [weight])
    return replace(layout, dialect=replace(layout.dialect, columns=names)), notes


def _table(
    experiment: Experiment,
    frame: DataFrame,
    encoder: FeatureEncoder,
    weight: str | None,
    class_weights: Mapping[str, float] | None,
    tally: Tally,
) -> Table:
    known, every = experiment.table, np.arange(len(frame))
    table = Table(
        encoder.encode(frame, tally),
        known.input_names,
        targets=_targets(known, frame, encoder),
        weight=None if weight is None else weights_of(frame, weight),
        row_numbers=row_numbers(frame),
    )
    table = replace(table, weight=row_weights(table, class_weights, every))
    return table.with_inputs_as_targets() if known.is_autoencoder else table


def _targets(known: Table, frame: DataFrame, encoder: FeatureEncoder) -> Targets:
    if known.is_autoencoder:
        return None
    if known.labels is not None:
        return Classes(encoder.labels(frame), known.class_names)
    if known.words:
        words = tuple(known.words.values())
        Y = label_values(frame, known.target_names, words, encoder.target_spellings)
        return MultiLabels(Y, known.target_names, words)
    return Values(encoder.values(frame), known.target_names)
