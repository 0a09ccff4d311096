"""The rows of the table that a trace shows, and their description.

The description always names the rows of the update, since an update from one row differs from
training's update from all rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.data.table import Table
from bpcli.data.types import SPLITS, Labels, SplitName
from bpcli.errors import ConfigError
from bpcli.experiment.experiment import Experiment

MOST_ROWS = 8
"""Training sets of up to this size are shown whole by default; more rows do not fit on a page."""


def chosen_rows(experiment: Experiment, numbers: Sequence[int] | None) -> tuple[Labels, str]:
    """The indices of rows in the table, by their numbers from 1, and their description."""
    training, table = experiment.splits["train"].index[:], experiment.table
    if numbers is None:
        return _default_rows(table, training)
    every = table.numbers_of(np.arange(len(table)))
    is_chosen = np.isin(every, numbers[: len(every) + 1])
    if not 0 < len(numbers) == np.count_nonzero(is_chosen):
        raise ConfigError(
            f"Some of these rows do not exist: expected rows from {every[0]} to {every[-1]}."
        )
    index = np.flatnonzero(is_chosen)
    counted = _counted(table.numbers_of(index))
    if np.array_equal(index, training):
        return index, f"{counted}, the whole training set"
    alone = "alone" if len(index) == 1 else "as one batch"
    return index, f"{counted} {alone}; training has {len(training)} rows"


def _default_rows(table: Table, training: Labels) -> tuple[Labels, str]:
    numbers = table.numbers_of(training)
    if len(training) <= MOST_ROWS:
        return training, f"{_counted(numbers)}, the whole training set"
    first = _counted(numbers[:1])
    return training[:1], f"{first} alone, the first of the {len(training)} training rows"


def _counted(numbers: Labels) -> str:
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    if np.array_equal(numbers, np.arange(numbers[0], numbers[-1] + 1)):
        return f"rows {numbers[0]} to {numbers[-1]}"
    return f"rows {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def splits_of(experiment: Experiment, index: Labels) -> tuple[SplitName, ...]:
    split_of = np.zeros(len(experiment.table), np.intp)
    for number, name in enumerate(SPLITS):
        split_of[experiment.splits[name].index[:]] = number
    return tuple(SPLITS[number] for number in split_of[index])


def notes_on(experiment: Experiment, index: Labels) -> list[str]:
    """Notes on rows, batches and scales that a reader may not expect."""
    spec, notes = experiment.spec, []
    others = sorted(set(splits_of(experiment, index)) - {"train"})
    if others:
        splits = " and ".join(others)
        notes.append(f"Some of these rows are in the {splits} split: training does not use them.")
    size = spec.training.batch_size
    if size != "full":
        notes.append(f"Training draws {'a row' if size == 1 else f'{size} rows'} for each update.")
    sides = {"inputs": experiment.preprocessor.inputs, "targets": experiment.preprocessor.targets}
    scaled = [name for name, scale in sides.items() if not scale.changes_nothing]
    if scaled:
        notes.append(f"{' and '.join(scaled).capitalize()} are shown after scaling by data.scale.")
    if not experiment.table.has_targets:
        notes.append(
            "The data have no targets, so this is only a forward pass, without loss and update."
        )
    return notes
