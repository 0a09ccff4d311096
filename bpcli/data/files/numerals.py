"""The decimal and the thousands sign of a table's numbers, found from its columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from typing import NamedTuple, get_args

from bpcli.data.cells import shown_in
from bpcli.data.files.dialect import Decimal
from bpcli.data.types import NEARLY_ALL

_PLAINLY: tuple[tuple[Decimal, str], ...] = ((".", ""), (".", ","), (",", ""), (",", "."))
_WITH_SEMICOLONS: tuple[tuple[Decimal, str], ...] = ((",", ""), (".", ""), (",", "."), (".", ","))
"""Decimal and thousands signs in order of preference; the second if `;` separates columns."""

_GROUPED: tuple[tuple[Decimal, str], ...] = tuple(
    (decimal, sign) for sign in (" ", "'", "’") for decimal in get_args(Decimal)
)

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_THREE = re.compile(r"[^\d.,]*[1-9]\d{0,2}([.,])\d{3}[^\d.,]*")
"""A number whose only sign may be the decimal or the thousands sign."""


class Numerals(NamedTuple):
    """The signs of numbers; an empty `thousands` means none. `notes` report guesses."""

    decimal: Decimal
    thousands: str
    notes: tuple[str, ...] = ()


def numerals_of(
    rows: Sequence[Sequence[str]], separator: str, missing: Collection[str] = ()
) -> Numerals:
    """The signs with which most columns hold numbers.

    `1,234` alone may be 1234 or 1.234: it is 1.234 where columns are separated by `;`, as in
    countries with a decimal comma, and 1234 otherwise. `1.234` alone is 1.234. A note says so.
    """
    columns = [
        known
        for column in zip(*rows, strict=True)
        if (known := [cell for cell in column if cell and cell not in missing])
        and any(map(_has_digit, known))
    ]
    signs: tuple[tuple[Decimal, str], ...] = (
        *(_WITH_SEMICOLONS if separator == ";" else _PLAINLY),
        *_GROUPED,
    )
    is_plain = all(_PLAIN.fullmatch(cell) for column in columns for cell in column)
    best = _PLAINLY[0] if is_plain else max(signs, key=lambda pair: _fit(pair, columns))
    decimal, thousands = best
    return Numerals(decimal, thousands, tuple(_notes(columns, decimal, thousands, separator)))


def _has_digit(cell: str) -> bool:
    return any(map(str.isdecimal, cell))


def _fit(signs: tuple[str, str], columns: Sequence[Sequence[str]]) -> tuple[int, int]:
    """The number of columns in which nearly all cells show a number, and of all such cells."""
    counts = [(sum(_is_shown(cell, *signs) for cell in column), len(column)) for column in columns]
    numeric = sum(shown >= NEARLY_ALL * known for shown, known in counts)
    return numeric, sum(shown for shown, _ in counts)


def _is_shown(cell: str, decimal: str, thousands: str) -> bool:
    """Whether a cell shows a number; a quick check first halves the time for wide tables."""
    if _PLAIN.fullmatch(cell):
        if decimal == "." or "." not in cell:
            return True
        if thousands != ".":
            return False
    return shown_in(cell, decimal, thousands) is not None


def _has_comma(cell: str, thousands: str) -> bool:
    return "," in cell and shown_in(cell, ",", thousands) is not None


def _notes(
    columns: Sequence[Sequence[str]], decimal: str, thousands: str, separator: str
) -> Iterator[str]:
    """What was guessed: a decimal comma, a thousands sign, a sign that may be either."""
    if decimal == "," and (
        thousands == "." or any(_has_comma(cell, thousands) for cell in chain(*columns))
    ):
        yield "commas in numbers are read as decimal signs"
    if thousands:
        yield f"{thousands!r} in numbers separates thousands"
    for column in columns:
        either = [match for cell in column if (match := _THREE.fullmatch(cell))]
        others = [cell for cell in column if "." in cell or "," in cell]
        if not either or len(either) < len(others):
            continue
        sign = either[0][1]
        if sign == "," or separator == ";":
            meaning = "decimal" if sign == decimal else "thousands"
            yield f"the {sign!r} in `{either[0][0]}` is read as a {meaning} sign"
            return
