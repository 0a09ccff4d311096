"""How a table is written in a text file: its encoding, separators, signs and special lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeAlias

Decimal: TypeAlias = Literal[".", ","]
Thousands: TypeAlias = Literal["", ",", ".", " ", "'", "’"]
Samples: TypeAlias = Literal["rows", "columns"]
"""Whether the samples of an array are its rows or its columns."""
Signs: TypeAlias = Mapping[str, Any]
"""A user's options for a dialect, by field; `missing` adds to the usual entries."""

MISSING: tuple[str, ...] = (
    "", "?", "-", "--", "---", ".", "..", "...", "*", "**", "***",
    "NA", "N/A", "n/a", "N.A.", "n.a.", "na", "<NA>", "NaN", "nan", "NAN", "-nan", "1.#QNAN",
    "NULL", "null", "Null", "None", "none", "NIL", "nil",
    "#N/A", "#NA", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!",
)  # fmt: skip
"""Entries that mean a missing value, unless the config lists others."""

WHITESPACE, FIXED = "whitespace", "fixed"
"""Names of separators: blanks, and none because each column has a fixed width."""
FIELD_END = "\x1f"
"""The delimiter for pandas if the separator is not ASCII, or columns have a fixed width."""
Gaps: TypeAlias = tuple[tuple[int, int], ...]
"""Where the blanks between columns of a fixed width begin and end, in characters."""


def is_sign(text: str) -> bool:
    """Whether a text can be the quote character: one ASCII character that is not a line break."""
    return len(text) == 1 and text.isascii() and text not in "\r\n"


SEPARATORS = f"one character that is not a letter or digit, or `{WHITESPACE}` or `{FIXED}`"
"""The separators that a user may give."""


def is_separator(text: str) -> bool:
    """Whether a user may give a text as separator: a name, or a character not in numbers or quotes.

    The character may be of any script.
    """
    if text in (WHITESPACE, FIXED):
        return True
    is_part = text.isalnum() or text in "\0\r\n\"'.-"
    return len(text) == 1 and not is_part and (text.isascii() or text.isprintable())


def delimiter_of(separator: str) -> str:
    """The delimiter of fields in the text for pandas' fast reader, which takes ASCII only."""
    return separator if separator != FIXED and separator.isascii() else FIELD_END


def exchange_of(separator: str) -> dict[int, str]:
    """The table for `str.translate` that swaps a separator and its delimiter for pandas.

    Translating again restores the characters between quotes.
    """
    delimiter = delimiter_of(separator)
    is_same = delimiter == separator or separator == FIXED
    return {} if is_same else {ord(separator): delimiter, ord(delimiter): separator}


@dataclass(frozen=True)
class Dialect:
    """How a text file is written; None is detected from the file.

    `columns` are the names if they are not taken from the header. The columns in `text` are read as
    text even if they look like numbers. `skip` counts the lines before the table, `skip_last` those
    with text at the end of the file that are not rows, and `units` the rows between its header and
    its data. With `row_names`, each row begins with a name for which the header has no field.
    `is_padded` is true if rows end with a separator. An empty `comment` or `thousands` means that
    there is none. `sheet` names one of a spreadsheet; None is the first with rows. `date_format` is
    that of all dates in `strptime` notation; if it is empty, there are none. `layout` says whether
    samples are rows or columns, as in MATLAB's networks. `gaps` are between columns of a fixed
    width.
    """

    header: bool | None = True
    columns: tuple[str, ...] = ()
    separator: str | None = None
    quote: str = '"'
    decimal: Decimal | None = None
    thousands: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] = MISSING
    text: tuple[str, ...] = ()
    skip: int | None = None
    skip_last: int = 0
    comment: str | None = None
    units: int = 0
    row_names: bool = False
    is_padded: bool = False
    sheet: str | None = None
    date_format: str | None = None
    layout: Samples | None = None
    gaps: Gaps = ()

    def with_signs(self, signs: Signs) -> Self:
        """The dialect with a user's options; `missing_only` replaces `missing`."""
        changes = dict(signs)
        words = (*changes.pop("missing_only", self.missing), *changes.pop("missing", ()))
        return replace(self, missing=words, **changes)
