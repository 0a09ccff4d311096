"""A column with its values as numbers or categories, for the description of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.dates import DateFormat
from bpcli.data.types import DataFrame, Labels, Series
from bpcli.data.values import INEXACT, Kind, as_numbers, dates_of, kind_of, numbers_or_nan, text_of
from bpcli.errors import DataError
from bpcli.nn.arrays import Array, Vector

TableTask: TypeAlias = Literal["classification", "multilabel", "regression"]


_VALUES_AT_ONCE = 2**20
"""How many numbers are summarised at once: 8 MB. 20,000 columns of 300 rows took 12 times as long
one column at a time."""


class Summary(NamedTuple):
    """The counts of a column; range, mean and population standard deviation of its numbers."""

    missing: int
    unique: int
    low: float = np.nan
    high: float = np.nan
    mean: float = np.nan
    sd: float = np.nan
    is_whole: bool = False


@dataclass(frozen=True, eq=False)
class ColumnValues:
    """A column with its values as numbers or categories; `error` says why it cannot be read.

    Dates are numbers of days. `known_summary` is given if it was computed for many columns at once.
    """

    name: str
    kind: Kind
    values: Series | Vector
    error: str | None
    dates: DateFormat | None = None
    known_summary: Summary | None = None

    @classmethod
    def of(cls, values: Series, date_format: str | None = None) -> ColumnValues:
        """The column with its kind; if it cannot be read, `error` says why."""
        name = str(values.name)
        kind: Kind = "category" if values.dtype.kind in "mc" else "number"
        dates = None
        try:
            kind = kind_of(values, name, date_format)
            if kind == "date":
                dates = dates_of(values, date_format)
                values = _days(values, name, dates)
            elif kind != "category":
                as_numbers(values, name)
        except DataError as error:
            return cls(name, kind, values, str(error))
        return cls(name, kind, values, None, dates)

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def numbers(self) -> Vector:
        """The values, NaN where a value is missing or cannot be read."""
        if isinstance(self.values, np.ndarray):
            return self.values
        numbers = numbers_or_nan(self.values)
        return np.where(np.isfinite(numbers), numbers, np.nan)

    @cached_property
    def summary(self) -> Summary:
        if self.known_summary is not None:
            return self.known_summary
        labels, uniques = self._groups
        of_numbers = (
            summaries(self.numbers[np.newaxis])[0]
            if self.kind in ("number", "date")
            else Summary(0, 0)
        )
        return of_numbers._replace(missing=int(np.count_nonzero(labels < 0)), unique=len(uniques))

    @cached_property
    def _groups(self) -> tuple[Labels, Sequence[object]]:
        """The index of each value among the unique ones, -1 for missing; the unique values.

        Values with the same text count as one; unequal numbers never do.
        """
        import pandas as pd

        values: Any = self.values
        if self.error is not None:  # it may hold lists, which pandas cannot compare
            values = values.map(str, na_action="ignore")
        codes, uniques = pd.factorize(values)
        if self.values.dtype.kind in "iuf":
            return codes, uniques
        indices: dict[str, int] = {}
        merged = [indices.setdefault(text_of(value), len(indices)) for value in uniques]
        return np.array([*merged, -1], np.intp)[codes], tuple(indices)

    @property
    def labels(self) -> Labels:
        return self._groups[0]

    @property
    def unique(self) -> int:
        return self.summary.unique

    @cached_property
    def counted(self) -> tuple[tuple[str, int], ...]:
        """The unique values as text with their row counts, the most frequent first."""
        labels, uniques = self._groups
        rows = np.bincount(labels[labels >= 0], minlength=len(uniques)).tolist()
        counts = dict(zip(map(text_of, uniques), rows, strict=True))
        return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def missing(self) -> int:
        return self.summary.missing

    @property
    def is_whole(self) -> bool:
        return self.kind == "number" and self.summary.is_whole and not self.error

    @property
    def counts_up(self) -> bool:
        """Whether the values are consecutive whole numbers from 0 or 1."""
        summary = self.summary
        return (
            self.is_whole
            and summary.low in (0, 1)
            and summary.high - summary.low == summary.unique - 1
        )


def _days(values: Series, name: str, dates: DateFormat | None) -> Series:
    """Dates as numbers of days. Raises `DataError` for a text that is not a date."""
    import pandas as pd

    column = InputColumn(name, "date", date_format=None if dates is None else dates.chosen)
    return pd.Series(column.days(values), values.index, name=name)


def numbers_of(column: ColumnValues) -> Vector:
    """The values as numbers; false and true become 0 and 1."""
    return as_numbers(column.values, column.name) if column.kind == "boolean" else column.numbers


# Many columns.


def columns_of(frame: DataFrame, date_format: str | None = None) -> Iterator[list[ColumnValues]]:
    """All columns in order, in lists of some megabytes: describing takes many times their size."""
    size = max(1, _VALUES_AT_ONCE // len(frame))
    for start in range(0, frame.shape[1], size):
        some = frame.iloc[:, start : start + size]
        numbers, places = plain_numbers(some.iloc[:, :0] if date_format else some)
        known = dict(zip(places, zip(numbers, summaries(numbers), strict=True), strict=True))
        yield [
            ColumnValues(
                str(name), "number", known[position][0], None, known_summary=known[position][1]
            )
            if position in known
            else ColumnValues.of(some.iloc[:, position], date_format)
            for position, name in enumerate(some.columns)
        ]


def plain_numbers(frame: DataFrame) -> tuple[Array, list[int]]:
    """The columns of finite numbers of a numpy type, as rows (d, n), and their indices.

    Columns with whole numbers that are not exact as floats are left out.
    """
    kinds = [dtype.kind if isinstance(dtype, np.dtype) else "O" for dtype in frame.dtypes]
    places = np.array([position for position, kind in enumerate(kinds) if kind in "fiu"], np.intp)
    some = frame if len(places) == frame.shape[1] else frame.iloc[:, places]
    numbers = np.ascontiguousarray(some.to_numpy(np.float64).T)
    largest = np.fmax.reduce(np.abs(numbers), axis=1, initial=0)
    limits = np.array([np.inf if kinds[position] == "f" else INEXACT for position in places])
    is_plain = largest < limits
    return numbers[is_plain], places[is_plain].tolist()


def summaries(numbers: Array) -> list[Summary]:
    """The summaries of many columns of numbers, which are rows (d, n); NaN is missing."""
    known = ~np.isnan(numbers)
    count = known.sum(axis=1)
    ordered = np.sort(numbers, axis=1)  # NaN is last
    low, high = ordered[:, 0], ordered[np.arange(len(ordered)), np.maximum(count - 1, 0)]
    unique = (ordered[:, 1:] > ordered[:, :-1]).sum(axis=1) + (count > 0)
    mean, sd = _mean_and_sd(
        np.where(known, numbers, 0.0), known, np.fmax(np.abs(low), np.abs(high))
    )
    is_whole = (~known | (numbers == np.floor(numbers))).all(axis=1) & (count > 0)
    columns = (known.shape[1] - count, unique, low, high, mean, sd, is_whole)
    return [Summary(*values) for values in zip(*(each.tolist() for each in columns), strict=True)]


def _mean_and_sd(numbers: Array, known: Array, largest: Vector) -> tuple[Vector, Vector]:
    """Means and standard deviations of rows, without overflow of sums; NaN for empty rows."""
    count = np.where(known.any(axis=1), known.sum(axis=1), np.nan)[:, np.newaxis]
    mean = (numbers / count).sum(axis=1)
    unit = np.where(largest > 0, largest, 1.0)[:, np.newaxis]
    scaled = numbers / unit
    off = np.where(known, scaled - scaled.sum(axis=1, keepdims=True) / count, 0.0)
    return mean, np.sqrt((off * off).sum(axis=1) / count[:, 0]) * unit[:, 0]
