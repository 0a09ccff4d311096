"""Rows that a Python program gives as arrays."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bpcli.data.long_double import in_double
from bpcli.data.table import Classes, MultiLabels, Table, Targets, Values, value_names
from bpcli.data.types import SPLITS, Labels, SplitName, numbered
from bpcli.data.values import refuse_control_characters, text_of
from bpcli.errors import DataError
from bpcli.nn.arrays import Array
from bpcli.text import plural

FORMAT = "bpnet"
"""The array that marks a file of such rows."""

_VERSION = "rows 1"
_NAMES = ("classes", "input_names", "target_names")
_SPLIT = "split."


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
            _named("input_names", self.input_names or numbered("x", X.shape[1]), X),
            targets=self._targets(len(X)),
            weight=self._weight(len(X)),
            splits=self._splits(len(X)),
        )

    def to_bytes(self) -> bytes:
        """The content of an .npz file that `of_arrays` reads back; equal rows give equal bytes."""
        arrays = {
            FORMAT: np.array(_VERSION),
            "inputs": self.inputs,
            "targets": self.targets,
            "weight": self.weight,
            **{key: _names_or_none(getattr(self, key)) for key in _NAMES},
            **{f"{_SPLIT}{name}": index for name, index in self.splits.items()},
        }
        buffer = io.BytesIO()
        known = {key: array for key, array in arrays.items() if array is not None}
        np.savez(buffer, **known)  # type: ignore[arg-type]  # no key is an option
        return buffer.getvalue()

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array]) -> GivenArrays:
        """The rows in the arrays of a file. Raises `DataError` if they are none of `to_bytes`."""
        if "inputs" not in arrays or arrays[FORMAT].tolist() != _VERSION:
            raise DataError(f"its array `{FORMAT}` is not {_VERSION!r}: another program wrote it")
        return cls(
            arrays["inputs"],
            arrays.get("targets"),
            arrays.get("weight"),
            **{key: tuple(map(str, arrays[key].ravel())) for key in _NAMES if key in arrays},
            splits={name: arrays[_SPLIT + name] for name in SPLITS if _SPLIT + name in arrays},
        )

    def _splits(self, rows: int) -> dict[SplitName, Labels]:
        splits = {name: self._rows_of(name, rows) for name in self.splits}
        uses = np.bincount(np.concatenate([np.empty(0, np.intp), *splits.values()]), minlength=rows)
        if uses.max() > 1:
            row = uses.argmax()
            raise DataError(
                f"row {row}, counted from 0, is in the splits {uses[row]} times: list it once",
                "splits",
            )
        return splits

    def _rows_of(self, split: SplitName, rows: int) -> Labels:
        index = np.asarray(self.splits[split])
        if index.ndim != 1 or index.dtype.kind not in "iu":
            raise DataError(f"the rows of `{split}` are not a list of row numbers", "splits")
        if index.size and (index.min() < 0 or index.max() >= rows):
            raise DataError(
                f"the rows of `{split}` are {index.min()} to {index.max()}, but the data have the "
                f"rows 0 to {rows - 1}",
                "splits",
            )
        return index.astype(np.intp)

    def _targets(self, rows: int) -> Targets:
        targets = self.targets
        if targets is None:
            return None
        _require_rows("targets", targets, rows)
        if self.classes:
            return self._of_classes(targets)
        if targets.dtype.kind in "iuf":
            Y = _matrix("targets", targets).astype(np.float64)
            names = self.target_names or value_names(Y.shape[1])
            return Values(Y, _named("target_names", names, Y))
        return _of_texts(targets)

    def _of_classes(self, targets: Array) -> Classes | MultiLabels:
        """The targets, which are indices of `classes`, or 0 and 1 for each of them."""
        if len(set(self.classes)) < len(self.classes):
            raise DataError("a class is listed twice: give each class once", "classes")
        if targets.ndim == 1:
            return Classes(self._labels(targets), self.classes)
        if targets.shape[1:] != (len(self.classes),):
            columns = plural(len(self.classes), "column")
            raise DataError(f"expected {columns} of targets, one for each class", "targets")
        if not np.isin(targets, (0, 1)).all():
            raise DataError("labels are 0 or 1, but there are other numbers", "targets")
        return MultiLabels(targets, self.classes, (("0", "1"),) * len(self.classes))

    def _labels(self, targets: Array) -> Labels:
        """The targets as indices of `classes`."""
        if targets.dtype.kind not in "iu":
            raise DataError("with `classes`, targets are their indices: whole numbers", "targets")
        if targets.size and (targets.min() < 0 or targets.max() >= len(self.classes)):
            raise DataError(
                f"the targets are {targets.min()} to {targets.max()}, but the indices of the "
                f"{len(self.classes)} classes are 0 to {len(self.classes) - 1}",
                "targets",
            )
        return targets.astype(np.intp)

    def _weight(self, rows: int) -> Array | None:
        if self.weight is None:
            return None
        _require_rows("weight", self.weight, rows)
        if self.weight.ndim != 1 or self.weight.dtype.kind not in "biuf":
            shape = _kind_of(self.weight)
            raise DataError(f"weight has {shape}, expected 1 dimension of numbers", "weight")
        weight = self.weight.astype(np.float64)
        if not (np.isfinite(weight) & (weight > 0)).all():
            row = int(np.argmin(np.isfinite(weight) & (weight > 0)))
            raise DataError(
                f"the weight {weight[row]:g} of row {row + 1} is not a finite number above 0",
                "weight",
            )
        return weight


def _of_texts(targets: Array) -> Classes:
    """Classes by their names, in the order of these."""
    if targets.ndim != 1:
        raise DataError("targets that are classes must be one column", "targets")
    texts = list(map(text_of, targets.tolist()))
    refuse_control_characters(texts, "the class name", "targets")
    names, labels = np.unique(np.array(texts), return_inverse=True)
    return Classes(labels, tuple(map(str, names)))


def _names_or_none(names: tuple[str, ...]) -> Array | None:
    return np.array(names) if names else None


def _require_rows(name: str, array: Array, rows: int) -> None:
    count = len(array) if array.ndim else "a single value"
    if count != rows:
        raise DataError(f"{rows} rows of inputs but {count} of {name}", name)


def _named(key: str, names: tuple[str, ...], columns: Array) -> tuple[str, ...]:
    """The names of columns. Raises `DataError` if there are more or fewer than columns."""
    if len(names) != columns.shape[1]:
        names_text, columns_text = plural(len(names), "name"), plural(columns.shape[1], "column")
        raise DataError(f"{names_text} for {columns_text}: give one for each", key)
    return names


def _kind_of(array: Array) -> str:
    return f"{plural(array.ndim, 'dimension')} of type {array.dtype}"


def _matrix(name: str, array: Array) -> Array:
    """An array as rows and columns. Raises `DataError` if it is not one of finite numbers."""
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
        message = f"{name} has {_kind_of(array)}, expected 1 or 2 dimensions of numbers"
        raise DataError(message, name)
    # Row by row in memory, as in a file: sums over rows depend on that.
    matrix = np.ascontiguousarray(in_double(array[:, np.newaxis] if array.ndim == 1 else array))
    if not matrix.size:
        raise DataError(f"{name} has no {'columns' if len(matrix) else 'rows'}", name)
    if matrix.dtype.kind == "f" and not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0] + 1
        raise DataError(f"{name} has a value that is not finite: row {row}, column {column}", name)
    return matrix
