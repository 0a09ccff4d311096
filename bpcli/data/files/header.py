"""Whether the first row of a table is a header, and the names in a header."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from bpcli.data.cells import shown_in
from bpcli.data.files.dialect import MISSING
from bpcli.data.files.grid import NUMBER_SIGNS, is_number
from bpcli.data.types import NEARLY_ALL
from bpcli.data.values import quoted
from bpcli.errors import DataError

_FEWEST_STEPS = 3
_YEARS = range(1800, 2101)

NUMBERS_IN_ORDER = "its numbers are in order: if they are column names, see `header`"


def guess_header(rows: Sequence[Sequence[str]], missing: Collection[str]) -> tuple[bool, str]:
    """Whether the first of the rows is a header, and why.

    It is one if it has no number, and either has text above numbers, or has text that no row below
    repeats. `5 %` is a number above others with this sign, and may be a name otherwise. An entry
    for a missing value does not count as text. A row with numbers is a header by the evidence of
    all its columns, see `_why_numbers_are_names`.
    """
    first, *below = rows
    full = [row for row in below if len(row) == len(first)]
    words = frozenset(missing)
    columns = [[row[i] for row in full if row[i] not in words] for i in range(len(first))]
    is_one = [
        _is_plain_number(cell) or _is_alike_number(cell, column)
        for cell, column in zip(first, columns, strict=True)
    ]
    if any(is_one):
        if why := _why_numbers_are_names(first, columns, is_one, words):
            return True, f"row 1 has {why}"
        rising = f"; {NUMBERS_IN_ORDER}" * _are_in_order(first)
        return False, f"row 1 has a number, {first[is_one.index(True)]}{rising}"
    usual = words.intersection(MISSING)  # an entry that only the user lists may be a name
    texts_first = sorted(zip(first, columns, strict=True), key=lambda pair: pair[0] in usual)
    above_numbers = (cell for cell, column in texts_first if are_mostly_numbers(column))
    word = next((cell for cell in above_numbers if cell), "")
    if word and word not in usual:
        return True, "row 1 has text above numbers"
    if word:
        return False, f"row 1 has an entry for a missing value above numbers, {word}"
    for cell, column in zip(first, columns, strict=True):
        if cell and cell in column:
            return False, f"row 1 has text that is repeated below, {cell}"
    return True, "row 1 has text that is not repeated below"


# Numbers that are names.

_FEWEST_NAMES = 2
_FEWEST_UNLIKE = 4
_FAR = 10
_MOST_JUDGED = 50


def _why_numbers_are_names(
    first: Sequence[str],
    columns: Sequence[Sequence[str]],
    is_one: Sequence[bool],
    missing: Collection[str],
) -> str:
    """Why a first row with numbers is a header nevertheless; empty if it is not one.

    It is one if no column has its text again further below, and one of these is true:

    - its names above numbers, at least two, outnumber its numbers, or
    - its numbers, at least two and after its text, are above columns without any number, or
    - they are years in order, above columns that do not hold years, or
    - they are four or more in order, as numbers or as text, and unlike the numbers below them:
      whole above fractions, or ten times as great.

    The last three hold for nearly all columns whose first cell is a number. A single odd cell, such
    as a typo or `n.d.`, never turns a row of data into a header.
    """
    if any(cell in below for cell, below in zip(first, columns, strict=True) if _is_name(cell)):
        return ""
    if _has_more_names(first, columns, sum(is_one), missing):
        return "more names of numeric columns than numbers"
    heads = [cell for cell, one in zip(first, is_one, strict=True) if one]
    below = [column[:_MOST_JUDGED] for column, one in zip(columns, is_one, strict=True) if one]
    if len(heads) < _FEWEST_NAMES or is_one[0]:
        return ""
    if _is_nearly_all([len(column) > 1 and not any(map(is_number, column)) for column in below]):
        return "numbers above text"
    if _are_years_in_order(heads) and _is_nearly_all([not _has_years(column) for column in below]):
        return "years above other values" if any(below) else ""
    pairs = zip(heads, below, strict=True)
    if _are_names_in_order(heads) and _is_nearly_all([_is_unlike(*pair) for pair in pairs]):
        return "numbers in order, unlike those below"
    return ""


def _has_more_names(
    first: Sequence[str],
    columns: Sequence[Sequence[str]],
    numbers: int,
    missing: Collection[str],
) -> bool:
    above = {
        cell
        for cell, column in zip(first, columns, strict=True)
        if _is_name(cell) and cell not in missing and are_mostly_numbers(column)
    }
    return len(above) >= _FEWEST_NAMES and len(above) > numbers


def _is_name(cell: str) -> bool:
    """Whether a cell begins with a letter, and is not an abbreviation such as `n.d.`."""
    return bool(_NAME.match(cell)) and not is_number(cell)


_NAME = re.compile(r"(?!(?:\w\.)+\w?$)[^\W\d]")


def _is_nearly_all(flags: Sequence[bool]) -> bool:
    return sum(flags) >= NEARLY_ALL * len(flags)


def _are_years_in_order(heads: Sequence[str]) -> bool:
    """Whether numbers are years that rise or fall; above quarters, each may be repeated."""
    if not all(cell.isdecimal() and int(cell) in _YEARS for cell in heads):
        return False
    years = [*map(int, heads)]
    few = len(years) < _FEWEST_STEPS and years[0] == years[1]
    return len({*years}) > 1 and not few and years in (sorted(years), sorted(years)[::-1])


def _has_years(column: Sequence[str]) -> bool:
    """Whether half of the cells are years."""
    years = sum(cell.isdecimal() and int(cell) in _YEARS for cell in column)
    return bool(column) and 2 * years >= len(column)


def _are_names_in_order(heads: Sequence[str]) -> bool:
    if len(heads) < _FEWEST_UNLIKE or not all(_WHOLE_OR_POINT.fullmatch(cell) for cell in heads):
        return False
    return _is_monotonic([*map(float, heads)]) or _is_monotonic(heads)


_WHOLE_OR_POINT = re.compile(r"\d+(?:\.\d+)?")


def _is_monotonic(values: Sequence[float] | Sequence[str]) -> bool:
    ordered = sorted({*values})
    return len(ordered) == len(values) and list(values) in (ordered, ordered[::-1])


def _is_unlike(head: str, column: Sequence[str]) -> bool:
    """Whether a number is whole above fractions, or ten times as great as all below it."""
    numbers = list(filter(is_number, column))
    if len(numbers) < _FEWEST_NAMES:
        return False
    fractions = sum(bool(_FRACTION.search(cell)) for cell in numbers)
    if head.isdecimal() and 3 * fractions >= 2 * len(numbers):
        return True
    return float(head) > _FAR * max(map(_size, numbers))


_FRACTION = re.compile(r"[.,](?!\d{3}\b)\d|\b0[.,]\d")
"""A decimal sign, not before three digits: 1,234 may have a thousands sign."""


def _size(cell: str) -> float:
    shown = (shown_in(cell, *signs) for signs in NUMBER_SIGNS)
    return next((abs(each.value) for each in shown if each), 0.0)


def _is_alike_number(cell: str, column: Sequence[str]) -> bool:
    """Whether a cell is a number with a sign such as % that half of the cells below it have."""
    mark = _mark(cell)
    return bool(mark) and 2 * sum(_mark(other) == mark for other in column) >= len(column)


def _mark(cell: str) -> str | None:
    """The percent or currency sign of a number."""
    shown = (shown_in(cell, *signs) for signs in NUMBER_SIGNS)
    return next((each.mark for each in shown if each), None)


def _are_in_order(first: Sequence[str]) -> bool:
    """Whether at least three numbers at the end of a row rise, such as wavelengths.

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


# Names.


def names_of_header(
    first: Sequence[str], may_be_numbers: bool = False, below: Sequence[Sequence[str]] = ()
) -> tuple[tuple[str, ...], list[str]]:
    """The names of the columns on one line each, and notes on missing and repeated names.

    Repeated names are joined with the rows `below` that are not data, such as units, if that makes
    them unique, and are numbered otherwise. Raises `DataError` for a number among them, unless they
    `may_be_numbers`.
    """
    given = list(map(_on_one_line, first))
    numbers = list(filter(_is_plain_number, given))
    if numbers and not may_be_numbers:
        raise DataError(
            f"the first row has the number `{numbers[0]}`, expected column names: set `header: "
            "false` (--no-header) if it is data, or name the columns by `columns`",
            "file",
        )
    joined = _joined(given, below)
    full = [name or f"column {number}" for number, name in enumerate(joined, start=1)]
    names = _numbered(full)
    notes = [*_notes_on_gaps(joined, full), *_notes_on_repeats(given, joined, full, names)]
    return tuple(names), notes


def _on_one_line(name: str) -> str:
    return " ".join(name.split())


def _joined(names: list[str], below: Sequence[Sequence[str]]) -> list[str]:
    """The names joined with the text below, from as few rows as make them unique."""
    joined = names
    for row in below:
        if _are_unique(joined):
            break
        texts = map(_on_one_line, row)
        joined = [" ".join(filter(None, pair)) for pair in zip(joined, texts, strict=False)]
    is_complete = len(joined) == len(names) and _are_unique(joined)
    return joined if is_complete else names


def _are_unique(names: Sequence[str]) -> bool:
    given = list(filter(None, names))
    return len({*given}) == len(given)


def _numbered(names: Sequence[str]) -> list[str]:
    """The names, with repeated ones numbered: the second `x` is `x (2)`."""
    taken, counts, numbered = {*names}, Counter[str](), []
    for name in names:
        counts[name] += 1
        new = name
        if counts[name] > 1:
            while (new := f"{name} ({counts[name]})") in taken:
                counts[name] += 1
            taken.add(new)
        numbered.append(new)
    return numbered


def _notes_on_gaps(given: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    unnamed = [name for name, text in zip(names, given, strict=True) if not text]
    if unnamed:
        others = f" and {len(unnamed) - 1:,} more" * (len(unnamed) > 1)
        yield f"the header has no name for `{unnamed[0]}`{others}"


def _notes_on_repeats(
    given: list[str], joined: list[str], full: list[str], names: list[str]
) -> Iterator[str]:
    if joined != given:
        changed = next(new for old, new in zip(given, joined, strict=True) if old and new != old)
        yield (
            "the header repeats names: they are joined with the row below, such as "
            f"`{quoted(changed)}`"
        )
    new = [name for old, name in zip(full, names, strict=True) if name != old]
    if new:
        are = "are" if len(new) > 1 else "is"
        yield f"the header repeats names: {len(new):,} {are} numbered, such as `{quoted(new[0])}`"
