"""Warnings: what is suspicious about a column, before anything is trained on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.association import pearson
from bpcli.data.column_rules import MOST_CATEGORIES
from bpcli.data.column_values import ColumnValues, TableTask, numbers_of

WarningKind: TypeAlias = Literal[
    "empty", "constant", "unreadable", "many categories", "row numbers", "names",
    "copy of the target", "mostly missing", "missing target", "unbalanced", "rare classes",
]  # fmt: skip

USELESS: frozenset[WarningKind] = frozenset({"empty", "constant", "unreadable", "many categories"})
"""What a network cannot read, or not learn from."""

DOUBTFUL: frozenset[WarningKind] = frozenset({"row numbers", "names", "copy of the target"})
"""What a network had better not read, as long as there is something else."""

_FEWEST_TO_JUDGE = 20

_UNBALANCED = 10

_SPLITS = 3


@dataclass(frozen=True)
class ColumnWarning:
    """Something suspicious about a column."""

    column: str
    kind: WarningKind
    text: str


def column_warnings(column: ColumnValues) -> Iterator[ColumnWarning]:
    """The most important warning about a column."""
    rows, known = len(column), len(column) - column.missing
    if not known:
        yield ColumnWarning(column.name, "empty", "has no value in any row")
    elif column.fault is not None:
        yield ColumnWarning(column.name, "unreadable", f"cannot be read: {column.fault}")
    elif column.unique == 1:
        yield ColumnWarning(column.name, "constant", f"is always {column.counted[0][0]}")
    elif _numbers_the_rows(column):
        yield ColumnWarning(column.name, "row numbers", "numbers the rows: an id, not a property")
    elif column.kind == "category" and column.unique > MOST_CATEGORIES:
        text = f"has {column.unique:,} unique values, more than {MOST_CATEGORIES} categories"
        yield ColumnWarning(column.name, "many categories", text)
    elif column.kind == "category" and 2 * column.unique > known >= _FEWEST_TO_JUDGE:
        text = f"has {column.unique:,} unique values in {known:,} rows: names, not categories"
        yield ColumnWarning(column.name, "names", text)
    elif 2 * column.missing > rows:
        text = f"is missing in {column.missing:,} of {rows:,} rows"
        yield ColumnWarning(column.name, "mostly missing", text)


def _numbers_the_rows(column: ColumnValues) -> bool:
    """Whole numbers in a row, each once."""
    rows = len(column)
    if not column.is_whole or column.unique < rows or rows < _FEWEST_TO_JUDGE:
        return False
    return bool(column.known.max() - column.known.min() == rows - 1)


def input_warnings(
    column: ColumnValues, answer: ColumnValues, task: TableTask
) -> Iterator[ColumnWarning]:
    """A warning about an input that gives the target away."""
    if column is not answer and _tells_the_answer(column, answer, task):
        text = f"tells the target `{answer.name}` for certain: is it known beforehand?"
        yield ColumnWarning(column.name, "copy of the target", text)


def _tells_the_answer(column: ColumnValues, answer: ColumnValues, task: TableTask) -> bool:
    """Equal to the target but for how it is written: another name for each class, another unit."""
    known = (column.labels >= 0) & (answer.labels >= 0)
    if column.unique != answer.unique or known.sum() < _FEWEST_TO_JUDGE:
        return False
    if task == "classification":
        pairs = np.unique(np.stack([column.labels, answer.labels])[:, known], axis=1)
        return int(pairs.shape[1]) == answer.unique > 1
    if column.kind == "category":
        return False
    r = pearson(numbers_of(column), answer.numbers)
    return r is not None and 1 - abs(r) < 1e-12


def target_warnings(answer: ColumnValues, task: TableTask) -> Iterator[ColumnWarning]:
    """Warnings about the target's missing values and classes."""
    if answer.missing:
        text = f"is missing in {answer.missing:,} rows, which cannot train"
        yield ColumnWarning(answer.name, "missing target", text)
    if task == "classification":
        yield from _of_classes(answer)


def _of_classes(answer: ColumnValues) -> Iterator[ColumnWarning]:
    counted = answer.counted
    if len(counted) < 2:
        return
    (most, many), (least, few) = counted[0], counted[-1]
    if many >= _UNBALANCED * few:
        text = (
            f"is unbalanced: {many:,} rows of {most}, {few:,} of {least}; "
            f"to answer {most} always is right in {100 * many / sum(dict(counted).values()):.1f} %"
        )
        yield ColumnWarning(answer.name, "unbalanced", text)
    rare = [name for name, rows in counted if rows < _SPLITS]
    if rare:
        text = f"has classes too small to be in three splits: {', '.join(rare[:_SPLITS])}"
        yield ColumnWarning(answer.name, "rare classes", text + ", …" * (len(rare) > _SPLITS))
