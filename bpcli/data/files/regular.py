"""The check that a path is a readable file, and the error for a damaged file."""

from __future__ import annotations

from pathlib import Path

from bpcli.errors import DataError
from bpcli.text import plain

_MOST_SAID = 200


def require_regular(path: Path, key: str = "file") -> None:
    """Raises `DataError` unless the path is a readable file."""
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a file", key)
    if not path.exists():
        raise DataError(f"there is no file {path}", key)
    if not path.is_file():
        raise DataError(f"{path} is not a regular file: save the table to a file first", key)
    try:
        path.open("rb").close()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", key) from None


def damaged(file_type: str, error: Exception) -> DataError:
    """The error if the reader of a file fails; its message is cut, as it may quote the file."""
    said = " ".join(str(error).split()) or type(error).__name__
    return DataError(
        f"this is not a {file_type} file, or it is damaged: {plain(said, _MOST_SAID)}", "file"
    )
