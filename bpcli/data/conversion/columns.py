"""What a column contains, decided from its unique texts when all rows are known.

The decision is that of reading the whole file: `Cleaner`, `kind_of` and `InputColumn` make it, from
one row for each unique text in place of all rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bpcli.data.column_rules import column_of_categories
from bpcli.data.columns import InputColumn
from bpcli.data.conversion.cells import Mode
from bpcli.data.dates import ambiguity_of
from bpcli.data.files.cleaning import Cleaner, UniqueTexts
from bpcli.data.spellings import PLAIN
from bpcli.data.tally import Tally
from bpcli.data.targets import refuse_unprintable_classes, sorted_classes
from bpcli.data.types import Labels, Series
from bpcli.data.values import (
    Kind,
    are_numbers,
    as_numbers,
    category_codes,
    dates_of,
    number_of,
    sorted_texts,
    text_of,
)
from bpcli.errors import DataError
from bpcli.nn.arrays import Array, Vector

FEW = 20
"""Of this many first values of a column, nearly all are dates if the column holds dates."""


@dataclass(frozen=True, eq=False)
class Texts:
    """The unique texts of a column as cleaned `values`, with their first rows as index.

    A value that is missing is NaN. `are_words` is true if they are categories or dates, even if
    they look like numbers.
    """

    values: Series
    are_words: bool

    @property
    def is_missing(self) -> Array:
        """Which texts mean a missing value (k,)."""
        missing: Array = self.values.isna().to_numpy()
        return missing


def cleaned(name: str, texts: UniqueTexts, firsts: Sequence[int], cleaner: Cleaner | None) -> Texts:
    """The values of unique texts, with the first row of each.

    Without a cleaner, they are those of a Parquet file or booleans, which are values already.
    """
    import pandas as pd

    values, are_words = np.array(texts.texts, object), False
    if cleaner is not None:
        values, are_words = cleaner.values_of(name, texts)
    return Texts(pd.Series(values, [*firsts], dtype=object, name=name), are_words)


@dataclass(frozen=True, eq=False)
class Column:
    """A column with its kind. Without `texts`, its cells are numbers.

    `rows` are the rows of each text that are kept (k,); `order` has the texts in these rows, in the
    order in which they appear.
    """

    name: str
    kind: Kind
    date_format: str | None = None
    texts: Texts | None = None
    rows: Labels | None = None
    order: Sequence[int] = ()
    note: str | None = None

    @property
    def known(self) -> Series:
        """The texts that are in rows that are kept."""
        assert self.texts is not None
        return self.texts.values.iloc[self.order]

    @property
    def known_rows(self) -> Labels:
        """The rows of each of these."""
        assert self.rows is not None
        return self.rows[self.order]

    @property
    def counts(self) -> Counter[str]:
        """The rows of each value as text."""
        counts: Counter[str] = Counter()
        for value, rows in zip(self.known, self.known_rows.tolist(), strict=True):
            counts[text_of(value)] += rows
        return counts

    @property
    def most_frequent(self) -> str:
        """The value that most rows have, as text; of equals, the first in sorted order."""
        counts = self.counts
        return max(sorted_texts({*counts}), key=counts.__getitem__)

    def numbers(self, cells: Vector) -> Vector:
        """The numbers of cells, NaN where one is missing, for a column without categories."""
        return cells if self.texts is None else self.of_texts[codes_of(cells)]

    def indices(self, names: Sequence[str]) -> Labels:
        """The index of each text in some names (k + 1,); negative if it has none, and at last."""
        assert self.texts is not None
        return np.append(category_codes(self.texts.values, names), -1)

    @cached_property
    def of_texts(self) -> Vector:
        """The number that each text means (k + 1,); NaN for those in no row, and at last."""
        assert self.texts is not None
        values, known = np.full(len(self.texts.values) + 1, np.nan), self.known
        encoded = np.empty((len(known), 1))
        column = InputColumn(self.name, self.kind, date_format=self.date_format)
        column.encode(known, encoded, Tally())
        values[self.order] = encoded[:, 0]
        return values


def codes_of(cells: Vector) -> Labels:
    """The numbers of texts in cells as indices; -1 for missing values."""
    return np.where(np.isnan(cells), -1, cells).astype(np.intp)


def decided(
    column: Column, mode: Mode | None, head: Sequence[int], date_format: str | None
) -> Column:
    """The column with its kind, which the texts in the first rows (`head`) help to find.

    Raises `DataError` with the row of a text among numbers.
    """
    if column.texts is None:
        return replace(column, kind="date" if mode == "date" else "number")
    first = column.texts.values.iloc[list(head)]
    kind = _kind_of(column, first, date_format)
    if kind != "date":
        return replace(column, kind=kind)
    dates = dates_of(_joined(first, column.known), date_format)
    assert dates is not None, "by its kind"
    note = None if dates.other is None else f"column `{column.name}` {ambiguity_of(dates)}"
    return replace(column, kind=kind, date_format=dates.chosen, note=note)


def _joined(first: Series, known: Series) -> Series:
    """Some first values, and all unique ones: dates are found in them as in all rows."""
    import pandas as pd

    return pd.concat([first, known])


def _kind_of(column: Column, first: Series, date_format: str | None) -> Kind:
    """As `kind_of`, from the unique values and their numbers of rows."""
    assert column.texts is not None
    known = column.known
    has_dates = dates_of(_joined(first, known), date_format) is not None
    if column.texts.are_words:
        return "date" if has_dates else "category"
    if len(known) and all(isinstance(value, bool) for value in known):
        return "boolean"
    is_number = np.array([number_of(value) is not None for value in known], bool)
    if is_number.all():
        return "date" if date_format and has_dates else "number"
    if are_numbers(is_number, column.known_rows):
        as_numbers(known.sort_index(), column.name)
    return "date" if has_dates else "category"


@dataclass(frozen=True, eq=False)
class Encoded:
    """A column of inputs with its encoding, `rule`."""

    column: Column
    rule: InputColumn

    def write(self, cells: Vector, out: Array) -> int:
        """Write the inputs of cells (n,) to `out`; return how many missing values were filled."""
        if self.rule.kind == "category":
            is_missing = self._one_hot(cells, out)
        else:
            numbers = self.column.numbers(cells)
            is_missing = np.isnan(numbers)
            out[:, 0] = numbers
            if self.rule.fill is not None:
                out[is_missing, 0] = self.rule.fill
        if self.rule.indicator:
            out[:, -1] = is_missing
        return int(np.count_nonzero(is_missing))

    @cached_property
    def _category_of_text(self) -> Labels:
        return self.column.indices(self.rule.categories)

    def _one_hot(self, cells: Vector, out: Array) -> Array:
        categories = self.rule.categories
        codes = self._category_of_text[codes_of(cells)]
        is_missing: Array = codes < 0
        if isinstance(self.rule.fill, str):
            codes = np.where(is_missing, categories.index(self.rule.fill), codes)
        out[...] = 0
        rows = np.flatnonzero(codes >= 0)
        out[rows, codes[rows]] = 1
        return is_missing


def encoding_of(column: Column, can_be_many: bool) -> InputColumn:
    """How a column becomes inputs, without a fill. Raises `DataError` for too many categories."""
    if column.kind != "category":
        return InputColumn(column.name, column.kind, date_format=column.date_format)
    categories = column_of_categories(column.name, column.counts, PLAIN, can_be_many=can_be_many)
    return replace(categories, fill=None)


def classes_of(column: Column) -> tuple[str, ...]:
    """The names of a target's classes. Raises `DataError` for dates, or too many classes."""
    if column.kind == "date":
        raise DataError(
            f"column `{column.name}` contains dates, which cannot be targets", "targets"
        )
    counts = column.counts
    refuse_unprintable_classes(counts, column.name)
    return sorted_classes([counts], column.name)
