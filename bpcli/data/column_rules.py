"""How columns are to be read, and what is fitted on their training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.selection import Selector, select
from bpcli.data.types import Labels
from bpcli.data.values import (
    as_numbers,
    counted,
    kind_of,
    quoted,
)
from bpcli.errors import DataError
from bpcli.nn.arrays import Vector

if TYPE_CHECKING:
    from pandas import DataFrame, Series

FillRule: TypeAlias = Literal["mean", "median", "most_frequent"]

MOST_CATEGORIES = 50
"""More unique values than this in a column are names or texts, not categories."""


@dataclass(frozen=True)
class ColumnRules:
    """How columns are to be read: selectors are names, numbers from 1, or patterns.

    `fill` is a rule for all columns or one by column; a category and a boolean take the most
    frequent value whatever the rule. `indicator` is for the columns named, or where it is true for
    those in which a training row lacks a value. `categories` are columns of categories even where
    they look like numbers.
    """

    fill: FillRule | Mapping[str, FillRule] | None = None
    indicator: bool | tuple[Selector, ...] = False
    categories: tuple[Selector, ...] = ()

    def fit(self, frame: DataFrame, training: Labels, names: Sequence[str]) -> list[InputColumn]:
        """Each column as its training rows have it.

        Raises `DataError` naming the column that cannot be read, or an input that two would make.
        """
        columns = list(map(str, frame.columns))
        words = set(select(columns, self.categories, "categories"))
        flagged = self._flagged(frame, training)
        rules = self._rules(columns)
        fitted = [
            fitted_column(
                name, frame[name], training, rules.get(name), name in flagged, name in words
            )
            for name in names
        ]
        _refuse_equal_names(fitted)
        return fitted

    def _flagged(self, frame: DataFrame, training: Labels) -> set[str]:
        """The columns with an indicator: those named, or those where a value is missing."""
        if not isinstance(self.indicator, bool):
            return set(select(list(map(str, frame.columns)), self.indicator, "indicator"))
        if not self.indicator:
            return set()
        return {str(name) for name in frame if frame[name].iloc[training].isna().any()}

    def _rules(self, columns: Sequence[str]) -> dict[str, FillRule]:
        """The rule of each column; the first that names it, exact names before patterns."""
        if self.fill is None or isinstance(self.fill, str):
            return {} if self.fill is None else dict.fromkeys(columns, self.fill)
        rules: dict[str, FillRule] = {}
        for selector, rule in sorted(self.fill.items(), key=lambda item: item[0] not in columns):
            for name in select(columns, (selector,), "fill"):
                rules.setdefault(name, rule)
        return rules


def _refuse_equal_names(columns: Sequence[InputColumn]) -> None:
    """Raises `DataError` where a word of one column makes an input that another column has too."""
    maker: dict[str, str] = {}
    for column in columns:
        for name in column.names:
            if name in maker:
                raise DataError(
                    f"the columns `{maker[name]}` and `{column.name}` both make an input "
                    f"`{quoted(name)}`: rename one of them, or leave it out by `inputs`",
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
    """What a column is by all its values, its fill and categories by those of the training rows.

    Raises `DataError` where it is neither numbers nor categories, or the training rows have none.
    """
    kind = "category" if is_category else kind_of(values, name)
    if kind != "category" and rule is None:
        return InputColumn(name, kind, (), None, indicator)
    seen = values.iloc[training]
    if rule is not None and len(training) and seen.isna().all():
        raise DataError(
            f"column `{name}` has no value in the training rows to fill missing values with"
        )
    if kind == "category":
        categories, counts = counted(seen)
        if len(categories) > MOST_CATEGORIES and not is_category:
            raise DataError(
                f"column `{name}` has {len(categories)} unique values, more than the "
                f'{MOST_CATEGORIES} categories allowed: leave it out by `inputs: ["!{name}"]`, or '
                "name it under `categories`"
            )
        fill = categories[int(np.argmax(counts))] if rule and categories else None
        return InputColumn(name, kind, categories, fill, indicator)
    numbers = as_numbers(seen, name)
    known = numbers[~np.isnan(numbers)]
    number = _fill("most_frequent" if kind == "boolean" else rule, known)
    return InputColumn(name, kind, (), number, indicator)


def _fill(rule: FillRule | None, known: Vector) -> float:
    if rule == "most_frequent":
        values, counts = np.unique(known, return_counts=True)
        return float(values[counts.argmax()])
    return float(np.mean(known) if rule == "mean" else np.median(known))
