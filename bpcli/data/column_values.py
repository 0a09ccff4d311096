"""A column with its values as numbers or categories, for the description of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.dates import DateFormat
from bpcli.data.types import Labels, Series
from bpcli.data.values import Kind, as_numbers, dates_of, kind_of, text_of
from bpcli.errors import DataError
from bpcli.nn.arrays import Vector

TableTask: TypeAlias = Literal["classification", "regression"]


@dataclass(frozen=True)
class ColumnValues:
    """A column with its values as numbers or categories; `error` says why it cannot be read.

    Dates are numbers of days.
    """

    name: str
    kind: Kind
    values: Series
    error: str | None
    dates: DateFormat | None = None

    @classmethod
    def of(cls, values: Series, date_format: str | None = None) -> ColumnValues:
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
        import pandas as pd

        is_stored = (
            self.values.dtype.kind == "f"
        )  # `to_numeric` takes 0.1 ms, for thousands of columns
        coerced = self.values if is_stored else pd.to_numeric(self.values, errors="coerce")
        numbers: Vector = coerced.to_numpy(np.float64, na_value=np.nan)
        return np.where(np.isfinite(numbers), numbers, np.nan)

    @cached_property
    def known(self) -> Vector:
        return self.numbers[~np.isnan(self.numbers)]

    @cached_property
    def _groups(self) -> tuple[Labels, Sequence[object]]:
        """The index of each value among the unique ones, -1 for missing; the unique values.

        Values that are written alike are one; unequal numbers never are.
        """
        import pandas as pd

        # A column that cannot be read may hold lists, which are not compared.
        values = self.values if self.error is None else self.values.map(str, na_action="ignore")
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
        return len(self._groups[1])

    @cached_property
    def counted(self) -> tuple[tuple[str, int], ...]:
        """The unique values as text with their row counts, the most frequent first."""
        labels, uniques = self._groups
        rows = np.bincount(labels[labels >= 0], minlength=len(uniques)).tolist()
        counts = dict(zip(map(text_of, uniques), rows, strict=True))
        return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def missing(self) -> int:
        return int(np.count_nonzero(self.labels < 0))

    @property
    def is_whole(self) -> bool:
        return self.kind == "number" and not self.error and not (self.known % 1).any()

    @property
    def counts_up(self) -> bool:
        """Whether the values are whole numbers from 0 or 1 without gaps."""
        if not self.is_whole or not len(self.known) or self.known.min() not in (0, 1):
            return False
        return bool(self.known.max() - self.known.min() == self.unique - 1)


def _days(values: Series, name: str, dates: DateFormat | None) -> Series:
    """Dates as numbers of days. Raises `DataError` for a text that is no date."""
    import pandas as pd

    column = InputColumn(name, "date", date_format=None if dates is None else dates.chosen)
    return pd.Series(column.days(values), values.index, name=name)


def numbers_of(column: ColumnValues) -> Vector:
    """The values as numbers; false and true become 0 and 1."""
    return as_numbers(column.values, column.name) if column.kind == "boolean" else column.numbers
