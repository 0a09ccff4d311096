"""Compare an imported network with outputs that its old program computed for the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bpcli.data.columns import FeatureEncoder
from bpcli.data.files.arrays import ArraySource, is_array_file
from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.frames import naming
from bpcli.data.files.parquet import is_parquet
from bpcli.data.table import Table
from bpcli.data.types import DataFrame, numbered
from bpcli.data.values import as_numbers
from bpcli.errors import DataError
from bpcli.imports.model import ImportedModel
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import predict
from bpcli.text import first_of, plural


@dataclass(frozen=True)
class Differences:
    """The largest differences of outputs: absolute, and relative to the largest of their column."""

    rows: int
    absolute: float
    relative: float
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The differences as `--json` prints them."""
        return {"rows": self.rows, "absolute": self.absolute, "relative": self.relative}


def differences(model: ImportedModel, network: Network, params: Vector, path: Path) -> Differences:
    """Compare the outputs of a model with those in a file, for the inputs in it.

    A table has the columns of the inputs and of the outputs, by their names or in this order; a
    file of arrays has one of inputs and one of outputs. Raises `DataError` if it has not.
    """
    with naming(path):
        X, old, notes = _arrays(path, model) if is_array_file(path) else _table(path, model)
        if old.shape != (len(X), network.outputs):
            raise DataError(
                f"it has {plural(old.shape[1], 'column')} of outputs, but the network has "
                f"{network.outputs}"
            )
        if not len(X):
            raise DataError("it has no rows")
    own = model.targets.invert(predict(network, params, model.inputs.apply(X)))
    gap = np.abs(own - old).max(axis=0)
    largest = np.abs(old).max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(gap == 0, 0.0, gap / largest)
    return Differences(len(X), float(gap.max()), float(relative.max()), tuple(notes))


def _arrays(path: Path, model: ImportedModel) -> tuple[Array, Array, Sequence[str]]:
    """Inputs and outputs in a file of arrays, whose samples may be columns."""
    width = len(model.input_names)
    source = ArraySource(path, task="regression")
    table = _array_table(source)
    if table.X.shape[1] != width:
        table = _array_table(replace(source, layout="columns"))
    X = table.X[:].astype(np.float64)
    if X.shape[1] != width:
        raise DataError(f"it has {plural(X.shape[1], 'input')}, but the network has {width}")
    if table.Y is None:
        raise DataError("it has no array of outputs: save them as `y` beside the inputs `x`")
    return X, table.Y, table.notes


def _array_table(source: ArraySource) -> Table:
    return source.table(np.random.default_rng(0))


def _table(path: Path, model: ImportedModel) -> tuple[Array, Array, Sequence[str]]:
    """Inputs and outputs in a table, by name or by position."""
    frame, notes = _frame(path)
    columns = [str(name) for name in frame.columns]
    inputs = [column.name for column in model.columns]
    outputs = _output_columns(model)
    is_named = {*inputs} <= {*columns}
    rest = [name for name in columns if name not in inputs] if is_named else columns[len(inputs) :]
    if not is_named:
        if len(columns) != len(inputs) + len(outputs):
            raise DataError(
                f"its {plural(len(columns), 'column')} ({first_of(columns, 5)}) are neither named "
                f"{first_of(inputs, 5)} nor as many as {plural(len(inputs), 'input')} and "
                f"{plural(len(outputs), 'output')}"
            )
        frame = frame.set_axis([*inputs, *rest], axis="columns")
        notes = (*notes, f"{path.name}: its columns are taken in order: inputs, then outputs")
    chosen = outputs if {*outputs} <= {*rest} else rest
    if len(chosen) != len(outputs):
        raise DataError(
            f"it has {plural(len(chosen), 'column')} besides the inputs, but the network has "
            f"{plural(len(outputs), 'output')}"
        )
    encoder = FeatureEncoder(model.columns)
    old = np.column_stack([as_numbers(frame[name], name) for name in chosen])
    if not np.isfinite(old).all():
        raise DataError("an output is missing or not finite")
    return encoder.encode(frame), old, notes


def _output_columns(model: ImportedModel) -> list[str]:
    """The names that columns of outputs may have."""
    count = model.layers[-1].units
    if model.classes or len(model.target_names) != count:
        return list(model.classes) if len(model.classes) == count else [*numbered("y", count)]
    return list(model.target_names)


def _frame(path: Path) -> tuple[DataFrame, Sequence[str]]:
    """All rows of a table with or without a header."""
    if is_parquet(path):
        return read(layout_of(path, Dialect()))
    bare = layout_of(path, Dialect(header=False))
    if bare.seems_headed():
        return read(bare.headed(True, may_be_numbers=True))
    columns = numbered("x", len(bare.first))
    return read(replace(bare, dialect=replace(bare.dialect, columns=columns)))
