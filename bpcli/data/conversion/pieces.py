"""The text of a table in pieces of whole rows, each with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, Protocol

import numpy as np

from bpcli.data.files.packed import open_content
from bpcli.data.files.sniff import Layout
from bpcli.data.files.text import open_text
from bpcli.errors import DataError, see

SIZE = 2**22
"""The bytes of a piece; the last one has half of this to one and a half times this."""

MOST = 2**26
"""A row of more bytes means a quote that is never closed."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_STATEFUL = ("iso2022", "hz", "utf_7", "utf-7")


class _Bytes(Protocol):
    """Bytes that are read in order."""

    def read(self, size: int, /) -> bytes: ...


class _Transcoded:
    """A text as UTF-8, for encodings in which a line break is not always the same single byte."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text

    def read(self, size: int, /) -> bytes:
        return self._text.read(size).encode()


@dataclass(frozen=True)
class Piece:
    """Whole rows as text, the offset of the byte after them, and whether they are the last ones."""

    text: str
    end: int
    is_last: bool


class Pieces:
    """The rows of a file in order; `offset` is where the next piece begins.

    Offsets count from the beginning of the file, uncompressed, or from the first row of data in
    UTF-8 if the encoding has no fixed byte for a line break.
    """

    def __init__(self, file: _Bytes, encoding: str, quote: str, offset: int) -> None:
        self.offset = offset
        self._file, self._encoding, self._quote = file, encoding, quote.encode()
        self._buffer = b""
        self._is_at_end = False

    def next(self, size: int) -> Piece | None:
        """The next rows, about `size` bytes; None if they have no line break outside of quotes.

        They remain the next rows until `skip` is called with them. Raises `UnicodeDecodeError`.
        """
        rest = size + SIZE // 2
        while len(self._buffer) < rest and not self._is_at_end:
            more = self._file.read(rest - len(self._buffer))
            self._is_at_end = not more
            self._buffer += more
        if self._is_at_end:
            return self._piece(len(self._buffer), is_last=True)
        end = _end_of_rows(self._buffer[:size], self._quote)
        return self._piece(end, is_last=False) if end else None

    def _piece(self, end: int, *, is_last: bool) -> Piece:
        is_after_mark = self._encoding.startswith("utf-8") and self.offset > 0
        text = self._buffer[:end].decode("utf-8" if is_after_mark else self._encoding)
        return Piece(text, self.offset + end, is_last)

    def skip(self, piece: Piece) -> None:
        """Go on behind a piece."""
        self._buffer = self._buffer[piece.end - self.offset :]
        self.offset = piece.end

    def pass_over(self, offset: int) -> None:
        """Read the bytes before an offset again, but not their rows."""
        while self.offset < offset and not self._is_at_end:
            rest = offset - self.offset
            more = self._file.read(min(SIZE, rest))
            self._is_at_end = not more
            self._buffer = more[rest:]
            self.offset += min(len(more), rest)


def _end_of_rows(text: bytes, quote: bytes) -> int:
    """The end of the last line of which an even number of quotes is before it, as of a whole row.

    Such a line may be within quotes all the same, if there are others in the middle of fields:
    pandas, reading the rows, then finds that they end within quotes. 0 if there is no such line.
    """
    if not quote or quote not in text:
        return max(text.rfind(b"\n"), -1 if b"\n" in text else text.rfind(b"\r", 0, -1)) + 1
    signs = np.frombuffer(text, np.uint8)
    is_outside = np.cumsum(signs == quote[0]) % 2 == 0
    ends = np.flatnonzero((signs == ord("\n")) & is_outside)
    return int(ends[-1]) + 1 if len(ends) else 0


def too_long(layout: Layout) -> DataError:
    """The error for a row that is longer than any piece may be."""
    return DataError(
        f"the row at line {layout.start + 1} is longer than {MOST >> 20} MB, or opens a quote that "
        f"is never closed{see('quote', 'separator')}",
        "file",
    )


@contextmanager
def pieces_of(layout: Layout, offset: int | None = None) -> Iterator[Pieces]:
    """The pieces of a text file from its first row of data on, or from the offset of another.

    Raises `DataError` if the file's compression is damaged.
    """
    dialect = layout.dialect
    encoding = str(dialect.encoding)
    if is_bytewise(encoding):
        with open_content(layout.path) as file:
            start = _start_of_line(file, layout.start) if offset is None else offset
            file.seek(start)
            yield Pieces(file, encoding, dialect.quote, start)
        return
    with open_text(layout.path, encoding, skip=layout.start) as text:
        own = Pieces(_Transcoded(text), "utf-8", dialect.quote, 0)
        own.pass_over(offset or 0)
        yield own


def is_bytewise(encoding: str) -> bool:
    """Whether line breaks, quotes and commas are the bytes of ASCII, and these nothing else."""
    signs = '\n\r,"'
    is_ascii = signs.encode(encoding) in (signs.encode(), signs.encode("utf-8-sig"))
    return is_ascii and not encoding.lower().replace("-", "").startswith(
        tuple(name.replace("-", "") for name in _STATEFUL)
    )


def _start_of_line(file: BinaryIO, lines: int) -> int:
    """The offset of the byte after so many lines."""
    text, count, end = b"", 0, 0
    while count < lines:
        more = file.read(2**16)
        text += more
        count = 0
        for match in _LINE_END.finditer(text):
            if match.end() == len(text) and more and match[0] == b"\r":
                break  # its line feed may follow
            count, end = count + 1, match.end()
            if count == lines:
                return end
        if not more:
            return len(text)
    return end
