"""Detect how a text file is written, and where its table begins, from its first megabyte."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from bpcli.data.files.around import (
    evened,
    has_row_names,
    is_padded,
    refuse_unnamed_column,
    top_of,
    unit_rows,
)
from bpcli.data.files.dialect import FIXED, WHITESPACE, Dialect
from bpcli.data.files.grid import Grid, Row, best_grid, holds_rows, is_number
from bpcli.data.files.header import NUMBERS_IN_ORDER, guess_header, names_of_header
from bpcli.data.files.number_signs import is_sign_open, with_signs
from bpcli.data.files.packed import content_suffix
from bpcli.data.files.rendered import is_named, is_rendered, is_sheet, sheet_names
from bpcli.data.files.stored import stored_categories, stored_notes, with_stored_gaps
from bpcli.data.files.text import comments_in, first_lines, is_comment
from bpcli.data.files.text_encoding import encoding_of
from bpcli.data.types import numbered
from bpcli.data.values import quoted, refuse_control_characters
from bpcli.errors import DataError, see

MOST_COLUMNS = 50_000
"""More columns than this mean a wrong separator, or a transposed table."""

_SUFFIXES = {".tsv": "\t", ".tab": "\t"}
_COMMENTS = ("#", "%", "//")


@dataclass(frozen=True)
class Layout:
    """A text file with its complete dialect, and `start`, the lines before its first data row.

    `first` are the fields of the first row, which may be its header. `notes` report guesses, and
    `why_header` says why the first row is a header or not. `is_sign_open` is true if a point may
    separate thousands: `;` separates columns, and no number sampled has a point or comma. With
    `text`, the layout is that of a piece of the file: `text` are its lines, and `row` rows of data
    are before it.
    """

    path: Path
    dialect: Dialect
    start: int
    first: tuple[str, ...]
    why_header: str
    notes: tuple[str, ...]
    is_sign_open: bool = False
    text: str | None = field(default=None, repr=False)
    row: int = 0
    _sniffed: _Sniffed | None = field(default=None, repr=False, compare=False)

    def header_names(self) -> tuple[tuple[str, ...], list[str]]:
        """The names of the columns if row 1 is a header, including numbers; and notes."""
        assert self._sniffed is not None, "only for text"
        _, grid, _ = self._sniffed
        below = unit_rows(grid, self.dialect.missing)
        return names_of_header(self.first, may_be_numbers=True, below=below)

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names in the header, even if the columns were given others."""
        if self._sniffed is None or not self.dialect.header:
            return self.dialect.columns
        return self.header_names()[0]

    def seems_headed(self) -> bool:
        """Whether row 1 looks like a header, whatever was requested."""
        assert self._sniffed is not None, "only for text"
        return _judged(self.path, self._sniffed, None, len(self.first)).header

    def headed(self, columns: tuple[str, ...] = (), *, may_be_numbers: bool = False) -> Layout:
        """The same file with a header, or with other names, without reading it again."""
        assert self._sniffed is not None, "only for text"
        return _headed(self.path, self._sniffed, True, columns, may_be_numbers)


class _Sniffed(NamedTuple):
    """The dialect without its header and number signs, the rows, and notes on them."""

    dialect: Dialect
    grid: Grid
    notes: tuple[str, ...]


def sniff(path: Path, asked: Dialect) -> Layout:
    """Detect how a file is written; what `asked` specifies is not guessed.

    Raises `DataError` if the file cannot be read, is not text, or has no valid header.
    """
    if asked.sheet is not None and not is_sheet(path):
        raise DataError(
            f"there is no sheet `{asked.sheet}`: only spreadsheets have sheets; remove `sheet`",
            "sheet",
        )
    asked = with_stored_gaps(path, asked)
    encoding, notes = "utf-8-sig", stored_notes(path, asked)
    if not is_rendered(path):
        encoding, notes = encoding_of(path, asked.encoding)
    lines = first_lines(path, encoding, asked.sheet, asked.skip_last)
    skip, separator = _separator_line(lines, asked)
    separator = separator or ("," if is_rendered(path) else None)
    comment = _comment(lines) if asked.comment is None else asked.comment
    lines = ["\n"] * min(skip, len(lines)) + lines[skip:]
    usual = _SUFFIXES.get(content_suffix(path))
    grid = _grid(lines, separator, usual, asked.quote, comment)
    if asked.comment is None and _are_rows(lines, comment, grid):
        comment, grid = "", _grid(lines, separator, usual, asked.quote, "")
    top = top_of(grid, asked.missing) if asked.skip is None else 0
    dialect = replace(
        asked,
        encoding=encoding,
        separator=grid.separator,
        quote=grid.quote,
        gaps=grid.gaps,
        comment=comment,
        skip=grid.rows[top].line if top else skip,
    )
    notes += [f"{path.name}: {note}" for note in _notes_on_lines(path, grid, asked, comment, top)]
    sniffed = _Sniffed(dialect, replace(grid, rows=grid.rows[top:]), tuple(notes))
    return _headed(path, sniffed, asked.header, asked.columns)


# Lines that are not rows.


def _separator_line(lines: Sequence[str], asked: Dialect) -> tuple[int, str | None]:
    """The number of lines to skip, and the separator, which Excel may name by a line `sep=;`."""
    named = re.fullmatch(r'"?sep=(.)"?\s*', lines[0] if lines else "", re.IGNORECASE)
    if named is None or asked.skip is not None:
        return asked.skip or 0, asked.separator
    return 1, asked.separator or named[1]


def _comment(lines: Sequence[str]) -> str:
    """The sign of comments, if the first line that is not blank begins with one."""
    first = next((line.lstrip() for line in lines if line.strip()), "")
    return next((sign for sign in _COMMENTS if is_comment(first, sign)), "")


def _grid(
    lines: Sequence[str], separator: str | None, usual: str | None, quote: str, comment: str
) -> Grid:
    """The grid of the lines that are not comments.

    The separator is the given one, else the usual one for the file's name if that separates any
    columns, else the one that fits best.
    """
    if comment:
        lines = ["\n" if is_one else line for line, is_one in comments_in(lines, comment, quote)]
    grid = best_grid(lines, separator or usual, quote)
    if separator is None and grid.width < 2:
        grid = best_grid(lines, None, quote)
    return evened(_without_stray_quotes(grid, lines).padded)


def _are_rows(lines: Sequence[str], comment: str, grid: Grid) -> bool:
    """Whether the lines that may be comments have as many fields as the rows: then they are rows.

    An example is a header that begins with `#`. If spaces separate columns, a comment can have as
    many words as a row by chance; it is a comment if the first row has no number.
    """
    if grid.separator == WHITESPACE and grid.rows and not any(map(is_number, grid.rows[0].fields)):
        return False
    comments = [line for line in lines if is_comment(line, comment)]
    widths = {len(row.fields) for row in Grid.of(comments, grid.separator, grid.quote).rows}
    return not grid.rows or (grid.width > 1 and widths == {grid.width})


def _without_stray_quotes(grid: Grid, lines: Sequence[str]) -> Grid:
    """The grid with quotes as plain characters, if a quote encloses lines that are rows.

    As in `3" pipe`, an inch sign at the beginning of a field.
    """
    swallows = any(
        "\n" in cell and holds_rows(cell, grid.separator, grid.width, index)
        for row, after in zip_longest(grid.rows, grid.rows[1:])
        if after is None or after.line > row.line + 1  # no other row holds lines
        for index, cell in enumerate(row.fields)
    )
    plain = Grid.of(lines, grid.separator, "") if swallows else grid
    return plain if len(plain.usual) > len(grid.usual) else grid


def _notes_on_lines(
    path: Path, grid: Grid, asked: Dialect, comment: str, top: int
) -> Iterator[str]:
    expected = (_SUFFIXES.get(content_suffix(path), ","), WHITESPACE)
    if asked.separator is None and grid.separator == FIXED:
        yield f"columns are separated at the blanks that all lines have{see('separator')}"
    elif asked.separator is None and grid.separator not in expected:
        yield f"columns are separated by {grid.separator!r}"
    if asked.separator is None and _hides_separators(grid):
        sign = "spaces" if grid.separator == WHITESPACE else repr(grid.separator)
        yield f"characters other than {sign} may separate columns{see('separator')}"
    if asked.separator is None and grid.width == 1 and any(map(_may_separate, grid.rows)):
        yield f"no separator was found: the table has one column{see('separator')}"
    if grid.quote != asked.quote and grid.separator != FIXED:
        yield f"the quotes ({asked.quote}) are not closed: they are read as plain text"
    if comment:
        yield f"lines that begin with {comment} are ignored as comments"
    if asked.sheet is None and (sheets := sheet_names(path)):
        yield f"the first sheet with rows is read; the sheets are {', '.join(sheets)}; see `sheet`"
    if top:
        yield f"the table begins at line {grid.rows[top].line + 1}"


def _hides_separators(grid: Grid) -> bool:
    """Whether text has characters that may separate columns.

    That is so if each row has the same number of them or, if spaces separate columns, any at all. A
    comma in a number is a decimal sign.
    """
    if not grid.rows or grid.width == 1 or grid.separator == FIXED:
        return False
    if grid.separator == WHITESPACE:
        cells = (cell for row in grid.judged for cell in row.fields if _SIGN.search(cell))
        return not all(map(is_number, cells))
    texts = ["".join(row.fields) for row in grid.judged[1:]]  # without a header
    counts = [{text.count(sign) for text in texts} for sign in ";|\t"]
    return any(len(each) == 1 and each != {0} for each in counts)


_SIGN = re.compile(r"[;|]|,\S")


def _may_separate(row: Row) -> bool:
    """Whether the only field of a row has a possible separator, not just words and spaces."""
    return bool(re.search(r"[;|,\t]|\s{2}|\s\"|\"\s", row.fields[0]))


# The header, and the lines and fields around the data.


def _headed(
    path: Path,
    sniffed: _Sniffed,
    header: bool | None,
    names: tuple[str, ...],
    may_be_numbers: bool = False,
) -> Layout:
    """The layout of a grid whose rows begin at the table's first row."""
    dialect, grid, _ = sniffed
    _refuse_no_table(grid, dialect)
    rows, first = grid.rows, grid.rows[0].fields
    padded, named = is_padded(grid), has_row_names(grid)
    width = len(first) - (padded and len(first) == grid.width)
    header, why, are_named, header_notes = _judged(path, sniffed, header, width)
    notes = [*header_notes]
    units = unit_rows(grid, dialect.missing) if header and not is_named(path) else []
    if names and len(names) != width:
        raise DataError(
            f"`columns` has {len(names)} names, but the first row has {width} fields", "columns"
        )
    if header and not names:
        names, more = names_of_header(first[:width], may_be_numbers or are_named, units)
        notes += more
    names = names or numbered("x", width)
    require_valid_names(names)
    if header and not padded and not named:
        refuse_unnamed_column(grid)
    dialect = replace(
        dialect,
        header=header,
        columns=names,
        units=len(units),
        row_names=named and not padded,
        is_padded=padded,
        text=(*dialect.text, *stored_categories(path, dialect, names)),
    )
    below = rows[header + len(units) :]
    dialect, more = with_signs(path, dialect, grid, below)
    notes += [*_notes_on_rows(dialect, grid), *more]
    start = below[0].line if below else rows[-1].line + 1
    said = (*sniffed.notes, *(f"{path.name}: {note}" for note in notes))
    is_open = sniffed.dialect.decimal is None and is_sign_open(grid)
    return Layout(path, dialect, start, tuple(first[:width]), why, said, is_open, _sniffed=sniffed)


class _Judged(NamedTuple):
    """Whether the first row is a header, and why; whether its names may be numbers; and notes."""

    header: bool
    why: str
    may_be_numbers: bool = False
    notes: tuple[str, ...] = ()


def _judged(path: Path, sniffed: _Sniffed, header: bool | None, width: int) -> _Judged:
    if is_named(path):
        return _Judged(True, "the file stores names", may_be_numbers=True)
    first = sniffed.grid.rows[0].fields[:width]
    number = next(filter(is_number, first), None)
    if header is False or (header and number is None):
        return _Judged(header, "as requested")
    rows = [row.fields[:width] for row in sniffed.grid.rows]
    guess, why = guess_header(rows, sniffed.dialect.missing)
    if header:
        return _Judged(True, "as requested", may_be_numbers=guess)
    if not guess:
        said = f"row 1 is read as data, because it has a number; {NUMBERS_IN_ORDER}"
        return _Judged(False, why, notes=(said,) * (NUMBERS_IN_ORDER in why))
    said = f"row 1 is read as column names, although it has numbers such as {number}{see('header')}"
    return _Judged(True, why, number is not None, (said,) * (number is not None))


def _refuse_no_table(grid: Grid, dialect: Dialect) -> None:
    options = [key for key in ("skip", "skip_last", "comment") if getattr(dialect, key)]
    if not grid.rows:
        raise DataError(f"the file has no rows{see(*options) if options else ''}", "file")
    width = len(grid.rows[0].fields)
    if width > MOST_COLUMNS:
        raise DataError(
            f"the first row has {width:,} columns, more than the {MOST_COLUMNS:,} allowed"
            + see("separator"),
            "file",
        )


def require_valid_names(names: tuple[str, ...]) -> None:
    """Raises `DataError` for a repeated name, or one with control characters."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        numbers = [str(i) for i, name in enumerate(names, start=1) if name == repeated[0]]
        raise DataError(
            f"the columns {' and '.join(numbers)} are both `{repeated[0]}`{see('header')}", "file"
        )
    refuse_control_characters(names, "the column name", "file", see("encoding"))


def _notes_on_rows(dialect: Dialect, grid: Grid) -> Iterator[str]:
    if dialect.row_names:
        yield "the first field of each row has no name in the header: it is ignored as a row name"
    if dialect.is_padded:
        last = grid.rows[0].fields[-1] if len(grid.rows[0].fields) == grid.width else ""
        which, name = "some rows end" if grid.is_evened else "each row ends", f", `{quoted(last)}`,"
        yield f"{which} with a separator: the empty last column{name * bool(last)} is ignored"
    for row in grid.rows[1 : dialect.units + 1]:
        if units := ", ".join(filter(None, row.fields)):
            below = (
                "the row below the header has units"
                if row is grid.rows[1]
                else "a further row below the header has text"
            )
            yield f"{below} and is not data: {quoted(units)}"
