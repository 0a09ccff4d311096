"""The encoding of a file's columns as network inputs, fitted on the training rows.

It consists of plain values and is saved beside the weights, so that new rows are encoded as the
training rows were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from bpcli.data.date_formats import CalendarPart, example_of, is_clock
from bpcli.data.dates import (
    ISO,
    calendar_angles,
    date_text,
    days_of_dates,
    days_of_texts,
    iso_format_of,
)
from bpcli.data.rounding import count_rounded
from bpcli.data.selection import require
from bpcli.data.spellings import PLAIN, Spelling, Spellings
from bpcli.data.tally import Tally
from bpcli.data.targets import target_labels, target_values
from bpcli.data.types import DataFrame, Labels, Series
from bpcli.data.values import (
    AMBIGUOUS,
    INEXACT,
    MISSING_CODE,
    UNKNOWN_CODE,
    Kind,
    as_booleans,
    as_numbers,
    category_codes,
    dates_of,
    factorized,
    refuse,
    row_of,
    text_of,
)
from bpcli.errors import DataError, see
from bpcli.nn.arrays import Array, Vector

_NO_DATE = "`{}` is not a date"

_NOT_ONE_HOT = "the targets are not one-hot: expected a single 1 in each row and 0 elsewhere"

_VALUES_AT_ONCE = 2**20
"""How many numbers are encoded at once: 8 MB. 20,000 columns of 300 rows took 20 times as long one
column at a time."""


@dataclass(frozen=True)
class InputColumn:
    """A column of the file and its encoding as one or several inputs.

    Categories are one-hot: one input per category, all 0 for a category not in the training rows.
    Dates are days since the beginning of 1970; each part of the `calendar` adds two inputs, sine
    and cosine. `fill` replaces missing values; `indicator` adds an input that is 1 where a value
    is missing. `spelling` says which texts are one category.
    """

    name: str
    kind: Kind = "number"
    categories: tuple[str, ...] = ()
    date_format: str | None = None
    calendar: tuple[CalendarPart, ...] = ()
    fill: float | str | None = None
    indicator: bool = False
    spelling: Spelling = PLAIN

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its inputs."""
        own = tuple(f"{self.name}={category}" for category in self.categories)
        if self.kind != "category":
            waves = [f"{self.name} {part} {f}" for part in self.calendar for f in ("sin", "cos")]
            own = (self.name, *waves)
        return (*own, f"{self.name} missing") if self.indicator else own

    @property
    def fill_text(self) -> str:
        """The fill as text, for notes."""
        if self.kind == "boolean":
            return "true" if self.fill else "false"
        if isinstance(self.fill, float) and self.kind == "date":
            return date_text(self.fill, self.date_format)
        return self.fill if isinstance(self.fill, str) else f"{self.fill:.6g}"

    def encode(self, values: Series, out: Array, tally: Tally) -> None:
        """Write the inputs (n, len(names)) to `out`; count filled and unknown values.

        Raises `DataError` naming column and row of a value that is wrong, or missing without a
        fill.
        """
        if self.kind == "category":
            is_missing = self._categories(values, out, tally)
        else:
            is_missing = self._numbers(values, out, tally)
        if is_missing.any():
            if self.fill is None:
                refuse_gaps(values, self.name, is_missing)
            tally.fill(self.name, int(np.count_nonzero(is_missing)), self.fill_text)
        if self.indicator:
            out[:, -1] = is_missing

    def _numbers(self, values: Series, out: Array, tally: Tally) -> Array:
        if self.kind == "date":
            numbers = self.days(values, tally)
        else:
            read = as_booleans if self.kind == "boolean" else as_numbers
            numbers = read(values, self.name)
        is_missing: Array = np.isnan(numbers)
        if self.fill is not None:
            numbers = np.where(is_missing, self.fill, numbers)
        out[:, 0] = numbers
        for index, part in enumerate(self.calendar):
            angles = calendar_angles(np.where(np.isnan(numbers), 0.0, numbers), part)
            out[:, 1 + 2 * index], out[:, 2 + 2 * index] = np.sin(angles), np.cos(angles)
        return is_missing

    def days(self, values: Series, tally: Tally | None = None) -> Vector:
        """Dates as days (n,), NaN where one is missing.

        ISO dates instead of the expected format, as a spreadsheet stores them, are recorded in
        `tally`. Raises `DataError` for a text that is not a date of the format.
        """
        if values.dtype.kind == "M":
            return days_of_dates(values, is_time=is_clock(self.date_format or ISO))
        codes, uniques = factorized(values)
        date_format = self.date_format
        if date_format is None and (dates := dates_of(values)) is not None:
            date_format = dates.chosen
        texts = list(map(text_of, uniques))
        days = days_of_texts(texts, date_format or ISO)
        if tally is not None and date_format and np.isnan(days).all():
            known = [text for text in texts if text not in AMBIGUOUS]
            can_be_iso = not date_format.startswith("%Y") and not is_clock(date_format)
            if can_be_iso and (iso := iso_format_of(known)) is not None:
                tally.dates(self.name, example_of(iso), example_of(date_format))
                days = days_of_texts(texts, iso)
        is_no_date = np.isnan(days) & ~np.isin(texts, AMBIGUOUS)
        like = f" like {example_of(date_format or ISO)}{see('date_format', 'missing')}"
        refuse(values, self.name, np.append(is_no_date, False)[codes], _NO_DATE, like)
        days_of_rows: Vector = np.append(days, np.nan)[codes]
        return days_of_rows

    def _categories(self, values: Series, out: Array, tally: Tally) -> Array:
        codes = category_codes(values, self.categories, self.spelling)
        is_missing: Array = codes == MISSING_CODE
        if (is_unknown := codes == UNKNOWN_CODE).any():
            texts = Counter(map(text_of, values[is_unknown]))
            tally.unknown(self.name, texts, self.categories)
        if isinstance(self.fill, str):
            codes[is_missing] = self.categories.index(self.fill)
        out[:, : len(self.categories)] = codes[:, np.newaxis] == np.arange(len(self.categories))
        return is_missing

    def knows(self, text: str) -> bool:
        """Whether a text is one of its categories, true or false, or a date of its format."""
        if self.kind == "category":
            key = self.spelling.key
            return key(self.spelling.renamed(text)) in map(key, self.categories)
        if self.kind == "boolean":
            return text.lower() in ("true", "false")
        is_date = self.kind == "date"
        return is_date and not np.isnan(days_of_texts([text], self.date_format or ISO)).any()

    def to_json(self) -> dict[str, Any]:
        """Plain values that JSON can represent; without `spelling` where it changes nothing."""
        plain = {field: value for field, value in asdict(self).items() if field != "spelling"}
        return plain if self.spelling.is_plain else plain | {"spelling": self.spelling.to_json()}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> InputColumn:
        """The inverse of `to_json`."""
        tuples = {key: tuple(saved[key]) for key in ("categories", "calendar")}
        return cls(**{**saved, **tuples, "spelling": Spelling(**saved.get("spelling") or {})})


def refuse_gaps(values: Series, name: str, is_missing: Array) -> None:
    """Raises `DataError` with the first row that has no value."""
    file, row = row_of(values, is_missing)
    message = f"column `{name}`, row {row}: the value is missing; set `fill`, or exclude the column"
    raise DataError(message, file=file)


@dataclass(frozen=True)
class FeatureEncoder:
    """The encoding of a file's rows as inputs and targets.

    Without `class_names`, targets are values or labels. `target_spellings` has the spelling rules
    of target columns, by name. `file_columns` are all columns of the file; files without a header
    are matched with them.
    """

    inputs: tuple[InputColumn, ...]
    targets: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    file_columns: tuple[str, ...] = ()
    target_spellings: Spellings = field(default_factory=dict, hash=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs, in order."""
        return tuple(name for column in self.inputs for name in column.names)

    @property
    def fills(self) -> dict[str, float]:
        """The fill of each numeric column that has one."""
        return {
            column.name: column.fill
            for column in self.inputs
            if column.kind == "number" and isinstance(column.fill, float)
        }

    @property
    def text(self) -> tuple[str, ...]:
        """The columns that must be read as text (`Dialect.text`): categories, dates, classes."""
        texts = [column.name for column in self.inputs if column.kind in ("category", "date")]
        is_one_hot = len(self.targets) > 1
        return (*texts, *(self.targets if self.class_names and not is_one_hot else ()))

    def with_date_format(self, date_format: str | None) -> FeatureEncoder:
        """The encoder with another format of dates, if one is given."""
        if date_format is None:
            return self
        inputs = [
            replace(column, date_format=date_format) if column.kind == "date" else column
            for column in self.inputs
        ]
        return replace(self, inputs=tuple(inputs))

    @property
    def class_spelling(self) -> Spelling:
        """The spelling rules of the classes of the target."""
        return self.target_spellings.get(self.targets[0], PLAIN) if self.class_names else PLAIN

    def encode(self, frame: DataFrame, tally: Tally | None = None) -> Array:
        """The inputs (n, len(names)) of rows; the frame's columns may be in any order.

        Filled, rounded and unknown values are counted in `tally`. Raises `DataError` for a missing
        column, and with column and row for a wrong value: missing without a fill, infinite, or text
        in a column of numbers.
        """
        require(frame.columns, [column.name for column in self.inputs])
        X = np.empty((len(frame), len(self.names)))
        tally = tally or Tally()
        is_done = self._encode_numbers(frame, X, tally)
        for column, start in self.starts:
            if not is_done[start]:
                end = start + len(column.names)
                column.encode(frame[column.name], X[:, start:end], tally)
        if max(X.max(initial=0), -X.min(initial=0)) >= INEXACT:
            self._count_rounded(frame, tally)
        return X

    def _count_rounded(self, frame: DataFrame, tally: Tally) -> None:
        for column in self.inputs:
            if column.kind == "number":
                tally.rounded(column.name, count_rounded(frame[column.name]))

    def varying(self, varies: Array) -> FeatureEncoder:
        """The encoder without constant columns and indicators; `varies` (d,) flags inputs."""
        kept = []
        for column, start in self.starts:
            own = varies[start : start + len(column.names)]
            if own.any():
                has_indicator = column.indicator and bool(own[-1])
                kept.append(replace(column, indicator=has_indicator))
        return replace(self, inputs=tuple(kept))

    @cached_property
    def starts(self) -> tuple[tuple[InputColumn, int], ...]:
        """Each column with the index of its first input."""
        starts = accumulate((len(column.names) for column in self.inputs), initial=0)
        return tuple(zip(self.inputs, starts, strict=False))

    def _encode_numbers(self, frame: DataFrame, X: Array, tally: Tally) -> Array:
        """Encode columns of numbers, many at a time; return which inputs (d,) are done.

        Columns with an invalid value are left to `InputColumn.encode`, which reports it.
        """
        is_done = np.zeros(X.shape[1], bool)
        plain = self._columns_of_numbers(frame)
        size = max(1, _VALUES_AT_ONCE // max(1, len(frame)))
        for first in range(0, len(plain), size):
            columns, starts = zip(*plain[first : first + size], strict=True)
            values = frame[[column.name for column in columns]].to_numpy(
                np.float64, na_value=np.nan
            )
            fills = np.array([column.fill for column in columns], np.float64)  # None becomes NaN
            X[:, starts] = np.where(np.isnan(values), fills, values)
            is_encoded = np.isfinite(X[:, starts]).all(axis=0)
            is_done[list(starts)] = is_encoded
            missing = np.count_nonzero(np.isnan(values), axis=0)
            for index in np.flatnonzero(missing * is_encoded):
                tally.fill(columns[index].name, int(missing[index]), columns[index].fill_text)
        return is_done

    def _columns_of_numbers(self, frame: DataFrame) -> list[tuple[InputColumn, int]]:
        """The numeric columns of one input that are numeric in the frame too, with the index."""
        from pandas.api.types import is_numeric_dtype

        dtypes = dict(zip(map(str, frame.columns), frame.dtypes, strict=True))
        return [
            (column, start)
            for column, start in self.starts
            if column.kind == "number"
            and not column.indicator
            and is_numeric_dtype(dtypes[column.name])
        ]

    def values(self, frame: DataFrame) -> Array:
        """Numeric targets (n, k). Raises `DataError` as `encode` does."""
        return target_values(frame, self.targets)

    def labels(self, frame: DataFrame) -> Labels:
        """Classes (n,). Raises `DataError` with the row of one that is missing or unknown.

        A row of one-hot columns has a single 1.
        """
        require(frame.columns, self.targets)
        if len(self.targets) > 1:
            Y = self.values(frame)
            is_wrong = ~(np.isin(Y, (0, 1)).all(axis=1) & (Y.sum(axis=1) == 1))
            refuse(frame[self.targets[0]], self.targets[0], is_wrong, _NOT_ONE_HOT)
            winners: Labels = Y.argmax(axis=1)
            return winners
        name = self.targets[0]
        return target_labels(frame[name], name, self.class_names, self.class_spelling)

    def to_json(self) -> dict[str, Any]:
        """Plain values that JSON can represent."""
        spellings = {name: each.to_json() for name, each in self.target_spellings.items()}
        return {
            "inputs": [column.to_json() for column in self.inputs],
            "targets": list(self.targets),
            "class_names": list(self.class_names),
            "file_columns": list(self.file_columns),
            **({"target_spellings": spellings} if spellings else {}),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> FeatureEncoder:
        """The inverse of `to_json`."""
        columns = tuple(map(InputColumn.from_json, saved["inputs"]))
        names = {key: tuple(saved[key]) for key in ("targets", "class_names", "file_columns")}
        spellings = saved.get("target_spellings") or {}
        return cls(
            columns,
            **names,
            target_spellings={name: Spelling(**each) for name, each in spellings.items()},
        )
