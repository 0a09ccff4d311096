"""The rows of the table that a trace shows, and their description.

The description always names the rows of the update, since an update from one row differs from
training's update from all rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.data.types import SPLITS, Labels, SplitName
from bpcli.errors import ConfigError
from bpcli.experiment.experiment import Experiment

MOST_ROWS = 8
"""Training sets of up to this size are shown whole by default; more rows do not fit on a page."""


def chosen_rows(experiment: Experiment, rows: Sequence[int] | None) -> tuple[Labels, str]:
    """The rows of the table, and their description."""
    training = experiment.splits["train"].index
    if rows is None:
        return _default_rows(training)
    last = len(experiment.table) - 1
    if not 0 < len(rows) <= last + 1 or min(rows) < 0 or max(rows) > last:
        raise ConfigError(f"There are no such rows: expected rows from 0 to {last}.")
    index = np.asarray(rows, np.intp)
    if np.array_equal(index, training):
        return index, f"{_counted(index)}, the whole training set"
    alone = "alone" if len(index) == 1 else "as one batch"
    return index, f"{_counted(index)} {alone}; training has {len(training)} rows"


def _default_rows(training: Labels) -> tuple[Labels, str]:
    if len(training) <= MOST_ROWS:
        return training, f"{_counted(training)}, the whole training set"
    first = training[:1]
    return first, f"{_counted(first)} alone, the first of the {len(training)} training rows"


def _counted(index: Labels) -> str:
    if len(index) == 1:
        return f"row {index[0]}"
    if np.array_equal(index, np.arange(index[0], index[-1] + 1)):
        return f"rows {index[0]} to {index[-1]}"
    return f"rows {', '.join(map(str, index[:-1]))} and {index[-1]}"


def splits_of(experiment: Experiment, index: Labels) -> tuple[SplitName, ...]:
    split_of = np.zeros(len(experiment.table), np.intp)
    for number, name in enumerate(SPLITS):
        split_of[experiment.splits[name].index] = number
    return tuple(SPLITS[number] for number in split_of[index])


def notes_on(experiment: Experiment, index: Labels) -> list[str]:
    """Notes on rows, batches and scales that a reader would not expect."""
    spec, notes = experiment.spec, []
    others = sorted(set(splits_of(experiment, index)) - {"train"})
    if others:
        splits = " and ".join(others)
        notes.append(f"Some of these rows are in the {splits} split: they are not trained on.")
    size = spec.training.batch_size
    if size != "full":
        notes.append(f"Training draws {'a row' if size == 1 else f'{size} rows'} for each update.")
    sides = {"inputs": experiment.preprocessor.inputs, "targets": experiment.preprocessor.targets}
    scaled = [name for name, scale in sides.items() if not scale.changes_nothing]
    if scaled:
        notes.append(f"{' and '.join(scaled).capitalize()} are shown as scaled by data.scale.")
    if not experiment.table.has_targets:
        notes.append(
            "The data have no targets: there is only a forward pass, without loss and update."
        )
    return notes
