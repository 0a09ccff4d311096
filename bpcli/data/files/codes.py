"""Codes such as 007 that first appear far down in a column that looked like numbers."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import numpy as np

from bpcli.data.files.dialect import WHITESPACE, Dialect, delimiter_of
from bpcli.data.files.grid import rows_of
from bpcli.data.types import DataFrame, Labels
from bpcli.nn.arrays import Array

CODE = re.compile(r"0\d+|\d{17,}")
"""Numbers that lose something as floats: leading zeros, or digits beyond the 16th."""

_NUMERAL = re.compile(r"[\d.,]+")
_LONG = 10**16
_MOST_LINES = 30


def note_on_codes(name: str) -> str:
    return f"`{name}` contains codes, with leading zeros or many digits: read as text"


def long_codes(frame: DataFrame) -> list[str]:
    """The columns of whole numbers with too many digits for floats."""
    return [
        str(name)
        for name, values in frame.items()
        if values.dtype.kind in "iu" and values.max() >= _LONG
    ]


class CodeWatch:
    """Finds the columns that hold codes with leading zeros, from the pieces of a text.

    `names` are their names, except columns that are read as text anyway. A piece costs a few
    comparisons of its bytes; only the first leading zero of each column is examined in its line.
    Then its index is in `known`.
    """

    def __init__(self, dialect: Dialect, columns: list[str]) -> None:
        self.names: set[str] = set()
        self._dialect, self._columns = dialect, columns
        self._delimiter = delimiter_of(dialect.separator or ",")
        self._separators = b" \t" if self._delimiter == WHITESPACE else self._delimiter.encode()
        self._separates = _table(self._separators)
        ends = self._separators + b"\r\n \t" + dialect.quote.encode()
        self._begins, self._goes_on = _table(ends), _table(ends + b"0123456789")
        self.known: set[int] = set()
        self._rest = b"\n"

    def __call__(self, piece: str) -> None:
        text = self._rest + (piece.encode() or b"\n")
        end = max(text.rfind(b"\n"), -1 if text.find(b"\n", 1) > 0 else text.rfind(b"\r"))
        self._rest = text[end:]
        codes = np.frombuffer(text, np.uint8)[: end + 1]
        digits = codes - np.uint8(ord("0"))
        places = np.flatnonzero((digits[1:-2] == 0) & (digits[2:-1] < 10)) + 1
        places = places[self._begins[codes[places - 1]]]  # no 1e-05, 2024-01-05 or 1.05
        places = places[self._goes_on[codes[places + 2]]]  # no 08:00 or 01.02.2024
        for position in self._firsts(codes, places) if len(places) else ():
            self._look_at_line(text, position)

    def _firsts(self, codes: Array, places: Labels) -> Iterator[int]:
        """The first position in each column not known yet; columns are counted by separators."""
        separators = np.flatnonzero(self._separates[codes])
        lines = np.flatnonzero((codes == ord("\n")) | (codes == ord("\r")))
        begin = lines[np.searchsorted(lines, places) - 1]
        index = np.searchsorted(separators, places) - np.searchsorted(separators, begin)
        columns, first = np.unique(index, return_index=True)
        is_new = ~np.isin(columns, list(self.known))
        yield from map(int, places[first[is_new]][:_MOST_LINES])

    def _look_at_line(self, text: bytes, position: int) -> None:
        begin = max(text.rfind(b"\n", 0, position), text.rfind(b"\r", 0, position)) + 1
        ends = (text.find(b"\n", position), text.find(b"\r", position))
        end = min(each for each in ends if each >= 0)
        fields = self._fields(text[begin:end].decode())
        index = len(self._fields(text[begin : position + 1].decode())) - 1
        if len(fields) != len(self._columns) or not 0 <= index < len(fields):
            return
        if CODE.fullmatch(fields[index]) and self._columns[index] not in self._dialect.text:
            self.names.add(self._columns[index])
        separators = sum(text.count(sign, begin, end) for sign in self._separators)
        is_sure = CODE.fullmatch(fields[index]) or not _NUMERAL.fullmatch(fields[index])
        if is_sure and separators == len(fields) - 1:  # otherwise quotes hide separators
            self.known.add(index)

    def _fields(self, line: str) -> list[str]:
        try:
            rows = list(rows_of([line], self._delimiter, self._dialect.quote))
        except csv.Error:
            return []
        return rows[0].fields if rows else []


def _table(signs: bytes) -> Array:
    """Whether each byte is one of the signs (256,)."""
    table = np.zeros(256, bool)
    table[list(signs)] = True
    return table
