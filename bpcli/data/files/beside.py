"""The file beside an array that names its columns: `big.npy.json` for `big.npy`."""

from __future__ import annotations

from pathlib import Path


def sidecar_path(array: Path) -> Path:
    """The path of the file beside an array."""
    return array.with_name(f"{array.name}.json")


def has_sidecar(array: Path) -> bool:
    """Whether a file names the columns of an array; only one array in a file can have it."""
    return array.suffix.lower() == ".npy" and sidecar_path(array).exists()
