"""The file beside an array that names its columns: `big.npy.json` for `big.npy`."""

from __future__ import annotations

from pathlib import Path

MOST_CHARACTERS = 100_000
"""Of the name of a table's column, of a category, and of a class."""

MOST_BYTES = 2**26
"""Of the file."""


def sidecar_path(array: Path) -> Path:
    """The path of the file beside an array."""
    return array.with_name(f"{array.name}.json")


def has_sidecar(array: Path) -> bool:
    """Whether a file names the columns of an array; only one array in a file can have it."""
    return array.suffix.lower() == ".npy" and sidecar_path(array).exists()
