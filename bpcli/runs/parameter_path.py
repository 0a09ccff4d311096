"""The parameters of every epoch, recorded if `training.record_params` is set.

During training they are rows of raw numbers in a growing file; at the end they become
params_path.npy, an array (epochs + 1, n_params).
"""

from __future__ import annotations

import hashlib
import shutil

import numpy as np

from bpcli.errors import RunError
from bpcli.nn.arrays import Array, Vector
from bpcli.runs.files import GrowingFile, atomic_file, remove
from bpcli.runs.layout import PATH
from bpcli.runs.store import Run

_PART = "params_path.part"


class ParameterPath:
    """Writes rows of `n_params` numbers of a dtype, after the first `rows` of an existing file."""

    def __init__(self, run: Run, n_params: int, dtype: np.dtype, rows: int = 0) -> None:
        self._run = run
        self._n_params, self._dtype = n_params, dtype
        self._row_bytes = n_params * dtype.itemsize
        if rows:
            self._bring_back(rows)
        self._file = GrowingFile(run.path(_PART), rows * self._row_bytes)
        remove(run.path(PATH))

    @property
    def rows(self) -> int:
        return self._file.size // self._row_bytes

    def add(self, params: Vector) -> None:
        """Append the parameters of the next epoch."""
        self._file.grow(np.ascontiguousarray(params, self._dtype).data.cast("B"))

    def digest(self, rows: int) -> str:
        """Return the SHA-256 of the first rows: all, or those before the latest."""
        return self._file.digest(rows * self._row_bytes)

    def sync(self) -> None:
        """Sync the file to the disk."""
        self._file.sync()

    def close(self) -> None:
        self._file.close()

    def finish(self) -> None:
        """Turn the growing file into the array file; no row can be added afterwards."""
        part = self._run.path(_PART)
        self.close()  # Windows removes no file that is open
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self.rows, self._n_params),
        }
        with atomic_file(self._run.path(PATH)) as file, part.open("rb") as rows:
            np.lib.format.write_array_header_1_0(file, header)
            shutil.copyfileobj(rows, file, 2**20)
        remove(part)

    def _bring_back(self, rows: int) -> None:
        """Restore the growing file from the array file of an earlier end."""
        part = self._run.path(_PART)
        if _has_part(self._run, rows * self._row_bytes):
            return
        params = first_rows(self._run, self._n_params, self._dtype, rows)
        with atomic_file(part) as file:
            file.write(np.ascontiguousarray(params).data.cast("B"))


def load_path(run: Run, n_params: int, dtype: np.dtype) -> Array:
    """Open the recorded parameters (epochs + 1, n_params) as a memory map.

    Raises `RunError` if the file is missing, damaged, or has other parameters.
    """
    path = run.checked(PATH)
    try:  # not `np.load`, which also opens archives
        params: Array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # numpy's parser of headers raises a dozen types
        raise RunError(f"{path} is damaged: {error or type(error).__name__}.") from None
    if params.ndim != 2 or params.shape[1] != n_params or params.dtype != dtype:
        raise RunError(
            f"{path} is damaged: it contains {params.dtype} of shape {params.shape}; the "
            f"config implies rows of {n_params} numbers in {dtype}."
        )
    return params


def first_rows(run: Run, n_params: int, dtype: np.dtype, rows: int) -> Array:
    """Return the first rows recorded, at least one, from the growing or the array file.

    Raises `RunError` if there are fewer.
    """
    part, shape = run.path(_PART), (rows, n_params)
    if _has_part(run, rows * n_params * dtype.itemsize):
        growing: Array = np.memmap(part, dtype, "r", shape=shape)
        return growing
    params = load_path(run, n_params, dtype)[:rows]
    if len(params) < rows:
        raise RunError(f"{run.path(PATH)} has fewer than the {rows} rows that were recorded.")
    return params


def digest_of_rows(run: Run, n_params: int, dtype: np.dtype, rows: int) -> str:
    """Return the SHA-256 of the first rows, as `ParameterPath.digest` does."""
    params = np.ascontiguousarray(first_rows(run, n_params, dtype, rows))
    return hashlib.sha256(params.data.cast("B")).hexdigest()


def _has_part(run: Run, size: int) -> bool:
    part = run.path(_PART)
    return part.is_file() and part.stat().st_size >= size
