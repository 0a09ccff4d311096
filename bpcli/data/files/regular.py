"""The check that a path is a readable file, and what is said of one that is damaged."""

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
        raise DataError(f"{path} is neither a file nor a folder: save the table first", key)
    try:
        path.open("rb").close()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", key) from None


def damaged(kind: str, error: Exception) -> DataError:
    """What to raise where the reader of a file fails: some quote all bytes that they have read."""
    said = " ".join(str(error).split()) or type(error).__name__
    return DataError(f"this is not a {kind} file, or damaged: {plain(said, _MOST_SAID)}", "file")
