"""Whether the first row of a table is a header, and the names in a header."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from bpcli.data.cells import shown_in
from bpcli.data.files.dialect import MISSING
from bpcli.data.files.grid import NUMBER_SIGNS, is_number
from bpcli.errors import DataError

_FEWEST_STEPS = 3
_YEARS = range(1800, 2101)

NUMBERS_IN_ORDER = "its numbers are in order: if they are names, see `header`"


def guess_header(rows: Sequence[Sequence[str]], missing: Collection[str]) -> tuple[bool, str]:
    """Whether the first of the rows is a header, and why.

    It is if it has no number, and either has text above numbers, or has text that no row below
    repeats. `5 %` is a number above others with its sign, and may else be a name. A word for a
    missing value is no text.
    """
    first, *below = rows
    full = [row for row in below if len(row) == len(first)]
    words = frozenset(missing)
    columns = [[row[i] for row in full if row[i] not in words] for i in range(len(first))]
    numbers = [
        cell
        for cell, column in zip(first, columns, strict=True)
        if _is_plain_number(cell) or _is_alike_number(cell, column)
    ]
    if numbers:
        rising = f"; {NUMBERS_IN_ORDER}" * _are_in_order(first)
        return False, f"row 1 has a number, {numbers[0]}{rising}"
    usual = words.intersection(MISSING)  # a word that only the user tells may be a name
    texts_first = sorted(zip(first, columns, strict=True), key=lambda pair: pair[0] in usual)
    above_numbers = (cell for cell, column in texts_first if are_mostly_numbers(column))
    word = next((cell for cell in above_numbers if cell), "")
    if word and word not in usual:
        return True, "row 1 has text above numbers"
    if word:
        return False, f"row 1 has a word for a missing value above numbers, {word}"
    for cell, column in zip(first, columns, strict=True):
        if cell and cell in column:
            return False, f"row 1 has text that is repeated below, {cell}"
    return True, "row 1 has text that is not repeated below"


def _is_alike_number(cell: str, column: Sequence[str]) -> bool:
    """Whether a cell is a number with a sign such as % that half of the cells below it have."""
    mark = _mark(cell)
    return bool(mark) and 2 * sum(_mark(other) == mark for other in column) >= len(column)


def _mark(cell: str) -> str | None:
    """The percent or currency sign of a number."""
    shown = (shown_in(cell, *signs) for signs in NUMBER_SIGNS)
    return next((each.mark for each in shown if each), None)


def _are_in_order(first: Sequence[str]) -> bool:
    """Whether the numbers of a row rise, at least three and after any text: wavelengths.

    Years may also fall.
    """
    numbers = [float(cell) for cell in first if cell.replace(".", "", 1).isdecimal()]
    texts = first[: len(first) - len(numbers)]
    if len(numbers) < _FEWEST_STEPS or any(map(_is_plain_number, texts)):
        return False
    if all(number in _YEARS for number in numbers) and numbers[0] > numbers[1]:
        numbers.reverse()
    return all(before < after for before, after in pairwise(numbers))


def are_mostly_numbers(cells: Sequence[str]) -> bool:
    return 2 * sum(map(is_number, cells)) > len(cells)


def _is_plain_number(cell: str) -> bool:
    """Whether a cell is a number without a sign: `5 %` may be a name."""
    return _mark(cell) == ""


def names_of_header(
    first: Sequence[str], may_be_numbers: bool = False
) -> tuple[tuple[str, ...], list[str]]:
    """The names of the columns on one line each, and notes on columns without a name.

    Raises `DataError` for a number among them.
    """
    given = [" ".join(name.split()) for name in first]
    numbers = list(filter(_is_plain_number, given))
    if numbers and not may_be_numbers:
        raise DataError(
            f"the first row has the number `{numbers[0]}`, expected column names: set `header: "
            "false` if it is data, or name the columns by `columns`",
            "file",
        )
    names = tuple(name or f"column {number}" for number, name in enumerate(given, start=1))
    unnamed = [name for name, text in zip(names, given, strict=True) if not text]
    others = f" and {len(unnamed) - 1:,} more" * (len(unnamed) > 1)
    return names, [f"the header has no name for `{name}`{others}" for name in unnamed[:1]]
