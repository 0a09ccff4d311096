"""The encoding of a text file: as requested, or found from its bytes."""

from __future__ import annotations

import codecs
from pathlib import Path

from bpcli.data.files.regular import require_regular
from bpcli.data.files.text import open_bytes
from bpcli.errors import DataError, see

_BLOCK = 2**20
_FEWEST_BYTES = 8
_MIXED = 3
"""A file that is not UTF-8, but has this many times more valid characters, mixes encodings."""


def encoding_of(path: Path, asked: str | None) -> tuple[str, list[str]]:
    """The encoding, and a note unless it is UTF-8 or was requested.

    Raises `DataError` if the file is not text, or mixes encodings.
    """
    require_regular(path)
    with open_bytes(path) as file:
        sample = file.read(_BLOCK)
    if not sample:
        raise DataError("the file is empty", "file")
    if asked is not None:
        _decode(path, asked)
        return asked, []
    if (encoding := _utf_16(sample)) is not None:
        _decode(path, encoding)
        return encoding, [f"{path.name}: read as {encoding}"]
    try:
        _decode(path, "utf-8-sig")
    except _NotDecoded as error:
        _refuse_mixed(sample, error)
        return _guessed(path, sample)
    return "utf-8-sig", []


def _utf_16(sample: bytes) -> str | None:
    """UTF-16 with a byte order mark, or by the zeros in every other byte."""
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = [sample[parity::2].count(0) for parity in (0, 1)]
    if len(sample) < _FEWEST_BYTES or 4 * max(zeros) < len(sample) or 8 * min(zeros) > max(zeros):
        return None
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _refuse_mixed(sample: bytes, error: DataError) -> None:
    text = sample[: sample.rfind(b"\n") + 1].decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = sum(not sign.isascii() for sign in text) - wrong
    if right >= max(1, _MIXED * wrong):
        raise DataError(
            f"{error}, but other lines are: the file mixes encodings; convert it to one, or set "
            "`encoding`",
            "encoding",
        ) from None


def _guessed(path: Path, sample: bytes) -> tuple[str, list[str]]:
    """The likeliest encoding in which the whole file is valid."""
    from bpcli.data.files.legacy_encodings import candidates, example  # most files are UTF-8

    for encoding in candidates(sample):
        try:
            _decode(path, encoding)
        except _NotDecoded:
            continue
        words = example(sample, encoding)
        return encoding, [
            f"{path.name}: not UTF-8, read as {encoding}{words}; if that is wrong, set `encoding`"
        ]
    raise DataError("the file is not text in a known encoding: set `encoding`", "encoding")


class _NotDecoded(DataError):
    """Bytes that are invalid in the encoding."""


def _decode(path: Path, encoding: str) -> None:
    """Raises `DataError` if the file is not text in this encoding."""
    try:
        "".encode(encoding)  # refuses codecs that are not for text, such as rot13
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise DataError(f"`{encoding}` is not an encoding known to Python", "encoding") from None
    start = 0
    with open_bytes(path) as file:
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
                raise DataError(
                    f"line {line} has a NUL byte: this is not text in {encoding}{see('encoding')}",
                    "file",
                )
            if not block:
                return
            start += len(block)


def _line_at(path: Path, position: int) -> int:
    """The line of a byte, counted from 1."""
    with open_bytes(path) as file:
        blocks = iter(lambda: file.read(min(_BLOCK, position - file.tell())), b"")
        return 1 + sum(block.count(b"\n") for block in blocks)
