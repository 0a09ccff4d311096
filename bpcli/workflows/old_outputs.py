"""Compare an imported network with outputs that its old program computed for the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bpcli.data.columns import FeatureEncoder
from bpcli.data.files.array_files import is_array_file
from bpcli.data.files.arrays import ArraySource
from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.frames import naming
from bpcli.data.files.parquet import is_parquet
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.table import Table
from bpcli.data.types import DataFrame, Series, numbered
from bpcli.data.values import as_numbers, category_codes, kind_of, quoted
from bpcli.errors import DataError
from bpcli.imports.model import ImportedModel
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import predict
from bpcli.text import first_of, plural


@dataclass(frozen=True)
class Differences:
    """The largest differences of outputs: absolute, and relative to the largest of their column.

    They are None if the file has classes alone. `classes` says how many rows have another class,
    and is None if the file has no classes; `first` is the first of these rows in words.
    """

    rows: int
    absolute: float | None
    relative: float | None
    classes: int | None
    first: str
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The differences as `--json` prints them."""
        return {key: value for key, value in vars(self).items() if key not in ("first", "notes")}


@dataclass(frozen=True, eq=False)
class _Old:
    """The inputs (n, d) in a file, and its outputs (n, k), its classes, or both."""

    X: Array
    outputs: Array | None
    classes: Series | None
    notes: Sequence[str]


def differences(model: ImportedModel, network: Network, params: Vector, path: Path) -> Differences:
    """Compare the outputs of a model with those in a file, for the inputs in it.

    A table has the columns of the inputs and of the outputs, by their names or in this order; a
    column of classes may follow, or take the place of the outputs. A file of arrays has one of
    inputs and one of outputs. Raises `DataError` if it has not.
    """
    with naming(path):
        old = _arrays(path, model) if is_array_file(path) else _table(path, model)
        if old.outputs is not None and old.outputs.shape != (len(old.X), network.outputs):
            raise DataError(
                f"it has {plural(old.outputs.shape[1], 'column')} of outputs, but the network has "
                f"{network.outputs}"
            )
        if not len(old.X):
            raise DataError("it has no rows")
    own = model.targets.invert(predict(network, params, model.inputs.apply(old.X)))
    absolute, relative = (None, None) if old.outputs is None else _gaps(own, old.outputs)
    count, first = (None, "") if old.classes is None else _other_classes(model, own, old.classes)
    return Differences(len(old.X), absolute, relative, count, first, tuple(old.notes))


def _gaps(own: Array, old: Array) -> tuple[float, float]:
    gap = np.abs(own - old).max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(gap == 0, 0.0, gap / np.abs(old).max(axis=0))
    return float(gap.max()), float(relative.max())


def _other_classes(model: ImportedModel, own: Array, old: Series) -> tuple[int, str]:
    """The number of rows whose class is another one, and the first of them."""
    scales = Preprocessor(model.inputs, model.targets, model.classes, own.shape[1])
    predicted = scales.labels(own)
    differs = category_codes(old, model.classes) != predicted
    if predicted is None or not differs.any():
        return 0, ""
    row = int(np.argmax(differs))
    named = model.classes[predicted[row]]
    return int(differs.sum()), f"row {row + 1}: `{quoted(old.iloc[row])}`, here `{named}`"


def _arrays(path: Path, model: ImportedModel) -> _Old:
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
    return _Old(X, table.Y, None, table.notes)


def _array_table(source: ArraySource) -> Table:
    return source.table(np.random.default_rng(0))


def _table(path: Path, model: ImportedModel) -> _Old:
    """Inputs, outputs and classes in a table, by name or by position."""
    frame, notes = _frame(path)
    inputs = [column.name for column in model.columns]
    if not {*inputs} <= {*map(str, frame.columns)}:
        frame = _in_order(frame, inputs, model)
        notes = (*notes, f"{path.name}: its columns are taken in order: inputs, then outputs")
    rest = [name for name in map(str, frame.columns) if name not in inputs]
    classes = _class_column(frame, rest, model)
    rest = [name for name in rest if name != classes]
    outputs = _output_columns(model)
    chosen = outputs if {*outputs} <= {*rest} else rest
    if len(chosen) != len(outputs) and (chosen or classes is None):
        raise DataError(
            f"it has {plural(len(chosen), 'column')} besides the inputs, but the network has "
            f"{plural(len(outputs), 'output')}"
        )
    old = np.array([as_numbers(frame[name], name) for name in chosen]).T if chosen else None
    if old is not None and not np.isfinite(old).all():
        raise DataError("an output is missing or not finite")
    of_rows = None if classes is None else frame[classes]
    return _Old(FeatureEncoder(model.columns).encode(frame), old, of_rows, notes)


def _in_order(frame: DataFrame, inputs: list[str], model: ImportedModel) -> DataFrame:
    """The table with the names of the inputs for its first columns."""
    columns, outputs = list(map(str, frame.columns)), len(_output_columns(model))
    allowed = {outputs, *((1, outputs + 1) if model.classes else ())}
    if len(columns) - len(inputs) not in allowed:
        raise DataError(
            f"its {plural(len(columns), 'column')} ({first_of(columns, 5)}) are neither named "
            f"{first_of(inputs, 5)} nor as many as {plural(len(inputs), 'input')} and "
            f"{plural(outputs, 'output')}"
        )
    return frame.set_axis([*inputs, *columns[len(inputs) :]], axis="columns")


def _class_column(frame: DataFrame, names: list[str], model: ImportedModel) -> str | None:
    """The column of classes: that of the target, or a text column with one of the classes."""
    if not model.classes:
        return None
    if model.target_names[0] in names:
        return model.target_names[0]
    return next((name for name in names if _has_classes(frame[name], model)), None)


def _has_classes(values: Series, model: ImportedModel) -> bool:
    is_text = kind_of(values, str(values.name)) == "category"
    return is_text and bool((category_codes(values, model.classes) >= 0).any())


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
        return read(bare.headed(may_be_numbers=True))
    columns = numbered("x", len(bare.first))
    return read(replace(bare, dialect=replace(bare.dialect, columns=columns)))
