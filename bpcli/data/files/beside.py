"""The file beside an array that names its columns: `big.npy.json` for `big.npy`."""

from __future__ import annotations

import os
from pathlib import Path

MOST_CHARACTERS = 100_000
"""Of the name of a table's column, of a category, and of a class."""

MOST_BYTES = 2**26
"""Of the file."""


def sidecar_path(array: Path) -> Path:
    """The path at which the file beside an array is written."""
    return array.with_name(f"{array.name}.json")


def sidecar_of(array: Path) -> Path:
    """The file beside an array; if the array is a link without one, that beside its own file."""
    beside = sidecar_path(array)
    return beside if beside.exists() else sidecar_path(Path(os.path.realpath(array)))


def has_sidecar(array: Path) -> bool:
    """Whether a file names the columns of an array; only one array in a file can have it."""
    return array.suffix.lower() == ".npy" and sidecar_of(array).exists()
