"""Tables in text files such as CSV, read by pandas into a frame, whole or block by block.

How the file is written is found out first (`sniff`) and reported in notes. Missing values are NaN
in a frame; rows count from 0. pandas is imported only when a file is read.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import chain, compress, repeat
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.data.files.cleaning import Cleaner
from bpcli.data.files.dialect import WHITESPACE, Dialect
from bpcli.data.files.grid import Row, reader_of, rows_of
from bpcli.data.files.parquet import is_parquet, open_parquet, parquet_blocks
from bpcli.data.files.sniff import Layout, require_valid_names, sniff
from bpcli.data.files.text import WithoutComments, content_suffix, open_bytes, open_text
from bpcli.data.types import DataFrame, Labels
from bpcli.data.values import AMBIGUOUS
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

_MOST_IN_PIECES = 100
"""Columns up to which pandas reads in pieces."""

_BLOCK = 2**20

_ROW_NAMES, _PADDING = "row names\0", "padding\0"
"""The columns that a frame has at first beside those of the table; no name has a NUL."""


def layout_of(path: Path, asked: Dialect) -> Layout:
    """How a file is written; a Parquet file tells itself.

    Raises `DataError` if it cannot be read, is not text, or has no valid header.
    """
    if not is_parquet(path):
        return sniff(path, asked)
    with open_parquet(path) as file:
        names = tuple(map(str, file.schema_arrow.names))
    require_valid_names(names)
    return Layout(path, replace(asked, columns=names), 0, names, "the file stores names", ())


def read(layout: Layout) -> tuple[DataFrame, tuple[str, ...]]:
    """All rows of a file, and notes on what was guessed, ignored or changed.

    Raises `DataError` with the line if the file is not a table.
    """
    if is_parquet(layout.path):
        with open_parquet(layout.path) as file:
            return file.read().to_pandas(), ()
    cleaner = cleaner_of(layout)
    with _as_data_errors(layout):
        frame = _all_frames(layout)
        if (is_missing := _is_last_missing(layout, frame)).any():
            _refuse_short_rows(layout, is_missing)
        frame = cleaner(_own_columns(layout.dialect, frame))
    return frame, (*layout.notes, *(f"{layout.path.name}: {note}" for note in cleaner.notes))


def read_blocks(layout: Layout, rows: int, cleaner: Cleaner) -> Iterator[DataFrame]:
    """All rows, `rows` at a time, in constant memory; the index continues from block to block.

    Raises `DataError` with the line if the file is not a table.
    """
    if is_parquet(layout.path):
        yield from parquet_blocks(layout.path, rows)
        return
    with (
        _as_data_errors(layout),
        _pandas_frames(layout, low_memory=False, chunksize=rows) as frames,
        frames,
    ):
        is_checked = False
        for frame in frames:
            if not is_checked and _is_last_missing(layout, frame).any():
                _refuse_short_rows(layout)
                is_checked = True
            yield cleaner(_own_columns(layout.dialect, frame))


def _columns(dialect: Dialect) -> list[str]:
    names = [_ROW_NAMES] * dialect.row_names + [*dialect.columns]
    return names + [_PADDING] * dialect.is_padded


def cleaner_of(layout: Layout) -> Cleaner:
    """What cleans the frames of a file."""

    def blank_rows() -> Labels:
        rows = (any(row.fields) for _, row in _all_rows(layout))
        return np.flatnonzero(~np.fromiter(rows, bool))

    return Cleaner(layout.dialect, blank_rows)


def _all_rows(layout: Layout) -> Iterator[tuple[int, Row]]:
    """All rows with their numbers, from 0, by Python's csv reader, which is slow."""
    dialect = layout.dialect
    with _data(layout) as text:
        yield from enumerate(rows_of(text, str(dialect.separator), dialect.quote))


def _own_columns(dialect: Dialect, frame: DataFrame) -> DataFrame:
    """The frame without names of rows and padding. Raises `DataError` for padding with a value."""
    if dialect.is_padded and (is_full := frame[_PADDING].notna()).any():
        width = len(_columns(dialect)) - 1
        raise DataError(
            f"row {is_full.idxmax() + 1} has {width + 1} fields, the others have {width}", "file"
        )
    return frame[list(dialect.columns)] if len(frame.columns) > len(dialect.columns) else frame


def _all_frames(layout: Layout) -> DataFrame:
    """All rows; of a narrow table in pieces, if pandas finds the same types in all of them.

    It then takes 0.8 of the time, as what it splits stays in the cache. Wide tables have so few
    rows in a piece that it takes longer.
    """
    from pandas.errors import DtypeWarning

    if len(layout.dialect.columns) <= _MOST_IN_PIECES:
        with suppress(DtypeWarning), _pandas_frames(layout, low_memory=True) as frame:
            return frame
    with _pandas_frames(layout, low_memory=False) as frame:
        return frame


@contextmanager
def _pandas_frames(layout: Layout, **options: Any) -> Iterator[Any]:
    """The result of pandas' reader; its warnings become errors."""
    import pandas as pd

    dialect = layout.dialect
    with _data(layout) as text, warnings.catch_warnings():
        for warning in (pd.errors.ParserWarning, pd.errors.DtypeWarning):
            warnings.simplefilter("error", warning)
        yield pd.read_csv(
            text,
            sep=r"\s+" if dialect.separator == WHITESPACE else dialect.separator,
            quotechar=dialect.quote or '"',
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            decimal=dialect.decimal,
            header=None,
            names=_columns(dialect),
            dtype={name: str for name in (*dialect.text, _ROW_NAMES) if name in _columns(dialect)},
            na_values=[word for word in dialect.missing if word not in AMBIGUOUS],
            keep_default_na=False,
            skipinitialspace=_may_have_spaces(layout),
            index_col=False,
            skip_blank_lines=len(_columns(dialect)) > 1,
            **options,
        )


def _may_have_spaces(layout: Layout) -> bool:
    """Whether a field may begin with a space: pandas takes 0.8 of the time if it need not look."""
    path, encoding = layout.path, str(layout.dialect.encoding)
    if not encoding.startswith("utf-8") or content_suffix(path) != path.suffix.lower():
        return True  # to unpack a file takes as long
    signs = np.frombuffer(f"\n\r{layout.dialect.separator}".encode(), np.uint8)
    with open_bytes(path, layout.dialect.sheet) as file:
        return any(
            _has_space_after(signs, block) for block in iter(partial(file.read, _BLOCK), b"")
        )


def _has_space_after(signs: Array, block: bytes) -> bool:
    """Whether a text has a space after one of the signs, or may have one at its start."""
    if b" " not in block:
        return False
    text = np.frombuffer(block, np.uint8)
    before = text[:-1][text[1:] == ord(" ")]
    return block.startswith(b" ") or bool(np.isin(before, signs).any())


@contextmanager
def _data(layout: Layout) -> Iterator[Any]:
    """The text from the first row of data on, without lines of comments."""
    dialect = layout.dialect
    assert dialect.encoding is not None, "complete after `sniff`"
    with open_text(layout.path, dialect.encoding, dialect.sheet, layout.start) as text:
        yield WithoutComments(text, dialect.comment) if dialect.comment else text


@contextmanager
def _as_data_errors(layout: Layout) -> Iterator[None]:
    """Turn pandas' errors into `DataError`s with the line."""
    import pandas as pd

    try:
        yield
    except pd.errors.EmptyDataError:
        raise DataError("the file has a header, but no rows", "file") from None
    except pd.errors.ParserWarning:
        width = len(_columns(layout.dialect))
        raise DataError(
            f"line {layout.start + 1} has more fields than the {width} named columns", "file"
        ) from None
    except (pd.errors.ParserError, OverflowError, UnicodeError, csv.Error) as error:
        raise DataError(_message(str(error), layout.start), "file") from None


def _message(error: str, start: int) -> str:
    if fields := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        line = start + int(fields[2])
        return f"line {line} has {fields[3]} fields, the others have {fields[1]}"
    if quote := re.search(r"EOF inside string starting at row (\d+)", error):
        return f"line {start + int(quote[1]) + 1} opens a quote that is never closed"
    return f"this is not a table: {error.removeprefix('Error tokenizing data. C error: ').strip()}"


def _is_last_missing(layout: Layout, frame: DataFrame) -> Array:
    """Whether the last field of each row is missing, as pandas reads it in rows that lack it."""
    is_missing: Array = frame.iloc[:, -1 - layout.dialect.is_padded].isna().to_numpy()
    return is_missing


def _refuse_short_rows(layout: Layout, is_missing: Array | None = None) -> None:
    """Raises `DataError` for rows with too few fields, which pandas reads as missing values.

    `is_missing` tells for each row of the file whether its last field is, if that is known.
    """
    width = len(_columns(layout.dialect)) - layout.dialect.is_padded
    if width == 1 or not _may_have_short_rows(layout, width, is_missing):
        return
    for number, row in _all_rows(layout):
        if len(row.fields) < width:
            raise DataError(
                f"row {number + 1} has {len(row.fields)} fields, the others have {width}", "file"
            )


def _may_have_short_rows(layout: Layout, width: int, is_missing: Array | None) -> bool:
    """Whether a row may have too few fields, found without a look at each field.

    To look at them takes four times as long as pandas, to split all lines takes twice as long. Of a
    whole file, only lines without a last value are split, unless there are more lines than rows.
    """
    separator, quote = str(layout.dialect.separator), layout.dialect.quote
    if separator == WHITESPACE:
        return True
    with _data(layout) as text, suppress(csv.Error):
        if is_missing is None:
            return min({*map(len, reader_of(text, separator, quote))} - {0}) < width
        lines = compress(text, chain(is_missing.tolist(), repeat(True)))
        widths = [*map(len, reader_of(lines, separator, quote))]
        rows = np.count_nonzero(is_missing)
        return min(widths[:rows]) < width or any(widths[rows:])  # blank lines at the end have 0
    return True
