"""A table whose rows stay in their file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bpcli.data.files.scan import scan
from bpcli.data.files.table import targets_of
from bpcli.data.stored_rows import (
    RowSource,
    StoredCodes,
    StoredColumns,
    StoredFlags,
    StoredFloats,
    lazily,
)
from bpcli.data.stored_targets import StoredValues, TargetFacts, too_many_classes
from bpcli.data.table import Classes, MultiLabels, Table, Targets
from bpcli.data.types import AskedTask
from bpcli.data.values import INEXACT
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

_ROWS_TO_SEE_TYPES = 1000


class StoredSize(NamedTuple):
    """The size of a table in a file: its rows and columns, and the bytes of its numbers.

    `loaded` are the bytes that the table takes when it is read as a whole.
    """

    rows: int
    columns: int
    bytes: int
    loaded: int


def no_autoencoder() -> DataError:
    """The error of targets that are the inputs."""
    return DataError("an autoencoder cannot be streamed: use `training.engine: memory`", "targets")


def stored_table(
    path: Path,
    source: RowSource,
    inputs: tuple[int, ...],
    targets: tuple[int, ...],
    input_names: tuple[str, ...],
    target_names: tuple[str, ...],
    task: AskedTask | None,
    target_types: Sequence[np.dtype | None] | None = None,
) -> Table:
    """The table of some columns of a source, which is read once.

    `target_types` are those of the targets in the file; None: that of the source, which has no
    names of inputs either. Raises `DataError` naming row and column of a value that is missing or
    not finite.
    """
    named_inputs = None if target_types is None else input_names
    facts = scan(source, inputs, targets, target_names, named_inputs)
    stored = source.dtype.newbyteorder("=")  # pandas reads no other byte order
    types = dict(zip(target_names, target_types or [stored] * len(targets), strict=True))
    own_target = _targets(path, source, targets, types, task, facts) if targets else None
    X = StoredColumns(source, inputs, is_by_column=target_types is None and _have_gaps(inputs))
    return Table(X, input_names, targets=own_target)


def _have_gaps(places: tuple[int, ...]) -> bool:
    """Whether an array of these columns is one that numpy copies column by column."""
    return places != tuple(range(places[0], places[-1] + 1))


def _targets(
    path: Path,
    source: RowSource,
    places: tuple[int, ...],
    types: Mapping[str, np.dtype | None],
    task: AskedTask | None,
    facts: TargetFacts,
) -> Targets:
    """The targets, as a table in memory would read some rows that have every value of a class."""
    import pandas as pd

    names = tuple(types)
    rows = _rows_with_all_values(source, places, names, task, facts)
    native = rows.astype(rows.dtype.newbyteorder("="), copy=False)
    frame = pd.DataFrame(native, columns=list(names)).astype(types)
    few = targets_of({path: frame}, names, task)
    if isinstance(few, Classes):
        values = facts.uniques[0]
        assert values is not None, "the rows have every value"
        _refuse_inexact(names[0], types[names[0]], values)
        codes = StoredCodes(source, places[0], values, few.labels[: len(values)])
        return Classes(lazily(codes), few.names)
    if isinstance(few, MultiLabels):
        ones = np.where(few.Y == 1, rows, -np.inf).max(axis=0)  # -inf: no row has the label
        return MultiLabels(lazily(StoredFlags(source, places, ones)), few.names, few.words)
    return StoredValues(lazily(StoredFloats(source, places)), names, facts)


def _refuse_inexact(name: str, stored: np.dtype | None, values: Array) -> None:
    """Raises `DataError` for classes that are one number in double precision."""
    is_whole = stored is not None and stored.kind in "iu"
    if is_whole and values.dtype.kind == "f" and np.abs(values).max() >= INEXACT:
        raise DataError(
            f"the classes in column `{name}` are whole numbers of more than 15 digits, which "
            "cannot be streamed: use `training.engine: memory`",
            "targets",
        )


def _rows_with_all_values(
    source: RowSource,
    places: tuple[int, ...],
    names: tuple[str, ...],
    task: AskedTask | None,
    facts: TargetFacts,
) -> Array:
    """Rows of targets with all unique values; the first rows if these are too many for classes."""
    many = [name for name, values in zip(names, facts.uniques, strict=True) if values is None]
    if many and (task == "multilabel" or (task == "classification" and len(names) == 1)):
        raise too_many_classes(many[0])
    if many:
        return StoredColumns(source, places).of(source[:_ROWS_TO_SEE_TYPES])
    uniques = [values for values in facts.uniques if values is not None]
    count = max(map(len, uniques))
    padded = [np.pad(values, (0, count - len(values)), "edge") for values in uniques]
    return np.stack(padded, axis=1)
