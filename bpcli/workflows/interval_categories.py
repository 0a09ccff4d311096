"""Intervals and sets that have the level in each category of an input, or for each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.preprocessing import Split
from bpcli.data.types import Labels
from bpcli.errors import DataError
from bpcli.intervals.conformal import AdaptiveSets, fewest_rows, quantile
from bpcli.intervals.local import ByCategory, Categories
from bpcli.nn.arrays import Array, Vector
from bpcli.runs.trained import Trained
from bpcli.text import did_you_mean, first_of
from bpcli.workflows.interval_columns import QuantilesOfInput, SetsByClass


def by_category(
    trained: Trained, split: Split, by: str, scores: Array, level: float
) -> QuantilesOfInput:
    """The quantile of the scores (n, targets) in each category of an input.

    Raises `DataError` if there is no such input, or if no category has enough rows.
    """
    column, places = _input(trained, by)
    X, scaler = split.X, trained.experiment.preprocessor.inputs
    quantiles = ByCategory.fit(Categories.of(X, places), X, scores, level)
    rows = np.zeros((len(quantiles.rows), X.shape[1]))
    rows[:, places] = quantiles.categories.keys
    names = tuple(_name(column, row) for row in scaler.invert(rows)[:, places])
    return QuantilesOfInput(by, quantiles, names, scaler, _unpromised(names, quantiles.rows, level))


def names_the_classes(trained: Trained, by: str) -> bool:
    """Whether a name is that of the target whose classes are predicted, or `class`."""
    encoder = trained.experiment.table.encoder
    targets = () if encoder is None else encoder.targets
    inputs = _inputs(trained)
    return by in targets or (by == "class" and by not in inputs)


def by_class(names: tuple[str, ...], labels: Labels, scores: Array, level: float) -> SetsByClass:
    """Sets with the quantile of the scores (n, 1) of the rows of each class.

    Raises `DataError` if no class has enough rows.
    """
    rows = np.bincount(labels, minlength=len(names))
    pooled, fewest = quantile(scores, level), fewest_rows(level)
    thresholds = [
        quantile(scores[labels == k], level) if count >= fewest else pooled
        for k, count in enumerate(rows)
    ]
    unpromised = _unpromised(names, rows, level)
    return SetsByClass(AdaptiveSets(np.concatenate(thresholds)), names, unpromised)


def _unpromised(names: Sequence[str], rows: Labels, level: float) -> tuple[str, ...]:
    """What is said of categories with too few rows. Raises `DataError` if all have too few."""
    fewest = fewest_rows(level)
    few = [f"`{name}` ({count})" for name, count in zip(names, rows, strict=True) if count < fewest]
    if len(few) == len(names):
        raise DataError(
            f"a level of {level:g} needs {fewest:,} calibration rows in a category, and no "
            f"category has that many: {first_of(few, 5)}; use a lower level, or a column of fewer "
            "categories"
        )
    if not few:
        return ()
    note = (
        f"categories with fewer than {fewest:,} calibration rows use the quantile of all rows, "
        f"without a separate guarantee: {first_of(few)}"
    )
    return (note,)


def _inputs(trained: Trained) -> dict[str, tuple[InputColumn, tuple[int, ...]]]:
    """The inputs by name, each with its places among the network's inputs."""
    table, places = trained.experiment.table, dict[str, tuple[InputColumn, tuple[int, ...]]]()
    columns = map(InputColumn, table.input_names) if table.encoder is None else table.encoder.inputs
    first = 0
    for column in columns:
        end = first + len(column.names)
        places[column.name] = column, tuple(range(first, end))
        first = end
    return places


def _input(trained: Trained, by: str) -> tuple[InputColumn, tuple[int, ...]]:
    inputs = _inputs(trained)
    if by not in inputs:
        known = list(inputs)
        raise DataError(
            f"`{by}` is not an input of the network{did_you_mean(by, known)}; categories are "
            f"those of an input: {first_of(known)}"
        )
    return inputs[by]


def _name(column: InputColumn, row: Vector) -> str:
    """The category of a row of a column's inputs, in original units."""
    if column.indicator and row[-1] == 1:
        return "missing"
    if column.kind == "category":
        own = row[: len(column.categories)]
        return column.categories[int(own.argmax())] if own.any() else "another"
    if column.kind == "boolean":
        return "true" if row[0] else "false"
    return f"{row[0]:.10g}"
