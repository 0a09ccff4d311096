"""Rows that a Python program gives, as a table with the columns of a trained network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from bpcli.data.types import DataFrame
from bpcli.errors import DataError
from bpcli.export.model import Model
from bpcli.nn.arrays import Array
from bpcli.text import first_of, plural

RowsInMemory: TypeAlias = "DataFrame | Array | Sequence[Sequence[Any]]"
"""A DataFrame, whose columns are found by name; or rows of the training's inputs, in order."""


def frame_of(rows: RowsInMemory, model: Model) -> DataFrame:
    """The rows as a table whose index counts from 0; columns that are no inputs may remain.

    Raises `DataError` if rows without names are not rows of the inputs.
    """
    import pandas as pd

    names = [column.name for column in model.encoder.inputs]
    if isinstance(rows, pd.DataFrame):
        if any(isinstance(name, str) for name in rows.columns):
            return _checked(_as_read(rows), names)
        rows = rows.to_numpy()
    if isinstance(rows, np.ndarray):
        _refuse_other_shape(rows.shape, names)
        return _checked(pd.DataFrame(rows, columns=names).infer_objects(), names)
    lists = [list(row) if isinstance(row, Sequence | np.ndarray) else row for row in rows]
    for number, row in enumerate(lists, 1):
        if not isinstance(row, list):
            raise DataError(f"row {number} is {row!r}, expected a list of {len(names)} values")
        if len(row) != len(names):
            raise DataError(f"row {number} has {_of_inputs(len(row), names)}")
    return pd.DataFrame(lists, columns=names)


def _checked(frame: DataFrame, names: Sequence[str]) -> DataFrame:
    """Raises `DataError` for an input that two columns have, or whose numbers are complex."""
    inputs = frame[[name for name in frame.columns if name in names]]
    twice = inputs.columns[inputs.columns.duplicated()]
    if len(twice):
        raise DataError(f"two columns are called `{twice[0]}`")
    for name, dtype in inputs.dtypes.items():
        if dtype.kind == "c":
            raise DataError(f"column `{name}` contains complex numbers")
    return frame


def _as_read(frame: DataFrame) -> DataFrame:
    """A table as it would be read from a file: texts as names, rows counted from 0."""
    frame = frame.reset_index(drop=True).set_axis([str(name) for name in frame.columns], axis=1)
    plain = frame.select_dtypes("category").astype(object).infer_objects()
    return frame.assign(**{name: plain[name] for name in plain})


def _refuse_other_shape(shape: tuple[int, ...], names: Sequence[str]) -> None:
    if len(shape) != 2:
        raise DataError(
            f"the rows have {plural(len(shape), 'dimension')}, expected 2: (rows, {len(names)})"
        )
    if shape[1] != len(names):
        raise DataError(f"the array has {_of_inputs(shape[1], names)}")


def _of_inputs(count: int, names: Sequence[str]) -> str:
    given, expected = plural(count, "column"), plural(len(names), "input")
    return f"{given}, expected {expected} in this order: {first_of(names)}"
