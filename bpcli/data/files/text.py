"""Text files, compressed or not: their first lines, and their text from a line on."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO
from zipfile import BadZipFile, ZipFile

from bpcli.data.files.dialect import MISSING
from bpcli.data.files.rendered import is_rendered, rendered
from bpcli.errors import DataError

_ERRORS = tuple(word for word in MISSING if word.startswith("#"))

_SAMPLE = 2**20
"""Characters that are looked at to find out how a file is written."""

_OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.GzipFile,
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}

_DAMAGES = (
    EOFError, OSError, lzma.LZMAError, ValueError, zlib.error, BadZipFile,
    RuntimeError,  # an encrypted archive
)  # fmt: skip


def content_suffix(path: Path) -> str:
    """The ending of a file's name, without that of its compression."""
    is_packed = path.suffix.lower() in (*_OPENERS, ".zip")
    return (Path(path.stem) if is_packed else path).suffix.lower()


@contextmanager
def open_bytes(path: Path, sheet: str | None = None) -> Iterator[BinaryIO]:
    """The text of a file, unpacked or rendered. Raises `DataError` if the file is damaged."""
    if is_rendered(path):
        yield BytesIO(rendered(path, sheet))
        return
    suffix = path.suffix.lower()
    try:
        if suffix == ".zip":
            with ZipFile(path) as archive, archive.open(_only_member(archive)) as file:
                yield file  # type: ignore[misc]  # reads bytes
        else:
            opener: Callable[[Path], Any] = _OPENERS.get(suffix, partial(open, mode="rb"))
            with opener(path) as file:
                yield file
    except _DAMAGES as error:
        if suffix not in (*_OPENERS, ".zip") or isinstance(error, UnicodeError):
            raise
        raise DataError(f"this is not a {suffix} file, or damaged: {error}", "file") from None


def _only_member(archive: ZipFile) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if len(names) != 1:
        raise DataError(f"the archive holds {len(names)} files, expected one table", "file")
    return names[0]


@contextmanager
def open_text(
    path: Path, encoding: str, sheet: str | None = None, skip: int = 0
) -> Iterator[IO[str]]:
    """The text of a file from a line on, counted from 0."""
    with open_bytes(path, sheet) as file, TextIOWrapper(file, encoding, newline="") as text:
        for _ in islice(text, skip):
            pass
        yield text


def first_lines(path: Path, encoding: str, sheet: str | None) -> list[str]:
    """The lines of the first megabyte."""
    with open_text(path, encoding, sheet) as text:
        return text.readlines(_SAMPLE)


def is_comment(line: str, sign: str) -> bool:
    """Whether a line begins with the sign, not with an error of a spreadsheet such as #DIV/0!."""
    line = line.lstrip()
    return bool(sign) and line.startswith(sign) and not line.startswith(_ERRORS)


class WithoutComments:
    """A text without the lines that begin with a sign, to be read in pieces."""

    def __init__(self, text: IO[str], sign: str) -> None:
        self._lines = (line for line in text if not is_comment(line, sign))

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def read(self, size: int = -1) -> str:
        """About so many characters, whole lines; all by default."""
        pieces, length = [], 0
        for line in self._lines:
            pieces.append(line)
            length += len(line)
            if 0 <= size <= length:
                break
        return "".join(pieces)
