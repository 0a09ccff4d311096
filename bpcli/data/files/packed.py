"""Files that may be compressed: the suffix of their content, and its bytes."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

from bpcli.data.files.regular import damaged
from bpcli.errors import DataError

_OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.GzipFile,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}

_DAMAGES = (
    EOFError, OSError, lzma.LZMAError, ValueError, zlib.error, BadZipFile,
    RuntimeError,  # an encrypted archive
)  # fmt: skip


def is_packed(path: Path) -> bool:
    """Whether a file is compressed, by its name."""
    return path.suffix.lower() in (*_OPENERS, ".zip")


def content_suffix(path: Path) -> str:
    """The suffix of a file without that of its compression; for an archive, of its member."""
    if path.suffix.lower() == ".zip" and path.is_file():
        try:
            with ZipFile(path) as archive:
                return Path(_only_member(archive)).suffix.lower()
        except (DataError, *_DAMAGES):  # reported when it is read
            pass
    return (Path(path.stem) if is_packed(path) else path).suffix.lower()


@contextmanager
def open_content(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, uncompressed. Raises `DataError` if its compression is damaged."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".zip":
            with ZipFile(path) as archive, archive.open(_only_member(archive)) as file:
                yield file  # type: ignore[misc]  # reads bytes
        else:
            opener: Callable[[Path], Any] = _OPENERS.get(suffix, partial(open, mode="rb"))
            with opener(path) as file:
                yield file
    except DataError:
        raise
    except _DAMAGES as error:
        if not is_packed(path) or isinstance(error, UnicodeError):
            raise
        raise damaged(suffix, error) from None


def _only_member(archive: ZipFile) -> str:
    names = [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not name.startswith("__MACOSX/")  # what macOS adds
    ]
    if len(names) != 1:
        raise DataError(f"the archive contains {len(names)} files, expected one table", "file")
    return names[0]
