"""The parameters of every epoch, where `training.record_params` asks for them.

While training goes on they are rows of plain numbers in a file that grows; at its end they become
params_path.npy, an array (epochs + 1, n_params).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from bpcli.errors import RunError
from bpcli.nn.arrays import Array, Vector
from bpcli.runs.files import GrowingFile, atomic_file, remove
from bpcli.runs.store import PATH, Run

_PART = "params_path.part"


class ParameterPath:
    """Rows of `n_params` numbers of a dtype, from the first `rows` of them that are there on."""

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
        """The parameters of the next epoch."""
        self._file.grow(np.ascontiguousarray(params, self._dtype).data.cast("B"))

    def sync(self) -> None:
        """Have the system write down what there is."""
        self._file.sync()

    def close(self) -> None:
        self._file.close()

    def finish(self) -> None:
        """Make the array file of it; nothing is added any more."""
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
        """Make the growing file again of the array file, which there is after an end."""
        path, part = self._run.path(PATH), self._run.path(_PART)
        wanted = rows * self._row_bytes
        if path.is_file() and (not part.is_file() or part.stat().st_size < wanted):
            found = _first_rows(path, rows)
            if (found.shape, found.dtype) != ((rows, self._n_params), self._dtype):
                raise RunError(f"{path} does not hold the {rows} rows that were recorded.")
            with atomic_file(part) as file:
                file.write(np.ascontiguousarray(found).data.cast("B"))
        if not part.is_file() or part.stat().st_size < wanted:
            raise RunError(f"{part} does not hold the {rows} rows that were recorded.")


def _first_rows(path: Path, rows: int) -> Array:
    try:
        found: Array = np.load(path, mmap_mode="r", allow_pickle=False)
        return found[:rows]
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is damaged: {error}.") from None
