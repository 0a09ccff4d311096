"""The description of a table before training: the content of each column, and warnings.

Nothing here changes the table or decides what a network reads. The description is printed, and a
starter config follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.association import correlation_ratio, correlation_ratios, cramers_v, pearsons
from bpcli.data.column_values import ColumnValues, TableTask, columns_of, numbers_of
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
from bpcli.data.repeats import repeated_rows
from bpcli.data.selection import select
from bpcli.data.types import DataFrame
from bpcli.data.values import Kind
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

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

    @property
    def spelled(self) -> list[str]:
        """The columns that have several spellings of a word, in order."""
        return [warning.column for warning in self.warnings if warning.kind == "spellings"]

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
    for columns in columns_of(frame, date_format):
        if 0 <= (place := index - len(facts)) < len(columns):
            columns[place] = answer
        for column, association in zip(columns, _associations(columns, answer, task), strict=True):
            facts.append(_facts(column, answer, task, association))
            warnings.extend(column_warnings(column))
            warnings.extend(input_warnings(column, answer, task, association))
    return Description(
        len(frame),
        repeated_rows(frame),
        answer.name,
        why_target,
        task,
        why_task,
        answer.counted if task == "classification" else (),
        tuple(facts),
        (*warnings, *target_warnings(answer, task)),
    )


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
            f"it counts from {column.summary.low:.0f} to {column.summary.high:.0f}",
        )
    return "regression", f"it holds {count:,} unique numbers"


def _facts(
    column: ColumnValues, answer: ColumnValues, task: TableTask, association: float | None
) -> ColumnFacts:
    found, is_date = column.summary, column.kind == "date"
    return ColumnFacts(
        column.name,
        column.kind,
        found.missing,
        found.unique,
        _shown(column, found.low),
        _shown(column, found.high),
        None if is_date else _or_none(found.mean),
        None if is_date else _or_none(found.sd),
        () if column.kind in ("number", "date") else column.counted[:_MOST_FREQUENT],
        None if column is answer else _measure(column, task),
        association,
    )


def _shown(column: ColumnValues, value: float) -> float | str | None:
    """An end of a column's range; of dates as text."""
    if column.kind != "date" or np.isnan(value):
        return _or_none(value)
    return date_text(value, None if column.dates is None else column.dates.chosen)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value


def _measure(column: ColumnValues, task: TableTask) -> Measure:
    """R for two columns of numbers, V for two of categories, eta for one of each."""
    if task == "regression":
        return "eta" if column.kind == "category" else "r"
    return "V" if column.kind == "category" else "eta"


def _associations(
    columns: Sequence[ColumnValues], answer: ColumnValues, task: TableTask
) -> list[float | None]:
    """The association of each column with the target; for numbers, of all at once."""
    numeric = [column.kind != "category" and column is not answer for column in columns]
    rows = [numbers_of(column) for column in compress(columns, numeric)]
    of_numbers = iter(_associations_of_numbers(np.array(rows), answer, task) if rows else ())
    return [
        _or_none(next(of_numbers)) if is_numeric else _association(column, answer, task)
        for column, is_numeric in zip(columns, numeric, strict=True)
    ]


def _associations_of_numbers(rows: Array, answer: ColumnValues, task: TableTask) -> list[float]:
    is_regression = task == "regression"
    found = (
        pearsons(rows, answer.numbers) if is_regression else correlation_ratios(answer.labels, rows)
    )
    values: list[float] = found.tolist()
    return values


def _association(column: ColumnValues, answer: ColumnValues, task: TableTask) -> float | None:
    """The association of a column of categories; None of the target."""
    if column is answer:
        return None
    if task == "regression":
        return correlation_ratio(column.labels, answer.numbers)
    return cramers_v(column.labels, answer.labels)
