"""Rules for reading columns, and their fit to the training rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.columns import InputColumn, refuse_gaps
from bpcli.data.date_formats import CalendarPart, is_clock
from bpcli.data.selection import EVERY, Selector, select
from bpcli.data.spellings import PLAIN, Spelling
from bpcli.data.types import DataFrame, Labels, Series
from bpcli.data.values import (
    Kind,
    as_numbers,
    counted,
    dates_of,
    kind_of,
    quoted,
    sorted_texts,
)
from bpcli.errors import DataError
from bpcli.nn.arrays import Vector

FillRule: TypeAlias = Literal["mean", "median", "most_frequent"]

Renames: TypeAlias = Mapping[str, str | Mapping[str, str]]

MOST_CATEGORIES = 50
"""A column of text with more unique values than this holds names or prose, not categories."""


@dataclass(frozen=True)
class ColumnRules:
    """Rules for reading columns; selectors are names, numbers from 1, or patterns.

    `fill` is one rule for all columns, or one per column; categories and booleans always take the
    most frequent value. A column without a rule must have no missing values in the file; those in
    later rows are filled with the median. `indicator` lists columns, or is true for all columns
    that have missing values in training rows. `categories` are read as categories even if they look
    like numbers or dates. `calendar` are the parts of dates that become inputs. `casefold` lists
    the columns whose text is compared ignoring case, or is true for all. `rename` maps old text to
    new text in all columns, or has such a mapping for some columns.
    """

    fill: FillRule | Mapping[str, FillRule] | None = None
    indicator: bool | tuple[Selector, ...] = False
    categories: tuple[Selector, ...] = ()
    calendar: tuple[CalendarPart, ...] = ()
    date_format: str | None = None
    casefold: bool | tuple[Selector, ...] = False
    rename: Renames = field(default_factory=dict)

    def fit(self, frame: DataFrame, training: Labels, names: Sequence[str]) -> list[InputColumn]:
        """Fit each column to its training rows.

        Raises `DataError` for a column that cannot be read, or if two columns produce the same
        input name.
        """
        columns = list(map(str, frame.columns))
        categorical = set(select(columns, self.categories, "categories"))
        flagged = self._flagged(frame, training)
        rules, spellings = self._rules(columns), self.spellings(columns)
        plain = [
            name
            for name in names
            if name not in categorical | flagged and rules.get(name) in (None, "median")
        ]
        medians = {} if self.date_format else _medians(frame, training, plain)
        fitted = []
        for name in names:
            if name in medians:
                fitted.append(InputColumn(name, fill=medians[name]))
                continue
            asked: Kind | None = "category" if name in categorical else None
            spelling = spellings.get(name, PLAIN)
            column = self._fitted(name, frame[name], training, rules.get(name), asked, spelling)
            fitted.append(replace(column, indicator=name in flagged))
        refuse_equal_names(fitted)
        return fitted

    def _fitted(
        self,
        name: str,
        values: Series,
        training: Labels,
        rule: FillRule | None,
        kind: Kind | None,
        spelling: Spelling,
    ) -> InputColumn:
        """Fit a column: its kind from all values, its fill and categories from the training rows.

        Raises `DataError` if it holds neither numbers, dates nor categories, if it has no value in
        any training row, or a missing value without a rule.
        """
        is_missing = values.isna().to_numpy()
        if rule is None and is_missing.any():
            refuse_gaps(values, name, is_missing)
        train = values.iloc[training]
        if rule is not None and len(training) and is_missing[training].all():
            raise DataError(
                f"column `{name}` has no value in any training row, so that its missing values "
                f'cannot be filled: exclude it by `inputs: ["!{name}"]`'
            )
        inferred = kind or kind_of(values, name, self.date_format)
        if inferred == "category":
            rows = counted(train)
            return column_of_categories(name, rows, spelling, can_be_many=kind is not None)
        column = InputColumn(name, inferred)
        if inferred == "date":
            dates = dates_of(values, self.date_format)
            column = _dates(name, None if dates is None else dates.chosen, self.calendar)
        numbers = column.days(train) if inferred == "date" else as_numbers(train, name)
        usual = "most_frequent" if inferred == "boolean" else rule or "median"
        return replace(column, fill=_fill(usual, numbers[~np.isnan(numbers)]))

    def _flagged(self, frame: DataFrame, training: Labels) -> set[str]:
        """The columns with an indicator: the columns listed, or those with missing values."""
        if not isinstance(self.indicator, bool):
            return set(select(list(map(str, frame.columns)), self.indicator, "indicator"))
        if not self.indicator:
            return set()
        return {str(name) for name in frame if frame[name].iloc[training].isna().any()}

    def _rules(self, columns: Sequence[str]) -> dict[str, FillRule]:
        """The rule of each column: the first that matches it, exact names before patterns."""
        if self.fill is None or isinstance(self.fill, str):
            return {} if self.fill is None else dict.fromkeys(columns, self.fill)
        rules: dict[str, FillRule] = {}
        names = {*columns} - {EVERY}
        for selector, rule in sorted(self.fill.items(), key=lambda item: item[0] not in names):
            for name in select(columns, (selector,), "fill"):
                rules.setdefault(name, rule)
        return rules

    def spellings(self, columns: Sequence[str]) -> dict[str, Spelling]:
        """The spelling rules of each column; columns without rules are left out."""
        folded = list(columns) if self.casefold is True else []
        if not isinstance(self.casefold, bool):
            folded = select(columns, self.casefold, "casefold")
        words: dict[str, dict[str, str]] = {name: {} for name in folded}
        for names, new_names in self.renames(columns):
            for name in names:
                words.setdefault(name, {}).update(new_names)
        are_folded = {*folded}
        return {name: Spelling(name in are_folded, rename) for name, rename in words.items()}

    def renames(self, columns: Sequence[str]) -> Iterator[tuple[Sequence[str], dict[str, str]]]:
        """Columns and the renames for them: first those for all columns, then those for some."""
        of_all = {old: new for old, new in self.rename.items() if isinstance(new, str)}
        if of_all:
            yield columns, of_all
        for selector, words in self.rename.items():
            if not isinstance(words, str):
                yield select(columns, (selector,), "rename"), dict(words)


def refuse_equal_names(columns: Sequence[InputColumn]) -> None:
    """Raises `DataError` if two columns produce inputs of the same name."""
    maker: dict[str, str] = {}
    for column in columns:
        for name in column.names:
            if name in maker:
                raise DataError(
                    f"the columns `{maker[name]}` and `{column.name}` both produce an input "
                    f"named `{quoted(name)}`: rename one of them, or exclude it by `inputs`",
                    "inputs",
                )
            maker[name] = column.name


def _medians(frame: DataFrame, training: Labels, names: list[str]) -> dict[str, float]:
    """The medians of the numeric columns without missing values, computed at once.

    20,000 columns take 20 times as long if they are computed one at a time.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    dtypes = dict(zip(map(str, frame.columns), frame.dtypes, strict=True))
    numbers = [
        name for name in names if is_numeric_dtype(dtypes[name]) and not is_bool_dtype(dtypes[name])
    ]
    if not numbers or not len(training):
        return {}
    matrix = frame[numbers].to_numpy(np.float64, na_value=np.nan)
    whole = np.flatnonzero(np.isfinite(matrix).all(axis=0))
    medians = np.median(matrix[np.ix_(training, whole)], axis=0).tolist()
    return dict(zip((numbers[index] for index in whole), medians, strict=True))


def column_of_categories(
    name: str, counts: Mapping[str, int], spelling: Spelling, *, can_be_many: bool
) -> InputColumn:
    """A column of categories, given the rows of each text; its fill is the most frequent one.

    Raises `DataError` for too many, unless `can_be_many`.
    """
    rows = spelling.merged(counts)
    categories = sorted_texts({*rows})
    if len(categories) > MOST_CATEGORIES and not can_be_many:
        raise DataError(
            f"column `{name}` has {len(categories)} unique values, more than the "
            f'{MOST_CATEGORIES} categories allowed: exclude it by `inputs: ["!{name}"]`, or '
            "list it under `categories`"
        )
    fill = max(categories, key=rows.__getitem__) if categories else None
    return InputColumn(name, "category", categories, fill=fill, spelling=spelling)


def _dates(name: str, date_format: str | None, calendar: tuple[CalendarPart, ...]) -> InputColumn:
    """A column of dates; a clock time alone has no month and no weekday."""
    if date_format is not None and is_clock(date_format):
        calendar = tuple(part for part in calendar if part == "hour")
    return InputColumn(name, "date", date_format=date_format, calendar=calendar)


def _fill(rule: FillRule, known: Vector) -> float | None:
    if not len(known):
        return None
    if rule == "most_frequent":
        values, counts = np.unique(known, return_counts=True)
        return float(values[counts.argmax()])
    return float(np.mean(known) if rule == "mean" else np.median(known))
