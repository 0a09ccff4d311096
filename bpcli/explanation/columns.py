"""The columns of the user's table, as places among the inputs of a network.

A column of categories is one input of the table, whatever number of network inputs it has. All
functions here read and write encoded rows X (n, d), before they are scaled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.dates import calendar_angles, date_text
from bpcli.data.types import Labels
from bpcli.nn.arrays import Array, Vector
from bpcli.text import readable


@dataclass(frozen=True)
class Column:
    """One column: its rule, and the index of its first network input."""

    rule: InputColumn
    start: int

    @property
    def name(self) -> str:
        return self.rule.name

    @property
    def where(self) -> slice:
        """Its network inputs."""
        return slice(self.start, self.start + len(self.rule.names))

    @property
    def levels(self) -> tuple[str, ...]:
        """Its categories, or false and true; empty for numbers and dates."""
        return ("false", "true") if self.rule.kind == "boolean" else self.rule.categories

    @property
    def is_smooth(self) -> bool:
        """Whether a derivative by it is one of a single network input."""
        return not self.levels and not self.rule.calendar

    def numbers(self, X: Array) -> Vector:
        """Its numbers or days (n,); NaN where an indicator says that the value is missing."""
        values = X[:, self.start].astype(np.float64)
        return np.where(self._is_missing(X), np.nan, values)

    def codes(self, X: Array) -> Labels:
        """The index of the level of each row (n,); -1 where it is missing or unknown."""
        own = X[:, self.start : self.start + len(self.levels)]
        if self.rule.kind == "boolean":
            own = X[:, [self.start]] == [0, 1]
        known = (own == 1).any(axis=1) & ~self._is_missing(X)
        return np.where(known, (own == 1).argmax(axis=1), -1)

    def known(self, X: Array) -> Array:
        """Which rows (n,) have a value of this column."""
        known: Array = self.codes(X) >= 0 if self.levels else np.isfinite(self.numbers(X))
        return known

    def set_value(self, X: Array, values: Array | float) -> Array:
        """A copy of the rows in which this column has one number, or one number for each row."""
        X = X.copy()
        X[:, self.where] = 0
        X[:, self.start] = values
        for index, part in enumerate(self.rule.calendar):
            angles = calendar_angles(X[:, self.start], part)
            X[:, self.start + 1 + 2 * index] = np.sin(angles)
            X[:, self.start + 2 + 2 * index] = np.cos(angles)
        return X

    def set_level(self, X: Array, codes: Labels | int) -> Array:
        """A copy of the rows in which this column has one level, or one level for each row."""
        if self.rule.kind == "boolean":
            return self.set_value(X, codes)
        X = X.copy()
        X[:, self.where] = 0
        X[np.arange(len(X)), self.start + codes] = 1
        return X

    def text(self, x: Vector) -> str:
        """The value of an encoded row (d,) as the user would write it."""
        row = x[np.newaxis]
        if self._is_missing(row)[0]:
            return "missing"
        if self.levels:
            code = int(self.codes(row)[0])
            return self.levels[code] if code >= 0 else "unknown"
        return self.value_text(float(x[self.start]))

    def value_text(self, value: float) -> str:
        """A number or a date as text."""
        if self.rule.kind == "date":
            return date_text(value, self.rule.date_format)
        return readable(value)

    def _is_missing(self, X: Array) -> Array:
        if not self.rule.indicator:
            return np.zeros(len(X), bool)
        missing: Array = X[:, self.where.stop - 1] == 1
        return missing


def columns_of(encoder: FeatureEncoder) -> tuple[Column, ...]:
    """The columns of a table, in the order of the network's inputs."""
    return tuple(Column(rule, start) for rule, start in encoder.starts)
