"""The description of a table before training: the content of each column, and warnings.

Nothing here changes the table or decides what a network reads. The description is printed, and
`bpnet init` writes the starter config from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Literal, NamedTuple, TypeAlias

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
from bpcli.data.roles import find_targets, guess_task
from bpcli.data.types import DataFrame
from bpcli.data.values import Kind
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

Measure: TypeAlias = Literal["r", "eta", "V"]

_MOST_FREQUENT = 3


@dataclass(frozen=True)
class ColumnFacts:
    """The facts about one column.

    `sd` is the population standard deviation, as in `scale: standard`. `most_frequent` has values
    with their row counts. `low` and `high` of dates are ISO dates. `association` is that with the
    target, by `measure`: Pearson's r, the correlation ratio eta, or Cramér's V.
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
    """A table's columns, its targets with the reasons for the guesses, and warnings.

    `classes` counts the classes of the target, or of one-hot targets, most frequent first; it is
    empty for numbers and labels.
    """

    rows: int
    duplicates: int
    targets: tuple[str, ...]
    why_target: str
    task: TableTask
    why_task: str
    classes: tuple[tuple[str, int], ...]
    columns: tuple[ColumnFacts, ...]
    warnings: tuple[ColumnWarning, ...]

    @property
    def target(self) -> str:
        """The names of the targets, separated by commas."""
        return ", ".join(self.targets)

    @property
    def unusable(self) -> dict[str, str]:
        """Inputs not to be used, with reasons; doubtful ones are listed only if others remain."""
        useless, doubtful = self._warned(USELESS), self._warned(DOUBTFUL)
        others = {column.name for column in self.columns} - {*self.targets, *useless}
        return useless | doubtful if others - set(doubtful) else useless

    @property
    def spelled(self) -> list[str]:
        """The columns in which a category may have several spellings, in order."""
        return [warning.column for warning in self.warnings if warning.kind == "spellings"]

    def _warned(self, kinds: frozenset[WarningKind]) -> dict[str, str]:
        return {
            warning.column: warning.text
            for warning in self.warnings
            if warning.kind in kinds and warning.column not in self.targets
        }

    @property
    def inputs(self) -> tuple[ColumnFacts, ...]:
        """The columns that a network may read."""
        excluded = {*self.targets, *self.unusable}
        return tuple(column for column in self.columns if column.name not in excluded)


def describe(
    frame: DataFrame, targets: Sequence[str] = (), date_format: str | None = None
) -> Description:
    """Describe every column of a table; the target is guessed by default.

    Raises `DataError` for a table without rows or columns, for an unknown target, and for several
    targets that do not form one task.
    """
    if not len(frame.columns) or not len(frame):
        raise DataError(f"the table has no {'rows' if len(frame.columns) else 'columns'}")
    indices, why_target = find_targets(frame, targets)
    answers = {i: ColumnValues.of(frame.iloc[:, i], date_format) for i in indices}
    chosen = [*answers.values()]
    task, why_task = guess_task(chosen)
    facts: list[ColumnFacts] = []
    warnings: list[ColumnWarning] = []
    for columns in columns_of(frame, date_format):
        start = len(facts)
        columns = [answers.get(start + i, column) for i, column in enumerate(columns)]
        for column, link in zip(columns, _links(columns, chosen, task), strict=True):
            facts.append(_facts(column, task, link))
            warnings.extend(column_warnings(column, chosen))
            if link is not None:
                warnings.extend(input_warnings(column, link.target, task, link.association))
    for answer in chosen:
        warnings.extend(target_warnings(answer, task))
    return Description(
        len(frame),
        repeated_rows(frame),
        tuple(answer.name for answer in chosen),
        why_target,
        task,
        why_task,
        _classes(chosen, task),
        tuple(facts),
        tuple(warnings),
    )


def _classes(targets: Sequence[ColumnValues], task: TableTask) -> tuple[tuple[str, int], ...]:
    """The classes with row counts: values of one target, or the names of one-hot targets."""
    if task != "classification":
        return ()
    if len(targets) == 1:
        return targets[0].counted
    rows = [(target.name, int(target.numbers.sum())) for target in targets]
    return tuple(sorted(rows, key=lambda item: (-item[1], item[0])))


def _facts(column: ColumnValues, task: TableTask, link: _Link | None) -> ColumnFacts:
    summary, is_date = column.summary, column.kind == "date"
    return ColumnFacts(
        column.name,
        column.kind,
        summary.missing,
        summary.unique,
        _shown(column, summary.low),
        _shown(column, summary.high),
        None if is_date else _or_none(summary.mean),
        None if is_date else _or_none(summary.sd),
        () if column.kind in ("number", "date") else column.counted[:_MOST_FREQUENT],
        None if link is None else _measure(column, task),
        None if link is None else link.association,
    )


def _shown(column: ColumnValues, value: float) -> float | str | None:
    """The minimum or maximum of a column, as text for dates; None if it has no values."""
    if column.kind != "date" or np.isnan(value):
        return _or_none(value)
    return date_text(value, None if column.dates is None else column.dates.chosen)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value


def _measure(column: ColumnValues, task: TableTask) -> Measure:
    """`r` for two numeric columns, `V` for two of categories, `eta` for one of each."""
    if task == "regression":
        return "eta" if column.kind == "category" else "r"
    return "V" if column.kind == "category" else "eta"


class _Link(NamedTuple):
    """The target with which a column has the strongest association, which may be undefined."""

    target: ColumnValues
    association: float | None

    @property
    def strength(self) -> float:
        return -1.0 if self.association is None else abs(self.association)


def _links(
    columns: Sequence[ColumnValues], targets: Sequence[ColumnValues], task: TableTask
) -> list[_Link | None]:
    """The strongest association of each column with a target; None for a target itself."""
    strengths = [_associations(columns, target, task) for target in targets]
    return [
        None
        if column in targets
        else max(
            (_Link(*link) for link in zip(targets, of_column, strict=True)),
            key=lambda link: link.strength,
        )
        for column, of_column in zip(columns, zip(*strengths, strict=True), strict=True)
    ]


def _associations(
    columns: Sequence[ColumnValues], target: ColumnValues, task: TableTask
) -> list[float | None]:
    """The association of each column with the target; numeric columns are computed at once."""
    numeric = [column.kind != "category" and column is not target for column in columns]
    rows = [numbers_of(column) for column in compress(columns, numeric)]
    of_numbers = iter(_associations_of_numbers(np.array(rows), target, task) if rows else ())
    return [
        _or_none(next(of_numbers)) if is_numeric else _association(column, target, task)
        for column, is_numeric in zip(columns, numeric, strict=True)
    ]


def _associations_of_numbers(rows: Array, target: ColumnValues, task: TableTask) -> list[float]:
    is_regression = task == "regression"
    strengths = (
        pearsons(rows, target.numbers) if is_regression else correlation_ratios(target.labels, rows)
    )
    values: list[float] = strengths.tolist()
    return values


def _association(column: ColumnValues, target: ColumnValues, task: TableTask) -> float | None:
    """The association of a column of categories; None for the target itself."""
    if column is target:
        return None
    if task == "regression":
        return correlation_ratio(column.labels, target.numbers)
    return cramers_v(column.labels, target.labels)
