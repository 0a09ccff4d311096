"""The rows of a text file from the first row of data on: as text, or as lists of fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from io import StringIO
from typing import IO

from bpcli.data.files.dialect import FIXED, Dialect, exchange_of
from bpcli.data.files.fixed_width import fields_of
from bpcli.data.files.grid import Row, rows_of
from bpcli.data.files.sniff import Layout
from bpcli.data.files.text import TableText, open_text

ROW_NAMES, PADDING = "row names\0", "padding\0"
"""Columns that a frame has at first besides those of the table; no real name has a NUL."""


def columns_of(dialect: Dialect) -> list[str]:
    """The names of all columns of a frame as it is read."""
    names = [ROW_NAMES] * dialect.row_names + [*dialect.columns]
    return names + [PADDING] * dialect.is_padded


@contextmanager
def data_of(layout: Layout, watch: Callable[[str], None] | None = None) -> Iterator[TableText]:
    """The text from the first row of data on, without comments."""
    dialect = layout.dialect
    with _text_of(layout) as text:
        exchange = exchange_of(str(dialect.separator))
        split = partial(fields_of, gaps=dialect.gaps) if dialect.separator == FIXED else None
        signs = dialect.comment or "", dialect.quote
        yield TableText(text, *signs, watch, exchange, split, dialect.skip_last)


def _text_of(layout: Layout) -> AbstractContextManager[IO[str]]:
    """The text of a piece of a file, or of the file from its first row of data on."""
    if layout.text is not None:
        return nullcontext(StringIO(layout.text, newline=""))
    dialect = layout.dialect
    assert dialect.encoding is not None, "complete after `sniff`"
    return open_text(layout.path, dialect.encoding, dialect.sheet, layout.start)


def all_rows(layout: Layout) -> Iterator[tuple[int, Row]]:
    """All rows with their numbers, from 0, by Python's csv reader, which is slow."""
    dialect = layout.dialect
    with data_of(layout) as text:
        rows = rows_of(text, str(dialect.separator), dialect.quote)
        yield from enumerate(rows, start=layout.row)
