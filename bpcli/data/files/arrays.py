"""Arrays in files as a source of data: numpy's .npy and .npz, and MATLAB's .mat.

They are numbers already and stay of their own type, so that images of bytes take a byte a number;
a .npy file is mapped into memory, not read. What the network reads is made block by block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bpcli.data.drawn import row_blocks
from bpcli.data.files.regular import require_regular
from bpcli.data.files.splits import (
    FileSplits,
    notes_on_splits,
    require_distinct,
    splits_of_files,
    splits_of_index,
)
from bpcli.data.files.table import FileTask, naming, targets_table
from bpcli.data.selection import Selector, select
from bpcli.data.table import Table
from bpcli.data.types import numbered
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

if TYPE_CHECKING:
    from zipfile import ZipFile

ARRAY_SUFFIXES = (".npy", ".npz", ".mat")
_INPUT_NAMES = ("X", "x", "inputs", "data", "features")
_TARGET_NAMES = ("y", "Y", "targets", "target", "labels", "t")


@dataclass(frozen=True)
class ArraySource:
    """A file with an array of inputs and one of targets, or with one array of both.

    Of several arrays `inputs` and `targets` are names; they are found by the usual names without.
    Of a single one they choose columns, x1, x2 …, as in a text file.
    """

    path: Path
    inputs: tuple[Selector, ...] = ("*",)
    targets: tuple[Selector, ...] | Literal["same_as_inputs"] | None = None
    task: FileTask | None = None
    splits: FileSplits = field(default_factory=FileSplits)

    def table(self, rng: np.random.Generator) -> Table:
        """The rows. Raises `DataError` naming array, row and column of what is no number."""
        if self.splits.column is not None:
            raise DataError("splits by a column are for tables with names: use `index`", "split")
        require_distinct(self.path, self.splits.files)
        files = (self.path, *self.splits.files.values())
        found = {path: self._inputs_and_targets(path) for path in files}
        inputs = [X for X, _ in found.values()]
        X = inputs[0] if len(inputs) == 1 else _stacked(found)
        table = self._targets_table({path: Y for path, (_, Y) in found.items()}, len(X))
        sizes = {split: len(found[path][0]) for split, path in self.splits.files.items()}
        splits = (
            splits_of_files({"train": len(inputs[0]), **sizes})
            if sizes
            else splits_of_index(self.splits.index, len(X))
        )
        names, notes = numbered("x", X.shape[1]), notes_on_splits(splits, len(X))
        return replace(table, X=X, input_names=names, splits=splits, notes=notes)

    def _inputs_and_targets(self, path: Path) -> tuple[Array, Array | None]:
        with naming(path):
            arrays = load_arrays(path)
            X, Y = self._one(arrays) if len(arrays) == 1 else self._two(arrays)
            if Y is not None and len(X) != len(Y):
                raise DataError(
                    f"{len(X)} rows of inputs, but {len(Y)} of targets: {_told(arrays)}"
                )
            if not len(X):
                raise DataError("there are no rows")
            _refuse_odd_numbers(X)
        return X, Y

    def _one(self, arrays: Mapping[str, Array]) -> tuple[Array, Array | None]:
        """Columns of a single array."""
        (array,) = arrays.values()
        matrix = _as_matrix(array)
        names = numbered("x", matrix.shape[1])
        if self.targets == "same_as_inputs":
            targets = []
        else:
            chosen = names[-1:] if self.targets is None else self.targets
            targets = select(names, chosen, "targets")
        inputs = [name for name in select(names, self.inputs, "inputs") if name not in targets]
        if not inputs:
            raise DataError("there are no columns left for the inputs", "inputs")
        Y = _columns(matrix, names, targets) if targets else None
        return _columns(matrix, names, inputs), Y

    def _two(self, arrays: Mapping[str, Array]) -> tuple[Array, Array | None]:
        """An array of inputs and one of targets."""
        usual = self.inputs == ("*",)
        X = arrays[_name(arrays, None if usual else self.inputs, _INPUT_NAMES, "inputs")]
        if self.targets == "same_as_inputs":
            return _as_matrix(X), None
        Y = arrays[_name(arrays, self.targets, _TARGET_NAMES, "targets")]
        return _as_matrix(X), Y.ravel() if max(Y.shape, default=1) == Y.size else _as_matrix(Y)

    def _targets_table(self, targets: Mapping[Path, Array | None], rows: int) -> Table:
        import pandas as pd

        some = next(iter(targets.values()))
        if some is None:
            return Table(np.empty((rows, 0)))
        names = ("y",) if some.ndim == 1 or some.shape[1] == 1 else numbered("y", some.shape[1])
        frames = {path: pd.DataFrame(Y, columns=list(names)) for path, Y in targets.items()}
        return targets_table(frames, names, self.task)


def load_arrays(path: Path) -> dict[str, Array]:
    """The arrays of a file by name. Raises `DataError` where it is damaged or has none."""
    require_regular(path)
    load = {".npy": _load_npy, ".npz": _load_npz, ".mat": _load_mat}[path.suffix.lower()]
    try:
        found = load(path)
    except DataError:
        raise
    except Exception as error:  # whatever a reader stumbles over in a damaged file
        raise DataError(f"this is no {path.suffix} file, or a damaged one: {error}") from None
    arrays = {name: array for name, array in found.items() if array.dtype.kind in "biufcU"}
    if not arrays:
        raise DataError("the file holds no array of numbers or words")
    return arrays


def load_inputs(path: Path) -> Array:
    """The inputs (n, d) of a file of arrays: its only one, or that with a usual name.

    Raises `DataError` where there is none.
    """
    arrays = load_arrays(path)
    usual = [name for name in _INPUT_NAMES if name in arrays] or list(arrays)[: len(arrays) == 1]
    if not usual:
        raise DataError(f"none of {_told(arrays)} is called {' or '.join(_INPUT_NAMES)}")
    return _as_matrix(arrays[usual[0]])


def _load_npy(path: Path) -> dict[str, Array]:
    return {path.stem: np.lib.format.open_memmap(path, mode="r")}


def _load_npz(path: Path) -> dict[str, Array]:
    from zipfile import ZipFile

    with ZipFile(path) as archive:  # which is closed also where it is damaged
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        return {name.removesuffix(".npy"): _member(archive, name) for name in names}


def _member(archive: ZipFile, name: str) -> Array:
    with archive.open(name) as file:
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
        return array


def _load_mat(path: Path) -> dict[str, Array]:
    from scipy.io import loadmat

    try:
        found = loadmat(path, chars_as_strings=True)
    except NotImplementedError:
        raise DataError(
            "MATLAB saved this as version 7.3: save it with `save(..., '-v7')`", "file"
        ) from None
    return {name: _words(array) for name, array in found.items() if not name.startswith("__")}


def _words(array: Array) -> Array:
    """A cell array of words as an array of them."""
    cells = [np.ravel(cell) for cell in array.ravel()] if array.dtype == object else []
    if cells and all(cell.dtype.kind == "U" and len(cell) == 1 for cell in cells):
        return np.array([str(cell[0]) for cell in cells])
    return array


def _as_matrix(array: Array) -> Array:
    """Rows of numbers: an image becomes a row. Raises `DataError` for words and single numbers."""
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise DataError(f"an array of {_shape(array)} holds no rows of numbers", "inputs")
    if not array.size:
        raise DataError(f"an array of {_shape(array)} has no rows", "inputs")
    return array.reshape(len(array), -1)


def _columns(matrix: Array, names: tuple[str, ...], chosen: list[str]) -> Array:
    """Some columns; no copy where they are neighbours."""
    places = [names.index(name) for name in chosen]
    first, last = places[0], places[-1]
    if places == list(range(first, last + 1)):
        return matrix[:, first : last + 1]
    return matrix[:, places]


def _name(
    arrays: Mapping[str, Array],
    asked: tuple[Selector, ...] | None,
    usual: tuple[str, ...],
    key: Literal["inputs", "targets"],
) -> str:
    if asked is not None:
        if len(asked) == 1 and asked[0] in arrays:
            return str(asked[0])
        found = ", ".join(map(str, asked))
        raise DataError(f"`{key}` is {found}, expected one array of {_told(arrays)}", key)
    for name in usual:
        if name in arrays:
            return name
    raise DataError(f"which array holds the {key}? Set `{key}` to one of {_told(arrays)}", key)


def _told(arrays: Mapping[str, Array]) -> str:
    return ", ".join(f"`{name}` ({_shape(array)})" for name, array in arrays.items())


def _shape(array: Array) -> str:
    return " × ".join(map(str, array.shape)) + f" {array.dtype}"


def _refuse_odd_numbers(X: Array) -> None:
    """Raises `DataError` naming the first number that is not finite."""
    if X.dtype.kind != "f":
        return
    for some in row_blocks(X.shape):
        is_odd = ~np.isfinite(X[some])
        if is_odd.any():
            row, column = np.argwhere(is_odd)[0]
            raise DataError(
                f"row {some.start + row + 1}, column {column + 1} of the inputs is not finite"
            )


def _stacked(found: Mapping[Path, tuple[Array, Any]]) -> Array:
    """The inputs of all files."""
    width = next(iter(found.values()))[0].shape[1]
    for path, (X, _) in found.items():
        if X.shape[1] != width:
            raise DataError(f"{path.name} has {X.shape[1]} inputs, the others {width}", "split")
    return np.concatenate([X for X, _ in found.values()])
