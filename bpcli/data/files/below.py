"""Rows of a text file that are not data: notes and totals below the table, and short rows."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain, compress, repeat
from typing import TYPE_CHECKING

import numpy as np

from bpcli.data.files.cleaning import REPEATED, Cleaner
from bpcli.data.files.dialect import FIXED, WHITESPACE
from bpcli.data.files.grid import Row, even_end, is_number, reader_of
from bpcli.data.files.row_text import all_rows, columns_of, data_of
from bpcli.data.files.sniff import Layout
from bpcli.data.files.text import first_lines
from bpcli.data.types import DataFrame, Labels
from bpcli.data.values import quoted
from bpcli.errors import DataError, see
from bpcli.nn.arrays import Array

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

ROWS = see("separator", "skip", "skip_last", "comment")


def ragged(layout: Layout, message: str) -> DataError:
    """The error for rows of different widths, with the options that may help.

    It names the line from which on widths are equal, such as after a long description of data.
    """
    dialect = layout.dialect
    hint = ", or `separator: fixed` if columns are aligned" * (dialect.separator == WHITESPACE)
    lines = first_lines(layout.path, str(dialect.encoding), dialect.sheet, dialect.skip_last)
    start, width = even_end(lines, dialect.quote)
    if start > layout.start:
        hint += f"; all lines from {start + 1} on have {width} fields: `skip: {start}` begins there"
    return DataError(message + ROWS + hint, "file")


def is_last_missing(layout: Layout, frame: DataFrame) -> Array:
    """Whether the last field of each row is missing, which pandas also reads in too short rows."""
    is_missing: Array = frame.iloc[:, -1 - layout.dialect.is_padded].isna().to_numpy()
    return is_missing


def may_have_others(layout: Layout, is_missing: Array | None = None) -> bool:
    """Whether a row may have too few fields, or the last one may be a note below the table.

    Fields are not examined one by one, which takes four times as long as pandas; splitting all
    lines takes twice as long. With `is_missing`, which is true for each row of the file whose last
    field is missing, only those lines are split, unless there are more lines than rows.
    """
    if layout.dialect.separator == WHITESPACE:
        return True
    with suppress(csv.Error):
        return _has_short_rows(layout, is_missing) or _ends_with_a_note(layout)
    return True


def _fields_of(layout: Layout, lines: Iterable[str]) -> CsvReader:
    return reader_of(lines, str(layout.dialect.separator), layout.dialect.quote)


def _width(layout: Layout) -> int:
    return len(columns_of(layout.dialect)) - layout.dialect.is_padded


def _has_short_rows(layout: Layout, is_missing: Array | None) -> bool:
    with data_of(layout) as text:
        if is_missing is None:
            return min({*map(len, _fields_of(layout, text.lines))} - {0}) < _width(layout)
        lines = compress(text.lines, chain(is_missing.tolist(), repeat(True)))
        widths = [*map(len, _fields_of(layout, lines))]
    rows = np.count_nonzero(is_missing)
    is_short = min({*widths[:rows]} - {0}, default=0) < _width(layout)
    return is_short or any(widths[rows:])  # blank lines at the end have no field


def _ends_with_a_note(layout: Layout) -> bool:
    with data_of(layout) as text:
        end = deque(text.lines, maxlen=_LINES_AT_END)
    rows = [fields for fields in _fields_of(layout, end) if any(fields)]
    return bool(rows) and _is_note(Row(0, rows[-1]), _width(layout), is_apart=True)


_LINES_AT_END = 50


def without(frame: DataFrame, rows: Labels | None) -> DataFrame:
    """The frame without the rows of these numbers."""
    return frame if rows is None or not len(rows) else frame[~np.isin(frame.index, rows)]


def other_rows(layout: Layout, cleaner: Cleaner, *, is_end: bool = True) -> Labels:
    """The numbers of rows that are not data, which the cleaner counts.

    They are notes below the table, short or mostly empty, such as its source, and repeated headers
    without a field for the row names. Raises `DataError` for other rows with too few fields, which
    pandas would fill with missing values. Without `is_end`, more rows follow, so there are no
    notes.
    """
    width = _width(layout)
    header = list(layout.first) if layout.dialect.header and layout.dialect.row_names else None
    below: list[tuple[int, Row]] = []
    headers: list[int] = []
    firsts = _Firsts()
    end = 0
    for number, row in all_rows(layout):
        if not any(row.fields):
            continue
        if row.fields == header:
            headers.append(number)
            continue
        is_apart = row.line > end or bool(below) or _is_unlike(row, firsts)
        end = row.line + 1 + sum(cell.count("\n") for cell in row.fields)
        if is_end and width > 1 and _is_note(row, width, is_apart):
            below.append((number, row))
            continue
        for wrong, short in [*below, (number, row)]:
            if len(short.fields) < width:
                raise _short(layout, wrong, short)
        for _, others in [*below, (number, row)]:
            firsts.add(others)
        below = []
    if below:
        said = "; ".join(quoted(" ".join(filter(None, row.fields))) for _, row in below)
        cleaner.ignore(len(below), f"below the table: {said}", at_end=True)
    cleaner.ignore(len(headers), REPEATED)
    return np.array([*headers, *(number for number, _ in below)], np.intp)


class _Firsts:
    """Facts about the first fields of the rows so far, from which a note below them differs.

    If an earlier row has nothing but its first fields, the last rows may be data, too.
    """

    def __init__(self) -> None:
        self._are_numbers, self._longest, self._may_be_alone = True, _SHORTEST // 2, False

    def add(self, row: Row) -> None:
        first = row.fields[0]
        self._are_numbers = self._are_numbers and is_number(first)
        self._longest = max(self._longest, len(first))
        self._may_be_alone = self._may_be_alone or not any(row.fields[2:])

    def is_unlike(self, cell: str) -> bool:
        """Whether a text is far longer, has the form `key: value`, or all others are numbers."""
        is_other = self._are_numbers or len(cell) > 2 * self._longest or _NAMED.match(cell)
        return bool(is_other) and not self._may_be_alone


_SHORTEST = 20
_NAMED = re.compile(r"[^\W\d][^:]{0,40}:\s")


def _is_note(row: Row, width: int, is_apart: bool) -> bool:
    """Whether a row below a table is a note: a short row with text in one field.

    After a blank line or another note (`is_apart`), it may be any short row, or a row with text in
    a single field or only in the first two.
    """
    is_single, is_short = sum(map(bool, row.fields)) == 1, len(row.fields) < width
    words = row.fields[0].split()
    if all(map(is_number, words)) or re.search(r"[;\t|]", row.fields[0]):
        return False  # a row that was cut off, or of another separator
    return (is_single and is_short) or (is_apart and (is_single or is_short or _leads(row)))


def _is_unlike(row: Row, firsts: _Firsts) -> bool:
    """Whether a row is a note by its text alone."""
    return _leads(row) and firsts.is_unlike(row.fields[0])


def _leads(row: Row) -> bool:
    """Whether a row has only one or two texts, in its first fields."""
    filled = [field for field in row.fields if field]
    is_leading = row.fields[: len(filled)] == filled and len(filled) <= min(2, len(row.fields) - 2)
    return is_leading and not any(map(is_number, filled))


def _short(layout: Layout, number: int, row: Row) -> DataError:
    if layout.dialect.separator == FIXED:
        flaw = f"text where the others have a blank between columns{see('separator', 'skip')}"
        return DataError(f"row {number + 1} has {flaw}", "file")
    said = f"row {number + 1} has {len(row.fields)} fields, the others have {_width(layout)}"
    return ragged(layout, said)
