"""The first rows of a file as a separator splits them, and which separator fits best."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from bpcli.data.cells import shown_in
from bpcli.data.files.dialect import WHITESPACE

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

_SEPARATORS = (",", ";", "\t", "|", WHITESPACE)
_SIGNS = [(decimal, other) for decimal in ".," for other in ("", ",", ".", " ", "'", "’")]
_MOST_CELLS = 20_000
_MOST_ROWS = 200


class Row(NamedTuple):
    """The fields of a row, stripped, and the number of its first line, from 0."""

    line: int
    fields: list[str]


def rows_of(lines: Iterable[str], separator: str, quote: str) -> Iterator[Row]:
    """The rows that are not blank, by Python's csv reader. Raises `csv.Error`.

    As in pandas, a line of spaces and tabs is blank, unless they are separators.
    """
    delimiter, start = separator, 0
    if separator == WHITESPACE:
        delimiter, lines = " ", (line.strip().replace("\t", " ") for line in lines)
    spaces = " \t\r\n".replace(delimiter, "")
    lines = (line if line.strip(spaces) else "\n" for line in lines)
    reader = reader_of(lines, delimiter, quote)
    for fields in reader:
        if fields:
            yield Row(start, [field.strip() for field in fields])
        start = reader.line_num


def reader_of(lines: Iterable[str], delimiter: str, quote: str) -> CsvReader:
    """Python's csv reader, which takes quotes as pandas does."""
    return csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        skipinitialspace=True,
    )


def holds_rows(cell: str, separator: str, width: int) -> bool:
    """Whether a cell holds whole rows of a table: its quote was never closed."""
    return "\n" in cell and cell.count(separator) >= width - 1 > 0


@dataclass(frozen=True)
class Grid:
    """The first rows of a file as one separator splits them; `width` is their usual width."""

    separator: str
    quote: str
    rows: list[Row]

    @classmethod
    def of(cls, lines: Sequence[str], separator: str, quote: str) -> Grid:
        try:
            return cls(separator, quote, list(rows_of(lines, separator, quote)))
        except csv.Error:
            return cls(separator, quote, [])

    @cached_property
    def width(self) -> int:
        widths = Counter(len(row.fields) for row in self.rows)
        return widths.most_common(1)[0][0] if widths else 0

    @cached_property
    def usual(self) -> list[Row]:
        """The rows of the usual width."""
        return [row for row in self.rows if len(row.fields) == self.width]

    @cached_property
    def score(self) -> float:
        """The share of rows of the usual width, times the share of cells that can be read."""
        if self.width < 2 or 2 * len(self.usual) <= len(self.rows):
            return 0.0
        return len(self.usual) / len(self.rows) * self._legibility()

    def _legibility(self) -> float:
        """The mean over cells: numbers and empty ones count 1, text ½, text with separators 0."""
        cells = some_cells([row.fields for row in self.judged])
        text = 0.2 if self.separator == WHITESPACE else 0.5
        return sum(_legible(cell, text) for cell in cells) / len(cells)

    @property
    def judged(self) -> list[Row]:
        """The first of the usual rows, and as many from all the rest."""
        most = min(_MOST_ROWS, max(9, _MOST_CELLS // self.width))
        first = self.usual[: most // 2]
        later = self.usual[most // 2 :]
        return first + later[:: max(1, -(-len(later) // (most - most // 2)))]


def some_cells(rows: list[list[str]]) -> list[str]:
    """At most some thousand cells, from all rows and evenly spaced columns."""
    step = max(1, sum(map(len, rows)) // _MOST_CELLS)
    return [cell for row in rows for cell in row[::step]]


def _legible(cell: str, text: float) -> float:
    if not cell or is_number(cell):
        return 1.0
    return 0.0 if re.search(r"[;\t|]|,\d", cell) else text


def is_number(cell: str) -> bool:
    """Whether a cell shows a number with any of the usual signs."""
    plain = cell.removeprefix("-").replace(".", "", 1)
    if plain.isdecimal():  # most numbers, and without a regular expression
        return True
    return any(shown_in(cell, decimal, thousands) for decimal, thousands in _SIGNS)


def best_grid(lines: Sequence[str], separator: str | None, quote: str) -> Grid:
    """The grid of the separator that fits best; of a comma if none fits."""
    if separator is not None:
        return Grid.of(lines, separator, quote)
    used = [separator for separator in _SEPARATORS if _is_used(separator, lines)]
    grids = [Grid.of(lines, separator, quote) for separator in used or _SEPARATORS[:1]]
    return max(grids, key=lambda grid: grid.score)  # the first of equals


def _is_used(separator: str, lines: Sequence[str]) -> bool:
    """Whether a separator is in a line; the rows of no other one need to be split."""
    if separator == WHITESPACE:
        return any(len(line.split(maxsplit=1)) > 1 for line in lines)
    return any(separator in line for line in lines)
