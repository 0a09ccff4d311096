"""Arrays in files as a source of data: numpy's .npy and .npz, and MATLAB's .mat.

Arrays keep their data type, so that images of bytes take one byte per number; a .npy file is mapped
into memory, not read. Network inputs are made block by block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bpcli.data.files.array_files import as_matrix, columns_of, listed, load_arrays
from bpcli.data.files.array_names import USUAL_NAMES, is_vector, name_of_array
from bpcli.data.files.beside import has_sidecar
from bpcli.data.files.dialect import Samples
from bpcli.data.files.frames import naming
from bpcli.data.files.named_arrays import inputs_named, named_table
from bpcli.data.files.scan import require_finite
from bpcli.data.files.splits import FileSplits, notes_on_splits
from bpcli.data.files.table import numbers_in_a_row, targets_of
from bpcli.data.given import FORMAT, GivenArrays
from bpcli.data.row_blocks import row_blocks
from bpcli.data.selection import Selector, TargetSelectors, choose
from bpcli.data.table import Table, value_names
from bpcli.data.targets import rows_with_targets
from bpcli.data.types import AskedTask, DataFrame, numbered
from bpcli.data.values import as_numbers
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

_BY_COLUMN = "each sample is a column, as in MATLAB's networks"


@dataclass(frozen=True)
class ArraySource:
    """A file with an array of inputs and one of targets, or with a single array of both.

    With several arrays, `inputs` and `targets` are their names, by default the usual ones. With a
    single array they choose columns x1, x2 …, as in a text file. `layout` says whether samples are
    rows or columns; None is detected from the sizes.
    """

    path: Path
    inputs: tuple[Selector, ...] = ("*",)
    targets: TargetSelectors = None
    task: AskedTask | None = None
    splits: FileSplits = field(default_factory=FileSplits)
    layout: Samples | None = None

    def table(self, rng: np.random.Generator) -> Table:
        """The rows. Raises `DataError` with array, row and column of an invalid value."""
        if self.splits.column is not None:
            raise DataError(
                "an array has no column names for `split.column`: use `split.index`", "split"
            )
        if (given := _given_in(self.path)) is not None:
            return given.table(rng)
        if has_sidecar(self.path):
            return self._named_table()
        inputs, frames, counts, notes = {}, {}, {}, list[str]()
        for path in self.splits.paths(self.path):
            X, Y, guesses = self._inputs_and_targets(path)
            counts[path] = len(X)
            with naming(path, self._key(path)):
                inputs[path], frames[path], more = _with_targets(X, Y)
            notes += [f"{path.name}: {note}" for note in (*guesses, *more)]
        X = _stacked(inputs)
        numbers = {path: np.asarray(frame.index) + 1 for path, frame in frames.items()}
        splits = self.splits.rows(self.path, numbers, counts[self.path])
        names = tuple(map(str, frames[self.path].columns))
        return Table(
            X,
            numbered("x", X.shape[1]),
            targets=targets_of(frames, names, self.task),
            splits=splits,
            notes=(*notes, *notes_on_splits(splits, len(X))),
            row_numbers=numbers_in_a_row(numbers, counts),
        )

    def _named_table(self) -> Table:
        """The rows of an array whose columns are named in a file beside it."""
        arrays = {}
        for path in self.splits.paths(self.path):
            with naming(path, self._key(path)):
                arrays[path] = as_matrix(*load_arrays(path).values())
                _require_finite(arrays[path])
        with naming(self.path):
            return named_table(arrays, self.inputs, self.targets, self.task, self.splits)

    def _key(self, path: Path) -> str:
        """The key of `data` that names a file."""
        return "file" if path == self.path else "split"

    def _inputs_and_targets(self, path: Path) -> tuple[Array, Array | None, list[str]]:
        """Inputs and targets of a file, a sample in each row, and notes on what was guessed."""
        with naming(path, self._key(path)):
            arrays = load_arrays(path)
            X, Y, notes = self._one(arrays) if len(arrays) == 1 else self._two(arrays)
            by_column = self.layout == "columns"
            if self.layout is None and Y is not None:
                by_column = _has_samples_as_columns(X, Y)
                notes += [_BY_COLUMN] * by_column
            if by_column:
                X, Y = X.T, None if Y is None else Y.T
            if Y is not None and len(X) != len(Y):
                raise DataError(
                    f"{len(X)} rows of inputs, but {len(Y)} of targets: {listed(arrays)}"
                )
            if not len(X):
                raise DataError("there are no rows")
            _require_finite(X)
        return X, Y, notes

    def _one(self, arrays: Mapping[str, Array]) -> tuple[Array, Array | None, list[str]]:
        """Columns of a single array."""
        (array,) = arrays.values()
        matrix = as_matrix(array)
        if self.layout == "columns":
            raise no_single_array()
        names = numbered("x", matrix.shape[1])
        inputs, targets = choose(names, self.inputs, self.targets)
        Y = columns_of(matrix, names, targets) if targets else None
        return columns_of(matrix, names, inputs), Y, []

    def _two(self, arrays: Mapping[str, Array]) -> tuple[Array, Array | None, list[str]]:
        """An array of inputs and one of targets."""
        inputs = name_of_array("inputs", arrays, None if self.inputs == ("*",) else self.inputs)
        X = as_matrix(arrays[inputs])
        if self.targets == "same_as_inputs":
            return X, None, []
        targets = name_of_array("targets", arrays, self.targets)
        usual = inputs in USUAL_NAMES["inputs"] and targets in USUAL_NAMES["targets"]
        is_guess = not usual and self.inputs == ("*",) and self.targets is None
        notes = [f"inputs are `{inputs}`, targets are `{targets}`"] * is_guess
        Y = arrays[targets]
        return X, Y.ravel() if is_vector(Y) else as_matrix(Y), notes


def no_single_array() -> DataError:
    return DataError(
        "found one array, but `layout: columns` needs one of inputs and one of targets", "layout"
    )


def _has_samples_as_columns(X: Array, Y: Array) -> bool:
    """Whether only the numbers of columns match, or both shapes are equal with more columns."""
    if len(X) == len(Y):
        return X.shape == Y.shape and bool(len(X) < X.shape[1])
    return bool(X.shape[1] == Y.shape[-1])


def _with_targets(X: Array, Y: Array | None) -> tuple[Array, DataFrame, tuple[str, ...]]:
    """The rows that have targets, their targets, and a note on the others.

    Without targets, the frame of targets has no columns.
    """
    import pandas as pd

    if Y is None:
        return X, pd.DataFrame(index=range(len(X))), ()
    names = value_names(1 if Y.ndim == 1 else Y.shape[1])
    Y = Y.astype(Y.dtype.newbyteorder("="), copy=False)  # pandas reads no other byte order
    all_rows = pd.DataFrame(Y, columns=list(names))
    for name in names if Y.dtype.kind == "f" else ():
        as_numbers(all_rows[name], name)  # refuses infinity, which is no class either
    frame, notes = rows_with_targets(all_rows, names)
    return X[np.asarray(frame.index)] if notes else X, frame, notes


def _given_in(path: Path) -> GivenArrays | None:
    """The rows in a file that a Python program's training has written; None for any other file."""
    if path.suffix.lower() != ".npz":
        return None
    with naming(path):
        arrays = load_arrays(path)
        return GivenArrays.of_arrays(arrays) if FORMAT in arrays else None


def load_inputs(
    path: Path, columns: Sequence[str], name: str | None = None, layout: Samples | None = None
) -> tuple[Array, tuple[str, ...]]:
    """The inputs (n, columns) of a file of arrays: its only array, else the one of a name.

    If a file beside the array names its columns, they are chosen and ordered by their names.
    Without an array called `name`, it is one with a usual name. An array of MATLAB is transposed,
    with a note, if its columns have `width` numbers, but its rows do not. Raises `DataError` if
    there is none.
    """
    arrays, width = load_arrays(path), len(columns)
    if has_sidecar(path):
        return inputs_named(path, as_matrix(*arrays.values()), columns), ()
    chosen = next(iter(arrays)) if len(arrays) == 1 else None
    chosen = chosen or (name if name in arrays else name_of_array("inputs", arrays, None))
    X = as_matrix(arrays[chosen])
    if layout == "columns":
        return X.T, ()
    if layout is None and path.suffix.lower() == ".mat" and X.shape[1] != width == len(X):
        return X.T, (f"{path.name}: {_BY_COLUMN}",)
    return X, ()


def _require_finite(X: Array) -> None:
    """Raises `DataError` naming the first number that is not finite."""
    for block in row_blocks(X.shape):
        require_finite(X[block], block.start)


def _stacked(inputs: Mapping[Path, Array]) -> Array:
    """The inputs of all files; those of a single file are not copied."""
    first, *others = inputs.values()
    for path, X in inputs.items():
        if X.shape[1] != first.shape[1]:
            message = f"{path.name} has {X.shape[1]} inputs, the others {first.shape[1]}"
            raise DataError(message, "split")
    return np.concatenate([first, *others]) if others else first
