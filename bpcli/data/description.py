"""A look at a table before anything is trained: what each column holds, and what is odd about it.

Nothing here changes the table or decides what a network reads; it is said, and a starter config
goes by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from bpcli.data.association import correlation_ratio, cramers_v, pearson
from bpcli.data.columns import MOST_CATEGORIES, Kind, as_numbers, kind_of, select, word_of
from bpcli.data.types import Labels
from bpcli.errors import DataError
from bpcli.nn.arrays import Vector

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Measure: TypeAlias = Literal["r", "eta", "V"]
TableTask: TypeAlias = Literal["classification", "regression"]
Oddity: TypeAlias = Literal[
    "empty", "constant", "unreadable", "many words", "row numbers", "names", "copy of the target",
    "mostly missing", "missing target", "unbalanced", "rare classes",
]  # fmt: skip

USELESS: frozenset[Oddity] = frozenset({"empty", "constant", "unreadable", "many words"})
"""What a network cannot read, or not learn from."""

DOUBTFUL: frozenset[Oddity] = frozenset({"row numbers", "names", "copy of the target"})
"""What a network had better not read, as long as there is something else."""

TARGET_NAMES = ("target", "class", "label", "y", "output", "response", "outcome")
"""What a column is called that is the target wherever it stands."""

_COMMONEST = 3
_MOST_NUMBERED_CLASSES = 20
_ROWS_A_NUMBERED_CLASS = 5
_FEWEST_TO_JUDGE = 20
_UNBALANCED = 10
_SPLITS = 3


@dataclass(frozen=True)
class ColumnFacts:
    """One column: `sd` is the population's, as `scale: standard` has it; `most_frequent` counts.

    `association` with the target is by `measure`: Pearson's r, the correlation ratio eta, or
    Cramér's V.
    """

    name: str
    kind: Kind
    missing: int
    distinct: int
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    sd: float | None = None
    most_frequent: tuple[tuple[str, int], ...] = ()
    measure: Measure | None = None
    association: float | None = None


@dataclass(frozen=True)
class Remark:
    """Something suspicious about a column."""

    column: str
    oddity: Oddity
    text: str


@dataclass(frozen=True)
class Description:
    """A table's columns, its target with the reasons for the guesses, and what is odd.

    `classes` counts the target's classes, most frequent first; it is empty for numbers to predict.
    """

    rows: int
    duplicates: int
    target: str
    why_target: str
    task: TableTask
    why_task: str
    classes: tuple[tuple[str, int], ...]
    columns: tuple[ColumnFacts, ...]
    remarks: tuple[Remark, ...]

    @property
    def answer(self) -> ColumnFacts:
        """The target's column."""
        return next(column for column in self.columns if column.name == self.target)

    @property
    def unusable(self) -> dict[str, str]:
        """Inputs that a network should not read, and why; doubtful ones where others are left."""
        useless, doubtful = self._odd(USELESS), self._odd(DOUBTFUL)
        others = {column.name for column in self.columns} - {self.target, *useless}
        return useless | doubtful if others - set(doubtful) else useless

    def _odd(self, oddities: frozenset[Oddity]) -> dict[str, str]:
        return {
            remark.column: remark.text
            for remark in self.remarks
            if remark.oddity in oddities and remark.column != self.target
        }

    @property
    def inputs(self) -> tuple[ColumnFacts, ...]:
        """The columns that a network may read."""
        out = {self.target, *self.unusable}
        return tuple(column for column in self.columns if column.name not in out)

    def to_json(self) -> dict[str, Any]:
        """Plain values, in the order of the table."""
        return asdict(self)


def describe(frame: DataFrame, target: str | None = None) -> Description:
    """Look at every column of a table, and at its target: by default guessed.

    Raises `DataError` for a table without rows or columns, and a target that is not there.
    """
    if not len(frame.columns) or not len(frame):
        raise DataError(f"the table has no {'rows' if len(frame.columns) else 'columns'}")
    names = [str(name) for name in frame.columns]
    place, why_target = find_target(names, target)
    answer = _Column.of(frame.iloc[:, place])
    task, why_task = guess_task(answer)
    facts: list[ColumnFacts] = []
    remarks: list[Remark] = []
    for i in range(len(names)):  # one at a time: a column takes many times its size
        column = answer if i == place else _Column.of(frame.iloc[:, i])
        facts.append(_facts(column, answer, task))
        remarks.extend(_of_column(column))
        remarks.extend(_of_input(column, answer, task))
    return Description(
        len(frame),
        int(frame.duplicated().sum()),
        answer.name,
        why_target,
        task,
        why_task,
        answer.counted if task == "classification" else (),
        tuple(facts),
        (*remarks, *_of_target(answer, task)),
    )


# Guesses.


def find_target(names: Sequence[str], asked: str | None) -> tuple[int, str]:
    """The place of the target and why: a name or a number from 1; else by name; else the last.

    Raises `DataError` where what is asked for is not one column.
    """
    if asked is not None:
        selector = int(asked) if asked.isdecimal() and asked not in names else asked
        found = select(names, (selector,), "targets")
        if len(found) > 1:
            raise DataError(f"the target is one column here, but `{asked}` chooses {len(found)}")
        return names.index(found[0]), "as asked for"
    for place, name in enumerate(names):
        if name.strip().lower() in TARGET_NAMES:
            return place, "by its name"
    return len(names) - 1, "the last column"


def guess_task(column: _Column) -> tuple[TableTask, str]:
    """What a target asks for, and why.

    Classes are words, true and false, two whole numbers, or whole numbers that count from 0 or 1
    without a gap and repeat.
    """
    count = column.distinct
    if column.kind == "category":
        return "classification", "it holds words"
    if column.kind == "boolean":
        return "classification", "it holds true and false"
    if column.is_whole and count == 2:
        return "classification", "it holds two different whole numbers"
    if column.counts_up and 2 < count <= _most_numbered_classes(len(column)):
        return (
            "classification",
            f"it counts from {column.known.min():.0f} to {column.known.max():.0f}",
        )
    return "regression", f"it holds {count:,} different numbers"


def _most_numbered_classes(rows: int) -> int:
    return min(_MOST_NUMBERED_CLASSES, rows // _ROWS_A_NUMBERED_CLASS)


# Columns.


@dataclass(frozen=True)
class _Column:
    """A column with its values as numbers or words, and why it cannot be read if it cannot."""

    name: str
    kind: Kind
    values: Series
    fault: str | None

    @classmethod
    def of(cls, values: Series) -> _Column:
        name = str(values.name)
        try:
            kind = kind_of(values, name)
            if kind != "category":
                as_numbers(values, name)
        except DataError as error:
            kind = "category" if values.dtype.kind in "mMc" else "number"
            return cls(name, kind, values, str(error))
        return cls(name, kind, values, None)

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def numbers(self) -> Vector:
        """The values, NaN where one is missing or cannot be read."""
        import pandas as pd

        coerced = pd.to_numeric(self.values, errors="coerce")
        numbers: Vector = coerced.to_numpy(np.float64, na_value=np.nan)
        return np.where(np.isfinite(numbers), numbers, np.nan)

    @cached_property
    def known(self) -> Vector:
        return self.numbers[~np.isnan(self.numbers)]

    @cached_property
    def _words(self) -> tuple[Labels, tuple[str, ...]]:
        """Each value as a place among the different words, -1 where it is missing."""
        import pandas as pd

        codes, uniques = pd.factorize(self.values)
        places: dict[str, int] = {}
        merged = [places.setdefault(word_of(value), len(places)) for value in uniques]
        return np.array([*merged, -1], np.intp)[codes], tuple(places)

    @property
    def labels(self) -> Labels:
        return self._words[0]

    @property
    def distinct(self) -> int:
        return len(self._words[1])

    @cached_property
    def counted(self) -> tuple[tuple[str, int], ...]:
        """The different words and their rows, the most_frequent first."""
        labels, words = self._words
        rows = np.bincount(labels[labels >= 0], minlength=len(words)).tolist()
        counts = dict(zip(words, rows, strict=True))
        return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def missing(self) -> int:
        return int(self.values.isna().sum())

    @property
    def is_whole(self) -> bool:
        return self.kind == "number" and not self.fault and not (self.known % 1).any()

    @property
    def counts_up(self) -> bool:
        """Whole numbers from 0 or 1 on without a gap."""
        if not self.is_whole or not len(self.known) or self.known.min() not in (0, 1):
            return False
        return bool(self.known.max() - self.known.min() == self.distinct - 1)


def _facts(column: _Column, answer: _Column, task: TableTask) -> ColumnFacts:
    known = column.known if column.kind == "number" else np.empty(0)
    numbers = dict[str, float]()
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
        column.distinct,
        most_frequent=() if column.kind == "number" else column.counted[:_COMMONEST],
        measure=measure,
        association=None if measure is None else _association(column, answer, measure, task),
        **numbers,
    )


def _mean(values: Vector) -> float:
    """Of numbers whose sum may be too large for a float."""
    return float((values / len(values)).sum())


def _sd(values: Vector) -> float:
    largest = float(np.abs(values).max()) or 1.0
    return float((values / largest).std()) * largest


def _measure(column: _Column, task: TableTask) -> Measure:
    """Numbers with numbers: r; words with words: V; one with the other: eta."""
    if task == "regression":
        return "eta" if column.kind == "category" else "r"
    return "V" if column.kind == "category" else "eta"


def _association(
    column: _Column, answer: _Column, measure: Measure, task: TableTask
) -> float | None:
    if measure == "r":
        return pearson(_as_numbers(column), answer.numbers)
    if measure == "V":
        return cramers_v(column.labels, answer.labels)
    if task == "regression":
        return correlation_ratio(column.labels, answer.numbers)
    return correlation_ratio(answer.labels, _as_numbers(column))


def _as_numbers(column: _Column) -> Vector:
    """False and true as 0 and 1."""
    return as_numbers(column.values, column.name) if column.kind == "boolean" else column.numbers


# What is odd.


def _of_input(column: _Column, answer: _Column, task: TableTask) -> Iterator[Remark]:
    if column is not answer and _tells_the_answer(column, answer, task):
        text = f"tells the target `{answer.name}` for certain: is it known beforehand?"
        yield Remark(column.name, "copy of the target", text)


def _of_target(answer: _Column, task: TableTask) -> Iterator[Remark]:
    if answer.missing:
        text = f"is missing in {answer.missing:,} rows, which cannot train"
        yield Remark(answer.name, "missing target", text)
    if task == "classification":
        yield from _of_classes(answer)


def _of_column(column: _Column) -> Iterator[Remark]:
    """The one thing that is most odd about a column."""
    rows, known = len(column), len(column) - column.missing
    if not known:
        yield Remark(column.name, "empty", "has no value in any row")
    elif column.fault is not None:
        yield Remark(column.name, "unreadable", f"cannot be read: {column.fault}")
    elif column.distinct == 1:
        yield Remark(column.name, "constant", f"is always {column.counted[0][0]}")
    elif _numbers_the_rows(column):
        yield Remark(column.name, "row numbers", "numbers the rows: an id, not a property")
    elif column.kind == "category" and column.distinct > MOST_CATEGORIES:
        text = f"has {column.distinct:,} different words, more than {MOST_CATEGORIES} categories"
        yield Remark(column.name, "many words", text)
    elif column.kind == "category" and 2 * column.distinct > known >= _FEWEST_TO_JUDGE:
        text = f"has {column.distinct:,} different words in {known:,} rows: names, not categories"
        yield Remark(column.name, "names", text)
    elif 2 * column.missing > rows:
        text = f"is missing in {column.missing:,} of {rows:,} rows"
        yield Remark(column.name, "mostly missing", text)


def _numbers_the_rows(column: _Column) -> bool:
    """Whole numbers in a row, each once."""
    rows = len(column)
    if not column.is_whole or column.distinct < rows or rows < _FEWEST_TO_JUDGE:
        return False
    return bool(column.known.max() - column.known.min() == rows - 1)


def _tells_the_answer(column: _Column, answer: _Column, task: TableTask) -> bool:
    """Equal to the target but for how it is written: another name for each class, another unit."""
    known = (column.labels >= 0) & (answer.labels >= 0)
    if column.distinct != answer.distinct or known.sum() < _FEWEST_TO_JUDGE:
        return False
    if task == "classification":
        pairs = np.unique(np.stack([column.labels, answer.labels])[:, known], axis=1)
        return int(pairs.shape[1]) == answer.distinct > 1
    if column.kind == "category":
        return False
    r = pearson(_as_numbers(column), answer.numbers)
    return r is not None and 1 - abs(r) < 1e-12


def _of_classes(answer: _Column) -> Iterator[Remark]:
    counted = answer.counted
    if len(counted) < 2:
        return
    (most, many), (least, few) = counted[0], counted[-1]
    if many >= _UNBALANCED * few:
        text = (
            f"is unbalanced: {many:,} rows of {most}, {few:,} of {least}; "
            f"to answer {most} always is right in {100 * many / sum(dict(counted).values()):.1f} %"
        )
        yield Remark(answer.name, "unbalanced", text)
    rare = [name for name, rows in counted if rows < _SPLITS]
    if rare:
        text = f"has classes too small to be in three splits: {', '.join(rare[:_SPLITS])}"
        yield Remark(answer.name, "rare classes", text + ", …" * (len(rare) > _SPLITS))
