"""The description of a table before training: the content of each column, and warnings.

Nothing here changes the table or decides what a network reads. The description is printed, and a
starter config follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from bpcli.data.association import correlation_ratio, cramers_v, pearson
from bpcli.data.column_values import ColumnValues, TableTask, numbers_of
from bpcli.data.column_warnings import (
    DOUBTFUL,
    USELESS,
    ColumnWarning,
    WarningKind,
    column_warnings,
    input_warnings,
    target_warnings,
)
from bpcli.data.dates import date_text
from bpcli.data.selection import select
from bpcli.data.types import DataFrame
from bpcli.data.values import Kind
from bpcli.errors import DataError
from bpcli.nn.arrays import Vector

Measure: TypeAlias = Literal["r", "eta", "V"]

TARGET_NAMES = ("target", "class", "label", "y", "output", "response", "outcome")
"""Names by which a column is taken as the target, in any position; the first one found."""

_MOST_FREQUENT = 3

_MOST_NUMBERED_CLASSES = 20

_ROWS_PER_NUMBERED_CLASS = 5


@dataclass(frozen=True)
class ColumnFacts:
    """One column: `sd` is the population's, as in `scale: standard`; `most_frequent` has counts.

    `low` and `high` of dates are ISO dates.

    `association` is with the target, by `measure`: Pearson's r, the correlation ratio eta, or
    Cramér's V.
    """

    name: str
    kind: Kind
    missing: int
    unique: int
    low: float | str | None = None
    high: float | str | None = None
    mean: float | None = None
    sd: float | None = None
    most_frequent: tuple[tuple[str, int], ...] = ()
    measure: Measure | None = None
    association: float | None = None


@dataclass(frozen=True)
class Description:
    """A table's columns, its target with the reasons for the guesses, and warnings.

    `classes` counts the target's classes, most frequent first; it is empty for numeric targets.
    """

    rows: int
    duplicates: int
    target: str
    why_target: str
    task: TableTask
    why_task: str
    classes: tuple[tuple[str, int], ...]
    columns: tuple[ColumnFacts, ...]
    warnings: tuple[ColumnWarning, ...]

    @property
    def unusable(self) -> dict[str, str]:
        """Inputs that a network should not read, and why; doubtful ones only if others remain."""
        useless, doubtful = self._warned(USELESS), self._warned(DOUBTFUL)
        others = {column.name for column in self.columns} - {self.target, *useless}
        return useless | doubtful if others - set(doubtful) else useless

    def _warned(self, kinds: frozenset[WarningKind]) -> dict[str, str]:
        return {
            warning.column: warning.text
            for warning in self.warnings
            if warning.kind in kinds and warning.column != self.target
        }

    @property
    def inputs(self) -> tuple[ColumnFacts, ...]:
        """The columns that a network may read."""
        excluded = {self.target, *self.unusable}
        return tuple(column for column in self.columns if column.name not in excluded)


def describe(
    frame: DataFrame, target: str | None = None, date_format: str | None = None
) -> Description:
    """Describe every column of a table; the target is guessed by default.

    Raises `DataError` for a table without rows or columns, and for an unknown target.
    """
    if not len(frame.columns) or not len(frame):
        raise DataError(f"the table has no {'rows' if len(frame.columns) else 'columns'}")
    names = [str(name) for name in frame.columns]
    index, why_target = find_target(names, target)
    answer = ColumnValues.of(frame.iloc[:, index], date_format)
    task, why_task = guess_task(answer)
    facts: list[ColumnFacts] = []
    warnings: list[ColumnWarning] = []
    for i, (_, values) in enumerate(frame.items()):  # describing a column takes many times its size
        column = answer if i == index else ColumnValues.of(values, date_format)
        facts.append(_facts(column, answer, task))
        warnings.extend(column_warnings(column))
        warnings.extend(input_warnings(column, answer, task))
    return Description(
        len(frame),
        _duplicates(frame),
        answer.name,
        why_target,
        task,
        why_task,
        answer.counted if task == "classification" else (),
        tuple(facts),
        (*warnings, *target_warnings(answer, task)),
    )


def _duplicates(frame: DataFrame) -> int:
    """The number of rows that repeat an earlier one; lists are compared as text."""
    try:
        return int(frame.duplicated().sum())
    except TypeError:
        return int(frame.astype(str).duplicated().sum())


def find_target(names: Sequence[str], asked: str | None) -> tuple[int, str]:
    """The index of the target and the reason: as requested, by its name, or the last column.

    Raises `DataError` if the request is not exactly one column.
    """
    if asked is not None:
        selector = int(asked) if asked.isdecimal() and asked not in names else asked
        selected = select(names, (selector,), "targets")
        if len(selected) > 1:
            raise DataError(f"expected one target column, but `{asked}` matches {len(selected)}")
        return names.index(selected[0]), "as requested"
    lower = [name.strip().lower() for name in names]
    for name in TARGET_NAMES:
        if name in lower:
            return lower.index(name), "by its name"
    return len(names) - 1, "the last column"


def guess_task(column: ColumnValues) -> tuple[TableTask, str]:
    """The task of a target, and the reason.

    Classes are text, booleans, two whole numbers, or repeated whole numbers that count from 0 or 1
    without gaps.
    """
    count = column.unique
    most = min(_MOST_NUMBERED_CLASSES, len(column) // _ROWS_PER_NUMBERED_CLASS)
    if column.kind == "category":
        return "classification", "it holds categories"
    if column.kind == "boolean":
        return "classification", "it holds true and false"
    if column.is_whole and count == 2:
        return "classification", "it holds only two whole numbers"
    if column.counts_up and 2 < count <= most:
        return (
            "classification",
            f"it counts from {column.known.min():.0f} to {column.known.max():.0f}",
        )
    return "regression", f"it holds {count:,} unique numbers"


def _facts(column: ColumnValues, answer: ColumnValues, task: TableTask) -> ColumnFacts:
    known = column.known if column.kind == "number" else np.empty(0)
    numbers: dict[str, Any] = _first_and_last(column)
    if len(known):
        numbers = {
            "low": float(known.min()),
            "high": float(known.max()),
            "mean": _mean(known),
            "sd": _sd(known),
        }
    measure = None if column is answer else _measure(column, task)
    return ColumnFacts(
        column.name,
        column.kind,
        column.missing,
        column.unique,
        most_frequent=() if column.kind in ("number", "date") else column.counted[:_MOST_FREQUENT],
        measure=measure,
        association=None if measure is None else _association(column, answer, measure, task),
        **numbers,
    )


def _first_and_last(column: ColumnValues) -> dict[str, Any]:
    if column.kind != "date" or column.error or not len(column.known):
        return {}
    date_format = None if column.dates is None else column.dates.chosen
    first, last = (float(end) for end in (column.known.min(), column.known.max()))
    return {"low": date_text(first, date_format), "high": date_text(last, date_format)}


def _mean(values: Vector) -> float:
    """The mean of numbers whose sum may overflow."""
    return float((values / len(values)).sum())


def _sd(values: Vector) -> float:
    largest = float(np.abs(values).max()) or 1.0
    return float((values / largest).std()) * largest


def _measure(column: ColumnValues, task: TableTask) -> Measure:
    """R for two columns of numbers, V for two of categories, eta for one of each."""
    if task == "regression":
        return "eta" if column.kind == "category" else "r"
    return "V" if column.kind == "category" else "eta"


def _association(
    column: ColumnValues, answer: ColumnValues, measure: Measure, task: TableTask
) -> float | None:
    if measure == "r":
        return pearson(numbers_of(column), answer.numbers)
    if measure == "V":
        return cramers_v(column.labels, answer.labels)
    if task == "regression":
        return correlation_ratio(column.labels, answer.numbers)
    return correlation_ratio(answer.labels, numbers_of(column))
