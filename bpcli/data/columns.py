"""The encoding of a file's columns as network inputs, fitted on the training rows.

It consists of plain values and is saved beside the weights, so that new rows are encoded as the
training rows were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from bpcli.data.selection import require
from bpcli.data.targets import target_labels, target_values
from bpcli.data.types import DataFrame, Labels, Series
from bpcli.data.values import (
    MISSING_CODE,
    Kind,
    as_numbers,
    category_codes,
    refuse,
    row_of,
)
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

_NO_BOOLEAN = "`{}` is neither true nor false"

_VALUES_AT_ONCE = 2**20
"""Numbers that are encoded at once: 8 MB. 20,000 columns of 300 rows, one column at a time, took
20 times as long."""


@dataclass(frozen=True)
class InputColumn:
    """A column of the file and its encoding as one or several inputs.

    Categories are one-hot: one input per category, all 0 for a category not in the training rows.
    `fill` replaces missing values; `indicator` adds an input that is 1 where a value is missing.
    """

    name: str
    kind: Kind = "number"
    categories: tuple[str, ...] = ()
    fill: float | str | None = None
    indicator: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its inputs."""
        own = tuple(f"{self.name}={category}" for category in self.categories)
        if self.kind != "category":
            own = (self.name,)
        return (*own, f"{self.name} missing") if self.indicator else own

    def encode(self, values: Series, out: Array) -> None:
        """Write the inputs (n, len(names)) to `out`. Raises `DataError` naming column and row."""
        write = self._categories if self.kind == "category" else self._numbers
        is_missing = write(values, out)
        if is_missing.any() and self.fill is None:
            row = row_of(values, is_missing)
            raise DataError(
                f"column `{self.name}`, row {row}: the value is missing; set `fill`, or exclude "
                "the column"
            )
        if self.indicator:
            out[:, -1] = is_missing

    def _numbers(self, values: Series, out: Array) -> Array:
        numbers = as_numbers(values, self.name)
        if self.kind == "boolean":
            refuse(values, self.name, ~np.isin(numbers, (0, 1)) & ~np.isnan(numbers), _NO_BOOLEAN)
        is_missing: Array = np.isnan(numbers)
        if self.fill is not None:
            numbers = np.where(is_missing, self.fill, numbers)
        out[:, 0] = numbers
        return is_missing

    def _categories(self, values: Series, out: Array) -> Array:
        codes = category_codes(values, self.categories)
        is_missing: Array = codes == MISSING_CODE
        if isinstance(self.fill, str):
            codes[is_missing] = self.categories.index(self.fill)
        out[:, : len(self.categories)] = codes[:, np.newaxis] == np.arange(len(self.categories))
        return is_missing


@dataclass(frozen=True)
class FeatureEncoder:
    """The encoding of a file's rows as inputs and targets.

    Without `class_names`, targets are values. `file_columns` are all columns of the file, by which
    a file without a header can be matched.
    """

    inputs: tuple[InputColumn, ...]
    targets: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    file_columns: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs, in order."""
        return tuple(name for column in self.inputs for name in column.names)

    @property
    def text(self) -> tuple[str, ...]:
        """The columns that must be read as text (`Dialect.text`): categories and classes."""
        categorical = [column.name for column in self.inputs if column.kind == "category"]
        return (*categorical, *(self.targets if self.class_names else ()))

    def encode(self, frame: DataFrame) -> Array:
        """The inputs (n, len(names)) of rows; the frame's columns may be in any order.

        Raises `DataError` for a missing column, and with column and row for a wrong value: missing
        without a fill, infinite, or text in a column of numbers.
        """
        require(frame.columns, [column.name for column in self.inputs])
        X = np.empty((len(frame), len(self.names)))
        is_done = self._encode_numbers(frame, X)
        for column, start in self._starts:
            if not is_done[start]:
                column.encode(frame[column.name], X[:, start : start + len(column.names)])
        return X

    @cached_property
    def _starts(self) -> tuple[tuple[InputColumn, int], ...]:
        """Each column with the index of its first input."""
        starts = accumulate((len(column.names) for column in self.inputs), initial=0)
        return tuple(zip(self.inputs, starts, strict=False))

    def _encode_numbers(self, frame: DataFrame, X: Array) -> Array:
        """Encode columns of numbers, many at a time; return which inputs (d,) are done.

        Columns with a value to be refused are left to `InputColumn.encode`, which names it.
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
            is_done[list(starts)] = np.isfinite(X[:, starts]).all(axis=0)
        return is_done

    def _columns_of_numbers(self, frame: DataFrame) -> list[tuple[InputColumn, int]]:
        """The columns that are one input each, and numbers in the frame too."""
        from pandas.api.types import is_numeric_dtype

        dtypes = dict(zip(map(str, frame.columns), frame.dtypes, strict=True))
        return [
            (column, start)
            for column, start in self._starts
            if column.kind == "number"
            and not column.indicator
            and is_numeric_dtype(dtypes[column.name])
        ]

    def values(self, frame: DataFrame) -> Array:
        """Numeric targets (n, k). Raises `DataError` as `encode` does."""
        return target_values(frame, self.targets)

    def labels(self, frame: DataFrame) -> Labels:
        """Classes (n,). Raises `DataError` if one is missing or unknown."""
        require(frame.columns, self.targets)
        if len(self.targets) > 1:  # one-hot columns
            winners: Labels = self.values(frame).argmax(axis=1)
            return winners
        return target_labels(frame[self.targets[0]], self.targets[0], self.class_names)

    def to_json(self) -> dict[str, Any]:
        """Plain values that JSON can represent."""
        return {
            "inputs": [asdict(column) for column in self.inputs],
            "targets": list(self.targets),
            "class_names": list(self.class_names),
            "file_columns": list(self.file_columns),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> FeatureEncoder:
        """The inverse of `to_json`."""
        columns = [
            InputColumn(**{**column, "categories": tuple(column["categories"])})
            for column in saved["inputs"]
        ]
        names = (tuple(saved[key]) for key in ("targets", "class_names", "file_columns"))
        return cls(tuple(columns), *names)
