"""The arrays in a file: numpy's .npy and .npz, and MATLAB's .mat.

Arrays keep their data type, so that images of bytes take one byte per number; a .npy file is mapped
into memory, not read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bpcli.data.files.mat import read_mat
from bpcli.data.files.npy_rows import NpyHeader
from bpcli.data.files.regular import damaged, require_regular
from bpcli.data.long_double import in_double
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

if TYPE_CHECKING:
    from zipfile import ZipFile


def is_array_file(path: Path) -> bool:
    """Whether a name ends as those of such files."""
    return path.suffix.lower() in (".npy", ".npz", ".mat")


def load_arrays(path: Path) -> dict[str, Array]:
    """The arrays of a file by name. Raises `DataError` if it is damaged or has none."""
    require_regular(path)
    load = {".npy": _load_npy, ".npz": _load_npz, ".mat": _load_mat}[path.suffix.lower()]
    try:
        contents = load(path)
    except DataError:
        raise
    except Exception as error:  # readers raise many types for damaged files
        raise damaged(path.suffix, error) from None
    arrays = {name: in_double(a) for name, a in contents.items() if a.dtype.kind in "biufcU"}
    if not arrays:
        raise DataError("the file has no array of numbers or text")
    return arrays


def _load_npy(path: Path) -> dict[str, Array]:
    header = NpyHeader.of(path)
    refuse_no_rows(header.shape, header.dtype)  # first: an array of objects cannot be mapped
    return {path.stem: np.lib.format.open_memmap(path, mode="r")}


def _load_npz(path: Path) -> dict[str, Array]:
    from zipfile import ZipFile

    with ZipFile(path) as archive:  # np.load would leave a damaged file open
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        return {name.removesuffix(".npy"): _member(archive, name) for name in names}


def _member(archive: ZipFile, name: str) -> Array:
    with archive.open(name) as file:
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
        return array


def _load_mat(path: Path) -> dict[str, Array]:
    try:
        arrays = read_mat(path)
    except NotImplementedError:
        raise DataError(
            "this is a MATLAB file of version 7.3: save it with `save(..., '-v7')`", "file"
        ) from None
    return {name: _plain(array) for name, array in arrays.items()}


def _plain(array: Any) -> Array:
    """A sparse matrix as an array, a cell array of text as strings; bytes in this machine's order.

    Raises `DataError` for a sparse matrix that is too large as an array.
    """
    if not isinstance(array, np.ndarray):
        if math.prod(array.shape) > _MOST_SPARSE:
            raise DataError(
                f"a sparse matrix of {array.shape} exceeds the {_MOST_SPARSE:,} numbers allowed",
                "file",
            )
        array = array.toarray()
    plain: Array = _texts(array.astype(array.dtype.newbyteorder("="), copy=False))
    return plain


_MOST_SPARSE = 10**8
"""Numbers of a sparse matrix as an array: 0.8 GB."""


def _texts(array: Array) -> Array:
    """A cell array of text as an array of strings; other arrays unchanged."""
    cells = [np.ravel(cell) for cell in array.ravel()] if array.dtype == object else []
    if cells and all(cell.dtype.kind == "U" and len(cell) == 1 for cell in cells):
        return np.array([str(cell[0]) for cell in cells])
    return array


def as_matrix(array: Array) -> Array:
    """Rows of numbers; an image becomes a row. Raises `DataError` for text and single numbers."""
    refuse_no_rows(array.shape, array.dtype)
    return array.reshape(len(array), -1)


def columns_of(matrix: Array, names: Sequence[str], chosen: Sequence[str]) -> Array:
    """Some columns of a matrix (n, d) with these names; no copy if they are adjacent."""
    places = [names.index(name) for name in chosen]
    if places and places == list(range(places[0], places[-1] + 1)):
        return matrix[:, places[0] : places[-1] + 1]
    return matrix[:, places]


def refuse_no_rows(shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Raises `DataError` for an array of text, without rows, or of a single number."""
    if dtype.kind not in "biuf" or not shape:
        raise DataError(f"an array of {_described(shape, dtype)} has no rows of numbers", "inputs")
    if not math.prod(shape):
        raise DataError(f"an array of {_described(shape, dtype)} has no rows", "inputs")


def listed(arrays: Mapping[str, Array]) -> str:
    """The names of arrays, with their shapes and types."""
    return ", ".join(
        f"`{name}` ({_described(array.shape, array.dtype)})" for name, array in arrays.items()
    )


def _described(shape: tuple[int, ...], dtype: np.dtype) -> str:
    return f"{' × '.join(map(str, shape)) or 'one'} {dtype}"
