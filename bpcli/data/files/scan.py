"""One reading of a file of rows, some megabytes at a time: errors, and facts about its targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.data.columns import refuse_gaps
from bpcli.data.row_blocks import row_blocks
from bpcli.data.stored_rows import RowSource, StoredColumns
from bpcli.data.stored_targets import TargetFacts
from bpcli.data.targets import MOST_CLASSES
from bpcli.data.values import as_numbers
from bpcli.errors import DataError
from bpcli.nn.arrays import Array
from bpcli.text import first_of

_MOST_ROWS_NAMED = 5


def scan(
    source: RowSource,
    inputs: tuple[int, ...],
    targets: tuple[int, ...],
    target_names: Sequence[str],
    input_names: Sequence[str] | None = None,
) -> TargetFacts:
    """Facts about the targets. Without `input_names`, inputs have numbers.

    Raises `DataError` for an input or a target that is not finite, and for missing targets: in
    memory these rows are left out, but rows that stay in their file are read as they are.
    """
    X = StoredColumns(source, inputs)
    seen = _Targets(target_names)
    for block in row_blocks(source.shape):
        raw = source[block]
        require_finite(X.of(raw), block.start, input_names)
        if targets:
            seen.add(StoredColumns(source, targets).of(raw), block.start)
    return seen.facts()


def require_finite(X: Array, first: int = 0, names: Sequence[str] | None = None) -> None:
    """Raises `DataError` naming the first number that is not finite; `first` is the first row."""
    if X.dtype.kind != "f":
        return
    is_finite = np.isfinite(X)
    if not is_finite.all():
        row, column = np.argwhere(~is_finite)[0]
        if names is not None:
            _refuse(X[row, column], first + row, names[column])
        raise DataError(f"row {first + row + 1}, column {column + 1} of the inputs is not finite")


def _refuse(value: float, row: int, name: str) -> None:
    """Raises `DataError` for a number of a named column that is missing or infinite."""
    import pandas as pd

    values = pd.Series([value], [row])
    as_numbers(values, name)
    refuse_gaps(values, name, values.isna().to_numpy())


class _Targets:
    """The facts about some columns of targets, piece by piece."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._low, self._high = np.inf, -np.inf
        self._are_whole = self._are_flags = self._are_one_hot = True
        self._uniques: list[Array | None] = [None] * len(names)
        self._missing, self._rows = 0, list[str]()
        self._is_first = True

    def add(self, Y: Array, first: int) -> None:
        """Add rows (m, k) of targets, which begin at row `first` of the file."""
        if Y.dtype.kind == "f":
            self._refuse_infinite(Y, first)
            is_missing = np.isnan(Y).any(axis=1)
            if is_missing.any():
                self._count_missing(np.flatnonzero(is_missing) + first + 1)
                Y = Y[~is_missing]
        if len(Y):
            self._add_numbers(Y)

    def _refuse_infinite(self, Y: Array, first: int) -> None:
        is_infinite = np.isinf(Y)
        if is_infinite.any():
            row, column = np.argwhere(is_infinite)[0]
            _refuse(Y[row, column], first + row, self._names[column])

    def _count_missing(self, rows: Array) -> None:
        self._missing += len(rows)
        if len(self._rows) <= _MOST_ROWS_NAMED:
            self._rows += map(str, rows[: _MOST_ROWS_NAMED + 1].tolist())

    def _add_numbers(self, Y: Array) -> None:
        self._low = min(self._low, float(Y.min()))
        self._high = max(self._high, float(Y.max()))
        self._are_whole = self._are_whole and not (Y % 1).any()
        self._are_flags = self._are_flags and bool(np.isin(Y, (0, 1)).all())
        self._are_one_hot = (
            self._are_one_hot and self._are_flags and bool((Y.sum(axis=1) == 1).all())
        )
        for k, known in enumerate(self._uniques):
            if self._is_first or known is not None:
                self._uniques[k] = _with_values(known, Y[:, k])
        self._is_first = False

    def facts(self) -> TargetFacts:
        """The facts. Raises `DataError` if a target is missing."""
        if self._missing:
            what = f"`{self._names[0]}`" if len(self._names) == 1 else "a target"
            have = "1 row has" if self._missing == 1 else f"{self._missing:,} rows have"
            raise DataError(
                f"{have} no value of {what}, and rows that are streamed cannot be left out: "
                f"{first_of(self._rows, _MOST_ROWS_NAMED)}; remove them from the file, or set "
                "`training.engine: memory`",
                "targets",
            )
        return TargetFacts(
            (self._low, self._high),
            self._are_whole,
            self._are_flags,
            self._are_one_hot,
            tuple(self._uniques),
        )


def _with_values(known: Array | None, values: Array) -> Array | None:
    """The sorted unique values, None if they are more than those of classes."""
    if known is None:
        merged = np.unique(values)
    else:
        places = np.searchsorted(known, values).clip(max=len(known) - 1)
        new = values[known[places] != values]
        merged = np.union1d(known, new) if len(new) else known
    return merged if len(merged) <= MOST_CLASSES else None
