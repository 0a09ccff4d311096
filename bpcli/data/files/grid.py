"""The first rows of a file as a separator splits them, and which separator fits best."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from bpcli.data.cells import shown_in
from bpcli.data.files.dialect import FIELD_END, FIXED, WHITESPACE, Gaps
from bpcli.data.files.fixed_width import are_aligned, gaps_of, table_of

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

_SEPARATORS = (",", ";", "\t", "|", WHITESPACE)
_WIDE_SEPARATORS = ("，", "；")
"""Separators of Chinese and Japanese tables; sentences have them, too."""
NUMBER_SIGNS = [(decimal, other) for decimal in ".," for other in ("", ",", ".", " ", "'", "’")]
csv.field_size_limit(2**31 - 1)  # by default, a cell of 128 KB makes a file unreadable

_FEWEST_USUAL = 0.5
_NEARLY_ALL = 0.95
_FEWEST_EVEN = 3
_FEWEST_AT_END = 10
_MOST_CELLS = 20_000
_MOST_ROWS = 200
_MOST_TITLES = 4
_CLOSE = 0.5
_GROUP = 3


class Row(NamedTuple):
    """The fields of a row, stripped, and the number of its first line, from 0."""

    line: int
    fields: list[str]


def rows_of(lines: Iterable[str], separator: str, quote: str) -> Iterator[Row]:
    """The rows that are not blank, by Python's csv reader. Raises `csv.Error`.

    As in pandas, a line of spaces and tabs is blank, unless they are separators. Lines of a fixed
    width are split already.
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
    """Python's csv reader, set to read quotes as pandas does."""
    return csv.reader(
        lines,
        delimiter=FIELD_END if delimiter == FIXED else delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        skipinitialspace=True,
    )


def holds_rows(cell: str, separator: str, width: int, index: int) -> bool:
    """Whether the cell at `index` holds whole rows of a table: its quote was never closed.

    Then the first line ends a row, those between are rows, and the last one begins or is a row. A
    text of several lines, such as an address with commas, has other numbers of separators.
    """
    first, *others = (line.count(separator) for line in cell.split("\n") if line.strip())
    if not others or width == 1 or first != width - 1 - index:
        return False
    *between, last = others
    return last in (index, width - 1) and all(count == width - 1 for count in between)


@dataclass(frozen=True)
class Grid:
    """The first rows of a file as one separator splits them; `width` is their usual width.

    `is_evened` is true if some rows got an empty last field.
    """

    separator: str
    quote: str
    rows: list[Row]
    misquoted: float = 0.0
    is_evened: bool = False
    gaps: Gaps = ()

    @classmethod
    def of(cls, lines: Sequence[str], separator: str, quote: str) -> Grid:
        """The rows of the lines; none if the csv reader fails."""
        if separator == FIXED:
            gaps = gaps_of(lines)
            return cls(FIXED, "", list(rows_of(table_of(lines, gaps), FIXED, "")), gaps=gaps)
        try:
            rows = list(rows_of(lines, separator, quote))
        except csv.Error:
            return cls(separator, quote, [])
        return cls(separator, quote, rows, _misquoted(lines[:_MOST_ROWS], separator, quote))

    @cached_property
    def width(self) -> int:
        """The most frequent width; of equals the greatest, as titles and some headers are short."""
        widths = Counter(len(row.fields) for row in self._with_titles[self._titles :])
        return max(widths, key=lambda width: (widths[width], width), default=0)

    @property
    def _titles(self) -> int:
        """The number of rows of one field before all others, if they are few enough for titles.

        This matters if a table has no more rows than titles.
        """
        if self.separator == WHITESPACE:
            return 0  # it may be one column of text, with two words in its last cells
        is_single = [len(row.fields) == 1 for row in self.rows]
        titles = sum(is_single)
        are_first = titles < len(is_single) and all(is_single[:titles])
        return titles if are_first and titles <= _MOST_TITLES else 0

    @cached_property
    def _with_titles(self) -> list[Row]:
        """The rows without notes below a short table: text after even rows and a blank line."""
        pairs = zip(self.rows, self.rows[1:], strict=False)
        after_blank_lines = (
            i for i, (row, after) in enumerate(pairs, start=1) if after.line > row.line + 1
        )
        end = next(after_blank_lines, len(self.rows))
        widths, below = {len(row.fields) for row in self.rows[:end]}, self.rows[end:]
        is_table = end >= _FEWEST_EVEN and len(widths) == 1 and widths != {1}
        texts = sum(len(row.fields) == 1 and not is_number(row.fields[0]) for row in below)
        return self.rows[:end] if is_table and 2 * texts > len(below) else self.rows

    @cached_property
    def usual(self) -> list[Row]:
        """The rows of the usual width."""
        return [row for row in self.rows if len(row.fields) == self.width]

    @cached_property
    def score(self) -> float:
        """The share of rows of the usual width, times the share of cells that can be read.

        A header may have one field less. Most rows below the first of the usual width must have
        that width, or the score is 0.
        """
        if self.width < 2:
            return 0.0
        top = self.rows.index(self.usual[0])
        is_headed = top > 0 and len(self.rows[top - 1].fields) == self.width - 1 > 1
        fitting = len(self.usual) + is_headed
        rows = len(self._with_titles)
        if fitting <= _FEWEST_USUAL * (rows - top + is_headed):
            return 0.0
        return min(1, fitting / rows) * self._legibility() * (1 - 0.9 * self.misquoted)

    @property
    def is_even(self) -> bool:
        """Whether nearly all rows have the usual width, and more than one field."""
        return self.width > 1 and len(self.usual) >= _NEARLY_ALL * len(self.rows)

    def _legibility(self) -> float:
        """The mean over cells: numbers and empty cells count 1, text ½, text with separators less.

        Between commas, three digits may be a thousands group, and count as text.
        """
        cells = some_cells([row.fields for row in self.judged])
        text = 0.2 if self.separator == WHITESPACE else 0.5
        groups = sum(len(cell) == _GROUP and cell.isdecimal() for cell in cells)
        doubt = (1 - text) * groups * (self.separator == ",")
        return (sum(_legible(cell, text) for cell in cells) - doubt) / len(cells)

    @property
    def padded(self) -> Grid:
        """The grid with an empty field added to short rows, such as a header, if others have one.

        Loggers write a separator at the end of each row of data, but not of the header.
        """
        if self.width < 2 or any(row.fields[-1] for row in self.usual):
            return self
        short = self.width - 1
        rows = [
            row._replace(fields=[*row.fields, ""]) if len(row.fields) == short else row
            for row in self.rows
        ]
        return replace(self, rows=rows)

    @property
    def judged(self) -> list[Row]:
        """A sample of the usual rows: the first ones, and as many from all the others."""
        most = min(_MOST_ROWS, max(9, _MOST_CELLS // self.width))
        first = self.usual[: most // 2]
        later = self.usual[most // 2 :]
        return first + later[:: max(1, -(-len(later) // (most - most // 2)))]


def _misquoted(lines: Sequence[str], separator: str, quote: str) -> float:
    """The share of lines with a quoted field that neither begins nor ends at the separator."""
    if not quote or not any(quote in line for line in lines):
        return 0.0
    q, sign = re.escape(quote), re.escape(separator)
    field = rf"{q}(?:[^{q}\n]|{q}{q})*{q}(?!{q}"
    ends = rf"(?:^|{sign})\s*{field}|\s*$|\s*{sign})"
    others = "".join({*";|\t"} - {separator})
    begins = rf"^[^{q}]*(?:[^{q}\s{sign}][^\S{sign}]+|[{others}]){q}"
    pattern = re.compile(
        rf"(?:^|(?<=\s)){field}|\s|$)" if separator == WHITESPACE else f"{ends}|{begins}"
    )
    return sum(pattern.search(line) is not None for line in lines) / len(lines)


def some_cells(rows: list[list[str]]) -> list[str]:
    """At most some thousand cells, from all rows and evenly spaced columns."""
    step = max(1, sum(map(len, rows)) // _MOST_CELLS)
    return [cell for row in rows for cell in row[::step]]


def _legible(cell: str, text: float) -> float:
    if not cell or (is_number(cell) and not cell.endswith(",")):
        return 1.0
    if "\t" in cell:  # text has no tabs
        return -1.0
    return 0.0 if _HIDDEN.search(cell) else text


_HIDDEN = re.compile(r"[;\t|]|,(?:\S|$)|\S {2,}\S")
"""Traces in a cell of separators that were not used to split it."""


def is_number(cell: str) -> bool:
    """Whether a cell shows a number with any of the usual signs."""
    plain = cell.removeprefix("-").replace(".", "", 1)
    if plain.isdecimal():  # most numbers, without a slow regular expression
        return True
    return any(shown_in(cell, decimal, thousands) for decimal, thousands in NUMBER_SIGNS)


def best_grid(lines: Sequence[str], separator: str | None, quote: str) -> Grid:
    """The grid of the separator that fits best; that of a comma if none fits."""
    if separator is not None:
        return Grid.of(lines, separator, quote)
    used = [sign for sign in _SEPARATORS if sign == "," or _is_used(sign, lines)]
    grids = {sign: Grid.of(lines, sign, quote) for sign in used}
    wide = (Grid.of(lines, sign, quote) for sign in _WIDE_SEPARATORS if _is_used(sign, lines))
    grids |= {grid.separator: grid for grid in wide if grid.is_even}
    best = max(grids.values(), key=lambda grid: grid.score)  # the first of equals
    tabs = grids.get("	", best)
    is_close = tabs.score >= _CLOSE * best.score  # titles and numbers have spaces too
    best = tabs if best.separator == WHITESPACE and is_close else best
    is_doubtful = best.score == 0 or best.separator == WHITESPACE
    return _aligned(lines, best) if is_doubtful and are_aligned(lines) else best


def _aligned(lines: Sequence[str], other: Grid) -> Grid:
    """The grid of a fixed width if it is clear and has more rows, else the other one.

    It is clear if there is a column of numbers, and all lines below the first row fit.
    """
    grid = Grid.of(lines, FIXED, "")
    rows = grid.usual
    if grid.width < 2 or (other.score > 0 and len(other.usual) >= len(rows)) or _is_whole(other):
        return other
    top = grid.rows.index(rows[0])
    is_whole = grid.rows[top : top + len(rows)] == rows  # except notes
    columns = zip(*(row.fields for row in grid.judged), strict=True)
    numbers = (sum(map(is_number, column)) for column in columns)
    return grid if is_whole and 2 * max(numbers) > len(grid.judged) else other


def _is_whole(grid: Grid) -> bool:
    """Whether all rows below a few titles have the usual width."""
    top = len(grid.rows) - len(grid.usual)
    return grid.score > 0 and grid.rows[top:] == grid.usual and top < len(grid.usual)


def even_end(lines: Sequence[str], quote: str) -> tuple[int, int]:
    """The first line, from 0, from which on all rows have the same width, and that width.

    Both are 0 if there are few such rows, or rows of one field: the table may begin anywhere.
    """
    ends = [_end_of(Grid.of(lines, sign, quote).rows) for sign in _SEPARATORS]
    longest = max(ends, key=len)
    is_clear = len(longest) >= _FEWEST_AT_END
    return (longest[0].line, len(longest[0].fields)) if is_clear else (0, 0)


def _end_of(rows: list[Row]) -> list[Row]:
    """The last rows, which have the same number of fields and more than one."""
    widths = [len(row.fields) for row in rows]
    if not rows or widths[-1] == 1:
        return []
    first = next((i for i in range(len(rows) - 1, -1, -1) if widths[i] != widths[-1]), -1) + 1
    return rows[first:]


def _is_used(separator: str, lines: Sequence[str]) -> bool:
    """Whether a separator is in any line; if not, splitting by it can be skipped."""
    if separator == WHITESPACE:
        return any(len(line.split(maxsplit=1)) > 1 for line in lines)
    return any(separator in line for line in lines)
