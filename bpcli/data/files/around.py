"""Text around the data of a table: titles, rows below the header, row names, padding."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from bpcli.data.dates import date_format_of
from bpcli.data.files.dialect import FIXED, WHITESPACE
from bpcli.data.files.grid import Grid, Row, is_number
from bpcli.data.files.header import are_mostly_numbers
from bpcli.data.values import AMBIGUOUS, quoted
from bpcli.errors import DataError, see

_MOST_UNITS = 3
_FEWEST_BELOW_UNITS = 2
_FEWEST_UNITS = 2
_FEWEST_WORDS = 2
_FEWEST_NUMBERS = 2
_FEWEST_ROWS = 2
_WIDTH_OF_DECIMALS = 2


# Padding.


def evened(grid: Grid) -> Grid:
    """The grid with an empty field added to rows that are shorter by an empty last field.

    In all longer rows that field must be empty, except in the header, which may name it. So no row
    is lost if only some rows end with a separator.
    """
    wide = _wider(grid)
    if not wide:
        return grid
    rows = [
        row._replace(fields=[*row.fields, ""]) if len(row.fields) == wide - 1 else row
        for row in grid.rows
    ]
    return replace(grid, rows=rows, is_evened=True)


def _wider(grid: Grid) -> int:
    """The width of rows with an empty last field that others do not have; 0 without such rows."""
    for wide in (grid.width, grid.width + 1) if grid.width > 1 else ():
        longer = [row for row in grid.rows if len(row.fields) == wide]
        if not longer:  # the usual case, in which all rows need not be examined
            continue
        shorter = [row for row in grid.rows if len(row.fields) == wide - 1 and _is_data(row)]
        if len(shorter) < _FEWEST_ROWS:
            continue
        is_headed = longer[0].line < shorter[0].line and not _has_number(longer[0])
        data = longer[is_headed:]
        if data and not any(row.fields[-1] for row in data):
            return wide
    return 0


def is_padded(grid: Grid) -> bool:
    """Whether all rows, or some, end with a separator, and no row has text after it."""
    first, *others = grid.rows
    is_open = grid.is_evened or len(first.fields) == grid.width - 1 or not first.fields[-1]
    ends = [row.fields[-1] for row in others if len(row.fields) == grid.width]
    return grid.width > 1 and is_open and not any(ends)


# Titles.


def top_of(grid: Grid, missing: Collection[str]) -> int:
    """The index of the first row of the table: titles before it are shorter, or mostly empty.

    A row right before it with one field less is a header without a name for the row names. Of
    several rows of text as wide as the table, the header is the one right above the data, if it is
    fuller than titles before it. With a fixed width, a title of several fields has no blank where
    the rows have one. Raises `DataError` for rows of data of another width before it.
    """
    is_fixed = grid.separator == FIXED
    full = [
        index
        for index, row in enumerate(grid.rows)
        if len(row.fields) == grid.width
        and (2 * sum(map(bool, row.fields)) >= grid.width or (is_fixed and _has_number(row)))
    ]
    top, *others = full or [0]
    if others and _is_half_empty(grid.rows[top]) and _is_header(grid, others[0], missing):
        top = others[0]
    if top and _lacks_one(grid.rows[top - 1], grid.width):
        return top if _is_header(grid, top, missing) else top - 1
    top = _below_titles(grid, top, missing) if full else top
    _refuse_lost_rows(grid, top)
    return top


def _is_half_empty(row: Row) -> bool:
    """Whether a row has only its first field, as a title above columns of a spreadsheet."""
    return len(row.fields) > 1 and not any(row.fields[1:])


def _is_header(grid: Grid, top: int, missing: Collection[str]) -> bool:
    """Whether the row has no number or entry for a missing value, but another has a number."""
    row = grid.rows[top]
    if _has_number(row) or any(cell in missing for cell in row.fields if cell):
        return False
    return any(map(_has_number, grid.usual))


def _has_number(row: Row) -> bool:
    return any(map(is_number, row.fields))


def _lacks_one(row: Row, width: int) -> bool:
    fields = row.fields
    return len(fields) == width - 1 >= 1 and all(fields) and len({*fields}) == len(fields)


def _below_titles(grid: Grid, top: int, missing: Collection[str]) -> int:
    """The row right above the data, if it is fuller than titles before it; else the top.

    The row right before it is blank, short or half empty, and none is fuller. One may be as full if
    a title of a single cell, or a blank row, is in between. A header has no entry for a missing
    value.
    """
    data = _first_data(grid, top)
    if data - top < _FEWEST_ROWS or not _is_header(grid, data - 1, missing):
        return top
    *before, last, header = (
        sum(map(bool, row.fields)) * (len(row.fields) == grid.width) for row in grid.rows[top:data]
    )
    fuller, as_full = (sum(count >= least for count in before) for least in (header + 1, header))
    most = grid.width // 2 if not as_full else 1  # a header may have few units below
    return data - 1 if last <= most and last < header and not fuller and as_full < 2 else top


def _first_data(grid: Grid, top: int) -> int:
    """The index of the first row from the top on with numbers where most rows have them."""
    judged = [row.fields for row in grid.judged]
    numeric = _numeric_columns(judged[len(judged) // 2 :], ())  # without titles
    rows = enumerate(grid.rows[top:], start=top)
    return next(
        (
            index
            for index, row in rows
            if len(row.fields) == grid.width and any(is_number(row.fields[i]) for i in numeric)
        ),
        top,
    )


def _numeric_columns(rows: Sequence[Sequence[str]], missing: Collection[str]) -> list[int]:
    return [
        index
        for index, column in enumerate(zip(*rows, strict=True))
        if are_mostly_numbers([cell for cell in column if cell and cell not in missing])
    ]


def _refuse_lost_rows(grid: Grid, top: int) -> None:
    """Raises `DataError` for rows before the table's first row that are not titles.

    They are rows of data, or a header with one name too many right above the data.
    """
    lost = [row for row in grid.rows[:top] if _is_data(row)]
    widths = {len(row.fields) for row in lost}
    is_close = any(abs(width - grid.width) == 1 for width in widths)
    is_headed = top > 0 and _is_data(grid.rows[top]) and _has_one_more(grid, grid.rows[top - 1])
    if is_headed or (lost and (is_close or len(lost) > len(widths))):
        first = lost[0] if lost else grid.rows[top - 1]
        raise DataError(
            f"line {first.line + 1} has {len(first.fields)} fields, but most rows below have "
            f"{grid.width}{see('separator', 'skip', 'comment')}",
            "file",
        )


def _has_one_more(grid: Grid, row: Row) -> bool:
    """Whether a row has names for one more column; separated by spaces, it may be a title."""
    return grid.separator != WHITESPACE and _lacks_one(row, grid.width + 2)


def _is_data(row: Row) -> bool:
    """Whether most fields of a row that are not empty are numbers, at least two."""
    numbers = sum(map(is_number, row.fields))
    return numbers >= _FEWEST_NUMBERS and 2 * numbers > sum(map(bool, row.fields))


# The header, and the rows below it.


def has_row_names(grid: Grid) -> bool:
    """Whether the header has no name for the first field of all other rows, as R writes it.

    Row names are text, or count from 0 or 1, and are unique.
    """
    if not _lacks_a_name(grid):
        return False
    names = [row.fields[0] for row in grid.usual if any(row.fields)]
    counts = [[*map(str, range(start, start + len(names)))] for start in (0, 1)]
    return names in counts or (len({*names}) == len(names) and all(map(_is_word, names)))


def _lacks_a_name(grid: Grid) -> bool:
    if len(grid.rows[0].fields) != grid.width - 1:
        return False
    return grid.width != _WIDTH_OF_DECIMALS or grid.separator != ","  # one with decimal commas


def _is_word(name: str) -> bool:
    return any(map(str.isalpha, name)) and not is_number(name)


def refuse_unnamed_column(grid: Grid) -> None:
    """Raises `DataError` for a header with one name too few where no field names the rows."""
    if not _lacks_a_name(grid) or len(grid.usual) < len(grid.rows) - 1:
        return
    first, row = grid.rows[0], grid.usual[0]
    raise DataError(
        f"the header has {len(first.fields)} names, but each row has {grid.width} fields, and the "
        f"first one (`{quoted(row.fields[0])}`) is not a row name"
        + see("separator", "header", "skip", "columns"),
        "file",
    )


def unit_rows(grid: Grid, missing: Collection[str]) -> list[list[str]]:
    """At most three rows below the header that are not data, such as units, types or statistics.

    They have text, and no number, where the rows below them have numbers. Text above two columns of
    numbers may be long, or begin with a number as `5s` and `100 km`; a single text must look like a
    unit. The second and third row have two texts above numbers; a row without any may be among
    them. A row of data with a typo is not a row of units: it has other numbers, or two texts that
    are also below it, or are booleans or dates.
    """
    rows = [row.fields for row in grid.rows[1 : 1 + _MOST_UNITS]]
    judged = [row for row in grid.judged if row.line > grid.rows[0].line]
    for count in range(len(rows), 0, -1):
        last = grid.rows[count].line
        below = [row.fields for row in judged if row.line > last]
        if len(below) >= _FEWEST_BELOW_UNITS and _are_units(rows[:count], below, missing):
            return rows[:count]
    return []


def _are_units(
    rows: Sequence[Sequence[str]], below: Sequence[Sequence[str]], missing: Collection[str]
) -> bool:
    numeric = _numeric_columns(below, missing)
    if any(len(row) != len(below[0]) for row in rows) or not numeric:
        return False
    said = [[row[i] for i in numeric if row[i]] for row in rows]
    if not said[-1] or not _is_units(said[0], missing):
        return False
    more = [cells for cells in said[1:] if cells]
    if not all(len(cells) >= _FEWEST_UNITS and _is_units(cells, missing) for cells in more):
        return False
    others = [i for i in range(len(below[0])) if i not in {*numeric}]
    return all(
        sum(_is_of_data(row[i], i, below, missing) for i in others) < _FEWEST_WORDS for row in rows
    )


def _is_of_data(
    cell: str, index: int, below: Sequence[Sequence[str]], missing: Collection[str]
) -> bool:
    """Whether a text looks like data: it is also in a row below, or is a boolean or a date."""
    if not cell or cell in missing:
        return False
    is_repeated = any(cell == row[index] for row in below)
    return is_repeated or cell.lower() in ("true", "false") or date_format_of([cell]) is not None


def _is_units(cells: Sequence[str], missing: Collection[str]) -> bool:
    """Whether cells above numbers are units; `-` and entries for missing values are not."""
    said = [cell for cell in cells if cell not in AMBIGUOUS]
    if any(cell in missing for cell in said):
        return False
    pattern = _LONG_UNIT if len(said) >= _FEWEST_UNITS else _UNIT
    return bool(said) and all(pattern.fullmatch(cell) and not is_number(cell) for cell in said)


_UNIT = re.compile(r"[^\d<>=+.,-][^<>=]{0,19}")
"""Not `<0.1`, nor a number with an unknown sign."""

_LONG_UNIT = re.compile(r"[^\d<>=+.,-].*|\d+(?:\.? |\^\d+\W?)?[^\W\d].*|\d+ ?= ?\d+", re.DOTALL)
"""Also `5s`, `1. quarter`, `100 km`, `10^3/l`, and the base of an index, `2020=100`."""
