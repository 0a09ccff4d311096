"""Intervals and sets by all networks of a cross-validation; see `bpcli.intervals.cross`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from bpcli.errors import DataError
from bpcli.export.model import load_model
from bpcli.intervals.conformal import rank
from bpcli.intervals.cross import CrossErrors, CrossSets, guaranteed
from bpcli.runs.folds import siblings
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained, load_trained
from bpcli.text import plural
from bpcli.workflows.calibration_scores import calibration_scores, split_outputs
from bpcli.workflows.interval_columns import (
    Columns,
    CrossIntervals,
    CrossSetsOfClasses,
    FittedColumns,
    FoldOutputs,
)

OtherRows: TypeAlias = Callable[[Run], Trained]
"""Loads a run with the rows to score as its split `data`."""


def cross_columns(trained: Trained, level: float) -> FittedColumns:
    """Intervals or sets from the errors of each fold's network on its test set.

    Raises `DataError` if the run is no fold, or if not all of its folds are there.
    """
    folds = [load_trained(run, trained.weights) for run in _runs(trained)]
    experiment = trained.experiment
    models = tuple(load_model(fold.run, fold.weights) for fold in folds)
    scores = tuple(calibration_scores(fold.experiment, fold.params, "test") for fold in folds)
    rows = sum(map(len, scores))
    rank(rows, level)
    class_names = experiment.preprocessor.class_names
    if class_names:
        sets = CrossSets(tuple(np.sort(each[:, 0]) for each in scores), level)
        columns: Columns = CrossSetsOfClasses(sets, class_names, FoldOutputs(models))
    else:
        columns = CrossIntervals(
            CrossErrors(scores, level),
            experiment.preprocessor.inputs,
            experiment.output_names,
            experiment.table.target_names,
            FoldOutputs(models),
        )
    proven = guaranteed(level, rows, len(folds))
    return FittedColumns(
        columns,
        rows,
        f"about {level:g} (guaranteed: at least {proven:.3g}), for rows from the same source as "
        f"the {plural(rows, 'row')} of the {len(folds)} folds",
    )


def scored_by_folds(columns: Columns, trained: Trained, other_rows: OtherRows) -> Columns:
    """The columns, with the outputs of all folds for the rows to score."""
    assert isinstance(columns, CrossIntervals | CrossSetsOfClasses), "they are those of folds"
    outputs = [split_outputs(other_rows(run), "data") for run in _runs(trained)]
    return replace(columns, folds=replace(columns.folds, scored=np.hstack(outputs)))


def _runs(trained: Trained) -> list[Run]:
    """The runs of all folds. Raises `DataError` if there are not all of them."""
    fold, folder = trained.record.fold, trained.run.folder.parent
    if fold is None:
        raise DataError("it is not a fold: train with `data.split: {folds: 10}`")
    finished = [each for each in siblings(trained.record, folder) if each.status == "finished"]
    numbers = {each.fold.number for each in finished if each.fold is not None}
    if len(numbers) < fold.of:
        missing = ", ".join(str(n) for n in range(1, fold.of + 1) if n not in numbers)
        raise DataError(
            f"only {len(numbers)} of its {fold.of} folds are finished runs in {folder}: train "
            f"all of them, because no network was trained without the rows of fold {missing}"
        )
    return [Run(folder / each.run_id) for each in finished]
