"""Tables written in a config: `data: {inputs: [[…]], targets: [[…]]}`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bpcli.data.table import Classes, Table, value_table
from bpcli.data.types import numbered
from bpcli.data.values import refuse_control_characters, text_of
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

Number: TypeAlias = float | int
Matrix: TypeAlias = Sequence[Number] | Sequence[Sequence[Number]]


@dataclass(frozen=True)
class InlineArrays:
    """Rows written by hand. A list of numbers is one column; texts and booleans are class names."""

    inputs: Matrix
    targets: Matrix | Sequence[str | bool] | None = None

    def table(self, rng: np.random.Generator) -> Table:
        """The rows. Raises `DataError` if they do not form a table."""
        X = _matrix("inputs", self.inputs)
        names = numbered("x", X.shape[1])
        if self.targets is None:
            return Table(X, input_names=names)
        if len(self.targets) != len(X):
            rows = f"{len(X)} rows of inputs but {len(self.targets)} of targets"
            raise DataError(f"{rows}: expected one target row for each", "targets")
        if all(isinstance(target, str | bool) for target in self.targets):
            texts = list(map(text_of, self.targets))
            refuse_control_characters(texts, "the class name", "targets")
            classes, labels = np.unique(np.array(texts), return_inverse=True)
            targets = Classes(labels, tuple(map(str, classes)))
            return Table(X, targets=targets, input_names=names)
        return value_table(X, _matrix("targets", self.targets))  # type: ignore[arg-type]  # no str


def _matrix(name: str, rows: Matrix) -> Array:
    if not len(rows):
        raise DataError(f"{name} has no rows", name)
    lists = [row if isinstance(row, Sequence) else [row] for row in rows]
    widths = {len(row) for row in lists}
    if len(widths) > 1:
        uneven = next(i for i, row in enumerate(lists) if len(row) != len(lists[0]))
        raise DataError(
            f"{name} is not rectangular: row 1 has {len(lists[0])} numbers, row {uneven + 1} has "
            f"{len(lists[uneven])}",
            name,
        )
    if widths == {0}:
        raise DataError(f"{name} has no columns", name)
    matrix = np.array(lists, dtype=np.float64)
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0] + 1
        raise DataError(f"{name} has a value that is not finite: row {row}, column {column}", name)
    return matrix
