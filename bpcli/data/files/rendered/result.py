"""The content of a file that is not plain text: its table as CSV, and facts about columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bpcli.data.types import DataFrame

MOST_VALUES = 100_000_000
"""The number of values that a sparse file may have at most, with its zeros written out."""


@dataclass(frozen=True)
class Rendering:
    """A table as CSV in UTF-8, with numbers as Python writes them.

    `categories` are the indices of the columns that the file declares as categories. With
    `has_gaps_only`, only an empty field is a missing value: `none` is a category.
    """

    text: bytes
    categories: tuple[int, ...] = ()
    has_gaps_only: bool = False
    notes: tuple[str, ...] = ()


def csv_of(rows: Iterable[Iterable[str]]) -> bytes:
    """Rows as CSV, one line each: a line break within a cell becomes a space."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(_in_one_line, row) for row in rows)
    return text.getvalue().encode()


def csv_of_frame(frame: DataFrame) -> bytes:
    """A frame as CSV, one line for each row."""
    texts = {
        name: cells.map(_in_one_line) for name, cells in frame.items() if cells.dtype.kind == "O"
    }
    frame = frame.assign(**texts).rename(columns=_in_one_line)
    text: str = frame.to_csv(index=False, lineterminator="\n")
    return text.encode()


def _in_one_line(cell: Any) -> Any:
    return _BREAK.sub(" ", cell) if isinstance(cell, str) else cell


_BREAK = re.compile(r"[\r\n]+")


def refuse_too_large(rows: int, width: int) -> None:
    """Raises `ValueError` for a sparse table that would not fit once its zeros are written out."""
    if rows * width > MOST_VALUES:
        raise ValueError(
            f"{rows:,} rows of {width:,} columns are more than the {MOST_VALUES:,} values allowed"
        )
