"""The values of a table's columns as numbers, before it is known what the columns contain.

A column of text has the number of each text in the order in which the texts appear; what they mean
is decided when all rows are known. Missing values are NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.cells import numbers_in
from bpcli.data.columns import InputColumn
from bpcli.data.dates import date_format_of, days_of_dates
from bpcli.data.files.beside import MOST_CHARACTERS
from bpcli.data.files.dialect import Dialect
from bpcli.data.rounding import count_rounded
from bpcli.data.types import NEARLY_ALL, DataFrame, Series
from bpcli.data.values import AMBIGUOUS, as_numbers, dates_of, factorized, number_of, text_of
from bpcli.errors import DataError
from bpcli.nn.arrays import Array, Vector

Mode: TypeAlias = Literal["number", "boolean", "text", "shown", "date"]
"""What the cells of a column are: numbers, 0 and 1, the numbers of texts, numbers that texts show
with a sign such as $, or days since 1970."""

MOST_TEXTS = 20_000
"""The number of unique texts of a column that are kept, about 2 MB; more are numbers or dates."""


@dataclass(frozen=True)
class Plan:
    """What is known of columns before the rows are read: from rows that were read in vain.

    The columns `texts` are read as text, and so are `codes`, which are categories even if they look
    like numbers. Those in `shown` have numbers, all with the same mark, and those in `dates` have
    dates, all of the same format.
    """

    texts: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether it says anything of a column."""
        return any(name in each for each in (self.texts, self.codes, self.shown, self.dates))

    def joined(self, other: Plan) -> Plan:
        """What either of two plans says."""
        return Plan(
            tuple(dict.fromkeys((*self.texts, *other.texts))),
            tuple(dict.fromkeys((*self.codes, *other.codes))),
            {**self.shown, **other.shown},
            {**self.dates, **other.dates},
        )


class Cells:
    """Turns frames into cells, column by column, and remembers the texts.

    Without `cleans`, an empty text is a text, as in Parquet, which marks missing values otherwise.
    `modes` are the modes of the columns so far, `texts` the unique texts of each with their
    numbers, and `firsts` the first row of each text. `rounded` counts the whole numbers of each
    column that double precision does not hold. The columns `given_as_text` are text, also if
    they look like numbers. If the rows have to be read again, `again` says how; from then on `add`
    returns None, and only looks for further columns like that.
    """

    def __init__(
        self, names: Sequence[str], dialect: Dialect, plan: Plan, *, cleans: bool = True
    ) -> None:
        self.names = tuple(names)
        self.plan = plan
        self.modes: dict[str, Mode] = {}
        self.texts: dict[str, dict[str, int]] = {}
        self.firsts: dict[str, list[int]] = {}
        self.rounded: dict[str, int] = {}
        self.again = Plan()
        self.given_as_text = (*dialect.text, *plan.codes)
        self._dialect = dialect
        words = {"", *dialect.missing} if cleans else set()
        self._gaps, self._words = words - {*AMBIGUOUS}, words & {*AMBIGUOUS}

    @property
    def must_read_again(self) -> bool:
        return self.again != Plan()

    @property
    def read_as_text(self) -> list[str]:
        """The columns to be read as text from now on."""
        texts = [name for name, mode in self.modes.items() if mode == "text"]
        return [*texts, *filter(self.plan.has, self.names)]

    def resume(
        self,
        modes: Mapping[str, Mode],
        texts: Mapping[str, Sequence[tuple[str, int]]],
        rounded: Mapping[str, int],
    ) -> None:
        """Go on from what is known of the rows read before: texts have their first rows."""
        self.modes, self.rounded = dict(modes), dict(rounded)
        for name, known in texts.items():
            self.texts[name] = {text: code for code, (text, _) in enumerate(known)}
            self.firsts[name] = [row for _, row in known]

    def add(self, frame: DataFrame) -> Array | None:
        """The cells (n, 1 + number of columns) of rows; the first column has the row numbers.

        Raises `DataError` with the row of a value that no reading of the whole file could accept.
        """
        cells = np.empty((len(frame), 1 + len(self.names)))
        cells[:, 0] = frame.index
        for position, name in enumerate(self.names, start=1):
            cells[:, position] = self._cells(name, frame[name])
        return None if self.must_read_again else cells

    def find_codes(self, names: Sequence[str]) -> None:
        """Let columns of codes such as 007 be read again as text, if they were not."""
        codes = [name for name in names if name in self.names and name not in self.given_as_text]
        self.again = self.again.joined(Plan(codes=tuple(codes)))

    def _cells(self, name: str, values: Series) -> Vector:
        if self.again.has(name):
            return np.full(len(values), np.nan)
        if name in self.plan.shown:
            return self._shown(name, values)
        if name in self.plan.dates:
            return self._dates(name, values)
        if name in self.given_as_text:
            self.modes[name] = "text"
            return self._codes(name, values)
        current = _mode_of(values)
        if current is None:
            return np.full(len(values), np.nan)
        mode = self.modes.setdefault(name, current)
        if current != mode or self._may_be_dates(name, mode, values):
            self.again = self.again.joined(Plan(texts=(name,)))
            return np.full(len(values), np.nan)
        if count := count_rounded(values):
            self.rounded[name] = self.rounded.get(name, 0) + count
        if mode == "date":
            return days_of_dates(values)
        if mode == "text":
            return self._codes(name, values)
        numbers: Vector = values.to_numpy(np.float64, na_value=np.nan)
        return numbers

    def _may_be_dates(self, name: str, mode: Mode, values: Series) -> bool:
        """Whether numbers such as 20240131 may be dates of the format that was given."""
        date_format = self._dialect.date_format
        return mode == "number" and bool(date_format) and dates_of(values, date_format) is not None

    def _stripped(self, values: Series) -> tuple[Array, list[str | None]]:
        """The index of each value among the unique ones, and their texts; None if missing."""
        codes, uniques = factorized(values)
        texts = [text_of(value) for value in uniques]
        return codes, [None if text in self._gaps else text for text in texts]

    def _codes(self, name: str, values: Series) -> Vector:
        codes, texts = self._stripped(values)
        known, firsts = self.texts.setdefault(name, {}), self.firsts.setdefault(name, [])
        places = np.unique(codes, return_index=True)[1][-len(texts) :] if texts else ()
        first_rows = values.index.to_numpy()[np.array(places, np.intp)]
        of_texts = np.full(len(texts) + 1, np.nan)
        for index, text in enumerate(texts):
            if text is None:
                continue
            if text not in known:
                _refuse_long(text, name, int(first_rows[index]))
                firsts.append(int(first_rows[index]))
            of_texts[index] = known.setdefault(text, len(known))
        if len(known) > MOST_TEXTS:
            self.again = self.again.joined(self._of_many(name, values))
        return of_texts[codes]

    def _of_many(self, name: str, values: Series) -> Plan:
        """How to read a column of very many texts: numbers with a mark, or dates.

        Raises `DataError` if they are neither.
        """
        texts = [*self.texts[name]]
        date_format = self._dialect.date_format
        if name not in self.given_as_text:
            signs = self._dialect.decimal or ".", self._dialect.thousands or ""
            numbers, marks = numbers_in(texts, *signs)
            mark = max({*marks}, key=marks.count)
            are_alike = ~np.isnan(numbers) & (np.array(marks) == mark)
            if np.count_nonzero(are_alike) >= NEARLY_ALL * len(texts):
                return Plan(shown={name: mark})
        if (dates := date_format_of(texts, date_format)) is not None:
            return Plan(dates={name: dates.chosen})
        raise DataError(
            f"column `{name}` has more than {MOST_TEXTS:,} unique texts up to row "
            f"{values.index[-1] + 1:,}, which are neither numbers nor dates: exclude it by "
            f'`inputs: ["!{name}"]` (--inputs "!{name}")'
        )

    def _shown(self, name: str, values: Series) -> Vector:
        """The numbers that texts show with one mark. Raises `DataError` for any other text."""
        codes, texts = self._stripped(values)
        signs = self._dialect.decimal or ".", self._dialect.thousands or ""
        numbers, marks = numbers_in([text or "" for text in texts], *signs)
        is_gap = [text is None or text in self._words for text in texts]
        is_alike = np.array([mark == self.plan.shown[name] for mark in marks], bool)
        numbers[~is_alike & ~np.array(is_gap, bool)] = np.nan
        of_rows: Vector = np.append(numbers, np.nan)[codes]
        is_wrong = np.isnan(of_rows) & ~np.append(is_gap, True)[codes].astype(bool)
        if is_wrong.any():
            first = values[is_wrong].iloc[:1].astype(object)
            mark = f" (without {self.plan.shown[name]})" * (number_of(first.iloc[0]) is not None)
            as_numbers(first + mark, name)
        self.modes[name] = "shown"
        return of_rows

    def _dates(self, name: str, values: Series) -> Vector:
        """Days since 1970. Raises `DataError` for a text that is not a date of the format."""
        codes, texts = self._stripped(values)
        stripped = np.array([*texts, None], object)[codes]
        column = InputColumn(name, "date", date_format=self.plan.dates[name])
        self.modes[name] = "date"
        return column.days(_column(stripped, values))


def _refuse_long(text: str, name: str, row: int) -> None:
    if len(text) > MOST_CHARACTERS:
        raise DataError(
            f"column `{name}`, row {row + 1:,}: a text has {len(text):,} characters, more than "
            f'the {MOST_CHARACTERS:,} allowed: exclude the column by --inputs "!{name}"'
        )


def _column(cells: Array, like: Series) -> Series:
    """Cells as a column with the name and index of another."""
    import pandas as pd

    return pd.Series(cells, like.index, dtype=object, name=like.name)


def _mode_of(values: Series) -> Mode | None:
    """The mode of a column in some rows; None if it has no value there.

    Raises `DataError` for a type that is not converted.
    """
    from pandas import CategoricalDtype
    from pandas.api import types

    index = values.first_valid_index()
    if index is None:
        return None
    if isinstance(values.dtype, CategoricalDtype):
        return "text"
    if types.is_bool_dtype(values.dtype):
        return "boolean"
    if types.is_numeric_dtype(values.dtype) and values.dtype.kind in "iuf":
        return "number"
    if values.dtype.kind == "M":
        return "date"
    first = values.loc[index]
    if isinstance(first, bool | np.bool_):
        return "boolean"
    if isinstance(first, str | date | Decimal):
        return "text"
    raise DataError(
        f"column `{values.name}` has type {type(first).__name__}: only numbers, booleans, text "
        "and times can be converted; exclude it by --inputs, or save it as another type"
    )
