"""The check that a path is a readable file."""

from __future__ import annotations

from pathlib import Path

from bpcli.errors import DataError


def require_regular(path: Path, key: str = "file") -> None:
    """Raises `DataError` unless the path is a readable file."""
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a file", key)
    if not path.exists():
        raise DataError(f"there is no file {path}", key)
    if not path.is_file():
        raise DataError(f"{path} is neither a file nor a folder: save the table first", key)
    try:
        path.open("rb").close()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", key) from None
