"""The encoding of a text file: as requested, or UTF-8, UTF-16, Windows-1252 or Latin-1."""

from __future__ import annotations

import codecs
from pathlib import Path

from bpcli.data.files.regular import require_regular
from bpcli.errors import DataError

_BLOCK = 2**20


def encoding_of(path: Path, asked: str | None) -> tuple[str, list[str]]:
    require_regular(path)
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise DataError("the file is empty", "file")
    if asked is not None:
        _decode(path, asked)
        return asked, []
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _decode(path, "utf-16")
        return "utf-16", [f"{path.name}: read as utf-16"]
    for encoding in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            _decode(path, encoding)
        except _NotDecoded:
            continue
        break
    notes = [f"{path.name}: not UTF-8, read as {encoding}; `encoding` names another"]
    return encoding, [] if encoding == "utf-8-sig" else notes


class _NotDecoded(DataError):
    """Bytes that are invalid in the encoding."""


def _decode(path: Path, encoding: str) -> None:
    """Raises `DataError` if the file is not text in this encoding."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise DataError(f"`{encoding}` is not an encoding known to Python", "encoding") from None
    start = 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError as error:
                line = _line_at(path, start + getattr(error, "start", 0))
                message = f"line {line} is not valid in the encoding {encoding}"
                raise _NotDecoded(message, "encoding") from None
            if "\0" in text:
                line = _line_at(path, start + max(0, block.find(b"\0")))
                raise DataError(f"line {line} has a NUL byte: this is not a text file", "file")
            if not block:
                return
            start += len(block)


def _line_at(path: Path, position: int) -> int:
    """The line of a byte, counted from 1."""
    with path.open("rb") as file:
        blocks = iter(lambda: file.read(min(_BLOCK, position - file.tell())), b"")
        return 1 + sum(block.count(b"\n") for block in blocks)
