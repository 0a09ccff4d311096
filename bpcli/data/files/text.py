"""Text files, compressed, converted or plain: first lines, and the text from a line on."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO

from bpcli.data.files.dialect import MISSING
from bpcli.data.files.packed import open_content
from bpcli.data.files.rendered import is_rendered, rendered

_ERRORS = tuple(word for word in MISSING if word.startswith("#"))

_SAMPLE = 2**20
"""The number of characters from which it is detected how a file is written."""


@contextmanager
def open_bytes(path: Path, sheet: str | None = None) -> Iterator[BinaryIO]:
    """The text of a file, uncompressed or converted to CSV. Raises `DataError` if damaged."""
    if is_rendered(path):
        yield BytesIO(rendered(path, sheet))
        return
    with open_content(path) as file:
        yield file


@contextmanager
def open_text(
    path: Path, encoding: str, sheet: str | None = None, skip: int = 0
) -> Iterator[IO[str]]:
    """The text of a file from a line on, counted from 0."""
    with open_bytes(path, sheet) as file, TextIOWrapper(file, encoding, newline="") as text:
        for _ in islice(text, skip):
            pass
        yield text


def first_lines(path: Path, encoding: str, sheet: str | None, skip_last: int = 0) -> list[str]:
    """The lines of the first megabyte, without the last `skip_last` of the file."""
    with open_text(path, encoding, sheet) as text:
        lines = text.readlines(_SAMPLE)
        if skip_last and not text.read(1):
            lines = list(without_last(lines, skip_last, []))
    if lines and (last := without_end(lines[-1])) != lines[-1]:
        lines[-1:] = [last] * bool(last)
    return lines


def without_last(lines: Iterable[str], count: int, last: list[str]) -> Iterator[str]:
    """All lines except the last `count` with text and blank lines there, which `last` gets."""
    kept: deque[str] = deque()
    full = 0
    for line in lines:
        kept.append(line)
        full += not line.isspace()
        while full > count:
            full -= not kept[0].isspace()
            yield kept.popleft()
    last += kept


def is_comment(line: str, sign: str) -> bool:
    """Whether a line begins with the comment sign; a spreadsheet's error #DIV/0! is not one."""
    line = line.lstrip()
    return bool(sign) and line.startswith(sign) and not line.startswith(_ERRORS)


_END_OF_DOS = "\x1a"


def comments_in(lines: Iterable[str], sign: str, quote: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is a comment; lines within quotes are not."""
    is_open = False
    opening = re.compile(rf"(?<![\w{re.escape(quote)}]){re.escape(quote)}") if quote else None
    for line in lines:
        yield line, not is_open and is_comment(line, sign)
        if opening and quote in line and not (not is_open and is_comment(line, sign)):
            is_open = _stays_open(line, quote, opening, is_open)


def _stays_open(line: str, quote: str, opening: re.Pattern[str], is_open: bool) -> bool:
    """Whether a quote is open after a line; one within a word, as in 3" pipe, opens nothing."""
    position = 0
    while True:
        if is_open:
            position = line.find(quote, position)
            if position < 0:
                return True
            is_open = line.startswith(quote, position + 1)  # a doubled quote closes none
            position += 1 + is_open
        else:
            opened = opening.search(line, position)
            if opened is None:
                return False
            is_open, position = True, opened.end()


class TableText:
    """The text of a table's rows, to be read in pieces or line by line.

    It leaves out comments, which it counts in `comments`; the `skip_last` lines at the end, which
    are in `last` once all is read; and the character by which DOS ends a file, except from `lines`.
    `split` turns a line of columns of a fixed width into fields. `exchange` translates the
    characters of a piece, not of `lines`, as `str.translate` does. `watch` is called with each
    piece.
    """

    def __init__(
        self,
        text: IO[str],
        comment: str = "",
        quote: str = "",
        watch: Callable[[str], None] | None = None,
        exchange: Mapping[int, str] | None = None,
        split: Callable[[str], str] | None = None,
        skip_last: int = 0,
    ) -> None:
        self.comments = 0
        self.last: list[str] = []
        self._exchange = exchange
        self._text, self._comment = text, comment
        self._is_by_line = bool(comment or split or skip_last)
        lines = without_last(text, skip_last, self.last) if skip_last else iter(text)
        lines = self._without_comments(lines, quote) if comment else lines
        self.lines = map(split, lines) if split else lines
        self._watch = watch

    def _without_comments(self, text: Iterable[str], quote: str) -> Iterator[str]:
        for line, is_left_out in comments_in(text, self._comment, quote):
            self.comments += is_left_out
            if not is_left_out:
                yield line

    def __iter__(self) -> Iterator[str]:
        return (kept for line in self.lines if (kept := without_end(line)))

    def read(self, size: int = -1) -> str:
        """About `size` characters, in whole lines if lines are examined; all by default."""
        piece = without_end(self._piece(size) if self._is_by_line else self._text.read(size))
        if self._exchange:
            piece = piece.translate(self._exchange)
        if self._watch:
            self._watch(piece)
        return piece

    def _piece(self, size: int) -> str:
        pieces, length = [], 0
        for line in self.lines:
            pieces.append(line)
            length += len(line)
            if 0 <= size <= length:
                break
        return "".join(pieces)


def without_end(text: str) -> str:
    """The text without the character by which DOS ends a file."""
    return text.rstrip(_END_OF_DOS) if text.endswith(_END_OF_DOS) else text
