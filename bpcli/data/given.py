"""Rows that a Python program holds as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bpcli.data.table import Classes, MultiLabels, Table, Targets, Values, value_names
from bpcli.data.types import Labels, SplitName, numbered
from bpcli.data.values import refuse_control_characters, text_of
from bpcli.errors import DataError
from bpcli.nn.arrays import Array


@dataclass(frozen=True, eq=False)
class GivenArrays:
    """Inputs (n,) or (n, d), and targets (n,) or (n, k): numbers, or in one column texts.

    Inputs keep their data type. `classes` are the names of all classes, also of those without a
    row, in the order of the outputs; the targets are then indices of classes (n,), or, where a row
    may have any number of them, 0 and 1 (n, k). `weight` (n,) is the weight of each row, `splits`
    the rows of splits that are given.
    """

    inputs: Array
    targets: Array | None = None
    weight: Array | None = None
    classes: tuple[str, ...] = ()
    input_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    splits: Mapping[SplitName, Labels] = field(default_factory=dict)

    def table(self, rng: np.random.Generator) -> Table:
        """The rows. Raises `DataError` if the arrays do not fit together or are not finite."""
        X = _matrix("inputs", self.inputs)
        return Table(
            X,
            self.input_names or numbered("x", X.shape[1]),
            targets=self._targets(len(X)),
            weight=self._weight(len(X)),
            splits=self.splits,
        )

    def _targets(self, rows: int) -> Targets:
        targets = self.targets
        if targets is None:
            return None
        _require_rows("targets", targets, rows)
        if self.classes and targets.ndim == 1:
            return Classes(targets.astype(np.intp), self.classes)
        if self.classes:
            return MultiLabels(targets, self.classes, (("0", "1"),) * len(self.classes))
        if targets.dtype.kind in "iuf":
            Y = _matrix("targets", targets).astype(np.float64)
            return Values(Y, self.target_names or value_names(Y.shape[1]))
        if targets.ndim != 1:
            raise DataError("targets that are classes must be one column", "targets")
        texts = list(map(text_of, targets.tolist()))
        refuse_control_characters(texts, "the class name", "targets")
        names, labels = np.unique(np.array(texts), return_inverse=True)
        return Classes(labels, tuple(map(str, names)))

    def _weight(self, rows: int) -> Array | None:
        if self.weight is None:
            return None
        _require_rows("weight", self.weight, rows)
        weight = self.weight.astype(np.float64)
        if not (np.isfinite(weight) & (weight > 0)).all():
            row = int(np.argmin(np.isfinite(weight) & (weight > 0)))
            raise DataError(
                f"the weight {weight[row]:g} of row {row + 1} is not a finite number above 0",
                "weight",
            )
        return weight


def _require_rows(name: str, array: Array, rows: int) -> None:
    if len(array) != rows:
        raise DataError(f"{rows} rows of inputs but {len(array)} of {name}", name)


def _matrix(name: str, array: Array) -> Array:
    """An array as rows and columns. Raises `DataError` if it is not one of finite numbers."""
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
        found = f"{array.ndim} dimensions of type {array.dtype}"
        raise DataError(f"{name} has {found}, expected 1 or 2 dimensions of numbers", name)
    matrix = array[:, np.newaxis] if array.ndim == 1 else array
    if not matrix.size:
        raise DataError(f"{name} has no {'columns' if len(matrix) else 'rows'}", name)
    if matrix.dtype.kind == "f" and not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0] + 1
        raise DataError(f"{name} has a value that is not finite: row {row}, column {column}", name)
    return matrix
