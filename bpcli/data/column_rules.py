"""Rules for reading columns, and their fit to the training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.selection import Selector, select
from bpcli.data.types import DataFrame, Labels, Series
from bpcli.data.values import (
    as_numbers,
    counted,
    kind_of,
    quoted,
)
from bpcli.errors import DataError
from bpcli.nn.arrays import Vector

FillRule: TypeAlias = Literal["mean", "median", "most_frequent"]

MOST_CATEGORIES = 50
"""A column of text with more unique values than this holds names or prose, not categories."""


@dataclass(frozen=True)
class ColumnRules:
    """Rules for reading columns; selectors are names, numbers from 1, or patterns.

    `fill` is one rule for all columns, or one per column; categories and booleans always take the
    most frequent value. `indicator` lists columns, or is true for all columns that have missing
    values in training rows. `categories` are read as categories even if they look like numbers.
    """

    fill: FillRule | Mapping[str, FillRule] | None = None
    indicator: bool | tuple[Selector, ...] = False
    categories: tuple[Selector, ...] = ()

    def fit(self, frame: DataFrame, training: Labels, names: Sequence[str]) -> list[InputColumn]:
        """Fit each column to its training rows.

        Raises `DataError` for a column that cannot be read, or if two columns make the same input.
        """
        columns = list(map(str, frame.columns))
        categorical = set(select(columns, self.categories, "categories"))
        flagged = self._flagged(frame, training)
        rules = self._rules(columns)
        fitted = [
            fitted_column(
                name, frame[name], training, rules.get(name), name in flagged, name in categorical
            )
            for name in names
        ]
        _refuse_equal_names(fitted)
        return fitted

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
        for selector, rule in sorted(self.fill.items(), key=lambda item: item[0] not in columns):
            for name in select(columns, (selector,), "fill"):
                rules.setdefault(name, rule)
        return rules


def _refuse_equal_names(columns: Sequence[InputColumn]) -> None:
    """Raises `DataError` if two columns make inputs of the same name."""
    maker: dict[str, str] = {}
    for column in columns:
        for name in column.names:
            if name in maker:
                raise DataError(
                    f"the columns `{maker[name]}` and `{column.name}` both make an input "
                    f"`{quoted(name)}`: rename one of them, or exclude it by `inputs`",
                    "inputs",
                )
            maker[name] = column.name


def fitted_column(
    name: str,
    values: Series,
    training: Labels,
    rule: FillRule | None,
    indicator: bool,
    is_category: bool,
) -> InputColumn:
    """Fit a column: its kind from all values, its fill and categories from the training rows.

    Raises `DataError` if it holds neither numbers nor categories, or no value in a training row.
    """
    kind = "category" if is_category else kind_of(values, name)
    if kind != "category" and rule is None:
        return InputColumn(name, kind, (), None, indicator)
    train = values.iloc[training]
    if rule is not None and len(training) and train.isna().all():
        raise DataError(
            f"column `{name}` has no value in the training rows to fill missing values with"
        )
    if kind == "category":
        categories, counts = counted(train)
        if len(categories) > MOST_CATEGORIES and not is_category:
            raise DataError(
                f"column `{name}` has {len(categories)} unique values, more than the "
                f'{MOST_CATEGORIES} categories allowed: exclude it by `inputs: ["!{name}"]`, or '
                "list it under `categories`"
            )
        fill = categories[int(np.argmax(counts))] if rule and categories else None
        return InputColumn(name, kind, categories, fill, indicator)
    numbers = as_numbers(train, name)
    known = numbers[~np.isnan(numbers)]
    number = _fill("most_frequent" if kind == "boolean" else rule, known)
    return InputColumn(name, kind, (), number, indicator)


def _fill(rule: FillRule | None, known: Vector) -> float:
    if rule == "most_frequent":
        values, counts = np.unique(known, return_counts=True)
        return float(values[counts.argmax()])
    return float(np.mean(known) if rule == "mean" else np.median(known))
