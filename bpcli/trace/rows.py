"""The rows of the table that a trace is of, and what is said of them.

Which rows make the update is said in words, never left to guess: an update from one row is not the
one that training makes of all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.data.types import SPLITS, Labels, SplitName
from bpcli.errors import ConfigError
from bpcli.experiment.experiment import Experiment

MOST_ROWS = 8
"""So many training rows are all shown unless others are asked for: more do not fit a page."""


def chosen_rows(experiment: Experiment, rows: Sequence[int] | None) -> tuple[Labels, str]:
    """The rows of the table, and in words which they are."""
    training = experiment.splits["train"].index
    if rows is None:
        return _default_rows(training)
    last = len(experiment.table) - 1
    if not 0 < len(rows) <= last + 1 or min(rows) < 0 or max(rows) > last:
        raise ConfigError(f"There are no such rows: the data have rows 0 to {last}.")
    index = np.asarray(rows, np.intp)
    if np.array_equal(index, training):
        return index, f"{_counted(index)}, the whole training set"
    alone = "alone" if len(index) == 1 else "as one batch"
    return index, f"{_counted(index)} {alone}; training has {len(training)} rows"


def _default_rows(training: Labels) -> tuple[Labels, str]:
    if len(training) <= MOST_ROWS:
        return training, f"{_counted(training)}, the whole training set"
    first = training[:1]
    return first, (f"{_counted(first)} alone, the first of the {len(training)} training rows")


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
    """What a reader would otherwise take for granted."""
    spec, notes = experiment.spec, []
    others = sorted(set(splits_of(experiment, index)) - {"train"})
    if others:
        notes.append(f"Some of these rows are of the {' and '.join(others)} split: not trained on.")
    size = spec.training.batch_size
    if size != "full":
        notes.append(f"Training draws {'a row' if size == 1 else f'{size} rows'} for each update.")
    sides = {"inputs": experiment.preprocessor.inputs, "targets": experiment.preprocessor.targets}
    scaled = [name for name, scale in sides.items() if not scale.changes_nothing]
    if scaled:
        notes.append(f"{' and '.join(scaled).capitalize()} are as data.scale leaves them.")
    if not experiment.table.has_targets:
        notes.append(
            "The data have no targets: no loss, no backward pass, no update; forward alone."
        )
    return notes
