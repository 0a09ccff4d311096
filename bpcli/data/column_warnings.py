"""Warnings about suspicious columns, before anything is trained on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.column_rules import MOST_CATEGORIES
from bpcli.data.column_values import ColumnValues, TableTask
from bpcli.data.dates import ambiguity_of, date_text
from bpcli.data.roles import are_names, id_of_rows
from bpcli.data.sentinels import sentinel_in
from bpcli.data.targets import MOST_CLASSES
from bpcli.data.types import UNBALANCED
from bpcli.data.variants import ColumnWords, variants_text
from bpcli.text import first_of

WarningKind: TypeAlias = Literal[
    "empty", "constant", "unreadable", "many categories", "id",
    "copy of the target", "mostly missing", "missing target", "unbalanced", "rare classes",
    "ambiguous dates", "sentinel", "spellings", "dates as target", "names as target",
    "many classes",
]  # fmt: skip

USELESS: frozenset[WarningKind] = frozenset({"empty", "constant", "unreadable", "many categories"})
"""Warnings about columns that a network cannot read or cannot learn from."""

DOUBTFUL: frozenset[WarningKind] = frozenset({"id", "copy of the target"})
"""Warnings about columns that a network should not read if there are others."""

_FEWEST_TO_JUDGE = 20

_SPLITS = 3

_MOST_NAMED = 3

_ROUNDING = 1e-12
"""The rounding error of a correlation of 1."""


@dataclass(frozen=True)
class ColumnWarning:
    """Something suspicious about a column."""

    column: str
    kind: WarningKind
    text: str


def column_warnings(
    column: ColumnValues, targets: Sequence[ColumnValues]
) -> Iterator[ColumnWarning]:
    """The most important warning about a column; a target is not checked for ids and categories."""
    is_input = column not in targets
    rows, known = len(column), len(column) - column.missing
    if not known:
        yield ColumnWarning(column.name, "empty", "has no value in any row")
    elif column.error is not None:
        yield ColumnWarning(column.name, "unreadable", f"cannot be read: {column.error}")
    elif column.unique == 1:
        yield ColumnWarning(column.name, "constant", f"is always {_only_value(column)}")
    elif is_input and (reason := id_of_rows(column, targets)) is not None:
        yield ColumnWarning(column.name, "id", reason)
    elif is_input and column.kind == "category" and column.unique > MOST_CATEGORIES:
        unique = f"{column.unique:,} unique values"
        text = f"has {unique}, more than the {MOST_CATEGORIES} categories allowed"
        yield ColumnWarning(column.name, "many categories", text)
    elif column.kind == "number" and (sentinel := sentinel_in(column.numbers)) is not None:
        yield ColumnWarning(column.name, "sentinel", sentinel)
    elif column.dates is not None and column.dates.other is not None:
        yield ColumnWarning(column.name, "ambiguous dates", ambiguity_of(column.dates))
    elif 2 * column.missing > rows:
        text = f"is missing in {column.missing:,} of {rows:,} rows"
        yield ColumnWarning(column.name, "mostly missing", text)


def _spelling_warnings(column: ColumnValues, noun: str) -> Iterator[ColumnWarning]:
    """A warning about texts that may be spellings of one category or class."""
    if column.kind == "category" and column.error is None and column.unique <= MOST_CLASSES:
        text = variants_text(ColumnWords(column.name, noun, dict(column.counted)))
        if text is not None:
            yield ColumnWarning(column.name, "spellings", text)


def _only_value(column: ColumnValues) -> str:
    if column.kind == "date":
        return date_text(column.summary.low, column.dates.chosen if column.dates else None)
    return column.counted[0][0]


def input_warnings(
    column: ColumnValues, target: ColumnValues, task: TableTask, association: float | None
) -> Iterator[ColumnWarning]:
    """Warnings about an input's spellings, and about an input that determines the target.

    `association` is that of the input with the target.
    """
    yield from _spelling_warnings(column, "category")
    if _determines(column, target, task, association):
        text = (
            f"determines the target `{target.name}`: check that it is known before the "
            "target is (data leakage)"
        )
        yield ColumnWarning(column.name, "copy of the target", text)


def _determines(
    column: ColumnValues, target: ColumnValues, task: TableTask, association: float | None
) -> bool:
    """Whether a column is the target under other class names or in other units."""
    is_of_units = column.kind != "category" and abs(association or 0) > 1 - _ROUNDING
    is_regression = task == "regression"
    if column.unique != target.unique or (is_regression and not is_of_units):
        return False
    known = (column.labels >= 0) & (target.labels >= 0)
    if known.sum() < _FEWEST_TO_JUDGE:
        return False
    pairs = np.unique(np.stack([column.labels, target.labels])[:, known], axis=1)
    return is_regression or int(pairs.shape[1]) == target.unique > 1


def target_warnings(target: ColumnValues, task: TableTask) -> Iterator[ColumnWarning]:
    """Warnings about the target's missing values and classes."""
    if target.missing:
        rows = "1 row" if target.missing == 1 else f"{target.missing:,} rows"
        text = f"is missing in {rows}, which cannot be used"
        yield ColumnWarning(target.name, "missing target", text)
    if target.kind == "date":
        yield ColumnWarning(
            target.name, "dates as target", "contains dates, which cannot be targets"
        )
    if task == "classification":
        yield from _spelling_warnings(target, "class")
        yield from _class_warnings(target)
    elif task == "multilabel":
        yield from _spelling_warnings(target, "value")


def _class_warnings(target: ColumnValues) -> Iterator[ColumnWarning]:
    counted, known = target.counted, len(target) - target.missing
    if len(counted) > MOST_CLASSES:
        text = f"has {len(counted):,} unique values, more than the {MOST_CLASSES} classes allowed"
        yield ColumnWarning(target.name, "many classes", text)
        return
    if are_names(target):
        text = f"has {len(counted):,} unique values in {known:,} rows: names, not classes"
        yield ColumnWarning(target.name, "names as target", text)
    if len(counted) < 2:
        return
    (most, many), (least, few) = counted[0], counted[-1]
    if many >= UNBALANCED * few:
        text = (
            f"is unbalanced: {many:,} rows of {most}, {few:,} of {least}; always predicting "
            f"{most} is correct for {100 * many / sum(dict(counted).values()):.1f} %"
        )
        yield ColumnWarning(target.name, "unbalanced", text)
    rare = [name for name, rows in counted if rows < _SPLITS]
    if rare:
        text = f"has too few rows per class for a three-way split: {first_of(rare, _MOST_NAMED)}"
        yield ColumnWarning(target.name, "rare classes", text)
