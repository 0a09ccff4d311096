"""How a table is written in a text file: its encoding, separators, signs and special lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeAlias

Decimal: TypeAlias = Literal[".", ","]
Thousands: TypeAlias = Literal["", ",", ".", " ", "'", "’"]
Samples: TypeAlias = Literal["rows", "columns"]
"""What the samples of a table are."""
Signs: TypeAlias = Mapping[str, Any]
"""What a user tells of a dialect, by the names of its fields; `missing` adds to the usual words."""

MISSING: tuple[str, ...] = (
    "", "?", "-", "--", "---", ".", "..", "...", "*", "**", "***",
    "NA", "N/A", "n/a", "N.A.", "n.a.", "na", "<NA>", "NaN", "nan", "NAN", "-nan", "1.#QNAN",
    "NULL", "null", "Null", "None", "none", "NIL", "nil",
    "#N/A", "#NA", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!",
)  # fmt: skip
"""Entries that mean a missing value, unless the config lists others."""

WHITESPACE, FIXED = "whitespace", "fixed"
"""Words for separators: blanks, or none as each column has a fixed width."""
FIELD_END = "\x1f"
"""What separates fields for pandas in place of a sign outside of ASCII, or of a fixed width."""
Gaps: TypeAlias = tuple[tuple[int, int], ...]
"""Where the blanks between columns of a fixed width begin and end, in characters."""


def is_sign(text: str) -> bool:
    """Whether a text may quote fields: one character of ASCII, and no line break."""
    return len(text) == 1 and text.isascii() and text not in "\r\n"


SEPARATORS = f"one character, no letter or digit, `{WHITESPACE}` or `{FIXED}`"
"""What may be told as a separator."""


def is_separator(text: str) -> bool:
    """Whether a text may be told as a separator: a word, or a sign that is in no number or quote.

    The sign may be of any script.
    """
    if text in (WHITESPACE, FIXED):
        return True
    is_part = text.isalnum() or text in "\0\r\n\"'.-"
    return len(text) == 1 and not is_part and (text.isascii() or text.isprintable())


def delimiter_of(separator: str) -> str:
    """What separates fields in the text for pandas' fast reader, which takes ASCII only."""
    return separator if separator != FIXED and separator.isascii() else FIELD_END


def exchange_of(separator: str) -> dict[int, str]:
    """The exchange of a separator with its delimiter for pandas, for `str.translate`.

    What it changes between quotes, it changes back if it is done again.
    """
    delimiter = delimiter_of(separator)
    is_same = delimiter == separator or separator == FIXED
    return {} if is_same else {ord(separator): delimiter, ord(delimiter): separator}


@dataclass(frozen=True)
class Dialect:
    """How a text file is written; None is detected from the file.

    `columns` are the names if they are not taken from the header. The columns in `text` are read as
    text even if they look like numbers. `skip` counts the lines before the table, `skip_last` those
    with text at the end of the file that are no rows, and `units` the rows between its header and
    its data. With `row_names`, each row begins with a name for which
    the header has no field. `is_padded` is true where every row ends with a separator. An empty
    `comment` or `thousands` is none. `sheet` names one of a spreadsheet; None is the first.
    `date_format` is that of all dates, as `strptime` has it; if it is empty, there are none.
    `layout` says whether samples are rows or columns, as in MATLAB's networks. `gaps` are between
    columns of a fixed width.
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

    def told(self, signs: Signs) -> Self:
        """The dialect with what a user tells of it; `missing_only` replaces the words."""
        changes = dict(signs)
        words = (*changes.pop("missing_only", self.missing), *changes.pop("missing", ()))
        return replace(self, missing=words, **changes)
