"""Tables in text files such as CSV, read by pandas into a frame, whole or block by block.

How the file is written is found out first (`sniff`) and reported in notes. Missing values are NaN
in a frame; rows count from 0. pandas is imported only when a file is read.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import chain, compress, repeat
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.data.files.cleaning import REPEATED, Cleaner, open_signs
from bpcli.data.files.codes import CodeWatch, long_codes, note_on_codes
from bpcli.data.files.dialect import (
    FIELD_END,
    FIXED,
    WHITESPACE,
    Dialect,
    delimiter_of,
    exchange_of,
)
from bpcli.data.files.fixed_width import fields_of
from bpcli.data.files.grid import Row, is_number, reader_of, rows_of
from bpcli.data.files.parquet import is_parquet, open_parquet, parquet_blocks
from bpcli.data.files.sniff import Layout, require_valid_names, sniff
from bpcli.data.files.text import TableText, content_suffix, open_bytes, open_text
from bpcli.data.types import DataFrame, Labels
from bpcli.data.values import AMBIGUOUS, quoted
from bpcli.errors import DataError, see
from bpcli.nn.arrays import Array

_MOST_IN_PIECES = 100
"""Columns up to which pandas reads in pieces."""

_BLOCK = 2**20

_ROW_NAMES, _PADDING = "row names\0", "padding\0"
"""The columns that a frame has at first beside those of the table; no name has a NUL."""

_ROWS = see("separator", "skip", "comment")


def layout_of(path: Path, asked: Dialect) -> Layout:
    """How a file is written; a Parquet file tells itself.

    Raises `DataError` if it cannot be read, is not text, or has no valid header.
    """
    if asked.layout == "columns":
        raise DataError(
            "`layout: columns` is for arrays (.npy, .npz, .mat): transpose the table", "layout"
        )
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
    frame, notes, codes = _read(layout)
    if codes:
        text = (*layout.dialect.text, *codes)
        said = (f"{layout.path.name}: {note_on_codes(name)}" for name in codes)
        told = replace(layout.dialect, text=text)
        frame, notes, _ = _read(replace(layout, dialect=told, notes=(*layout.notes, *said)))
    return frame, notes


def _read(layout: Layout) -> tuple[DataFrame, tuple[str, ...], list[str]]:
    """The frame, the notes, and the columns of codes that were read as numbers."""
    dialect, cleaner = layout.dialect, cleaner_of(layout)
    watch = CodeWatch(dialect, _columns(dialect))
    with _as_data_errors(layout):
        frame, comments = _all_frames(layout, watch)
        is_missing = _is_last_missing(layout, frame)
        if is_missing.any() and _may_have_others(layout, is_missing):
            frame = _without(frame, _other_rows(layout, cleaner))
        cleaner.ignore(comments, f"that begin with {dialect.comment}")
        frame = cleaner(_own_columns(dialect, frame))
    found = {*watch.found, *long_codes(frame)}
    codes = [name for name in dialect.columns if name in found]
    notes = [*cleaner.notes, *(open_signs(frame) if layout.is_sign_open else ())]
    return frame, (*layout.notes, *(f"{layout.path.name}: {note}" for note in notes)), codes


def read_blocks(layout: Layout, rows: int, cleaner: Cleaner) -> Iterator[DataFrame]:
    """All rows, `rows` at a time, in constant memory; the index continues from block to block.

    Raises `DataError` with the line if the file is not a table.
    """
    if is_parquet(layout.path):
        yield from parquet_blocks(layout.path, rows)
        return
    below: Labels | None = None
    with (
        _as_data_errors(layout),
        _pandas_frames(layout, low_memory=False, chunksize=rows) as (frames, text),
        frames,
    ):
        for frame in frames:
            if below is None and _is_last_missing(layout, frame).any():
                has_others = _may_have_others(layout)
                below = _other_rows(layout, cleaner) if has_others else np.empty(0, np.intp)
            yield cleaner(_own_columns(layout.dialect, _without(frame, below)))
        cleaner.ignore(text.comments, f"that begin with {layout.dialect.comment}")


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
            f"row {is_full.idxmax() + 1} has {width + 1} fields, the others have {width}{_ROWS}",
            "file",
        )
    return frame[list(dialect.columns)] if len(frame.columns) > len(dialect.columns) else frame


def _all_frames(layout: Layout, watch: CodeWatch) -> tuple[DataFrame, int]:
    """All rows; of a narrow table in pieces, if pandas finds the same types in all of them.

    It then takes 0.8 of the time, as what it splits stays in the cache. Wide tables have so few
    rows in a piece that it takes longer. Also returns the number of comments between the rows.
    """
    from pandas.errors import DtypeWarning

    if len(layout.dialect.columns) <= _MOST_IN_PIECES:
        with (
            suppress(DtypeWarning),
            _pandas_frames(layout, watch, low_memory=True) as (frame, text),
        ):
            return frame, text.comments
    with _pandas_frames(layout, watch, low_memory=False) as (frame, text):
        return frame, text.comments


@contextmanager
def _pandas_frames(
    layout: Layout, watch: CodeWatch | None = None, **options: Any
) -> Iterator[tuple[Any, TableText]]:
    """The result of pandas' reader, and the text that it reads; its warnings become errors."""
    import pandas as pd

    dialect = layout.dialect
    delimiter = delimiter_of(str(dialect.separator))
    with _data(layout, watch) as text, warnings.catch_warnings():
        for warning in (pd.errors.ParserWarning, pd.errors.DtypeWarning):
            warnings.simplefilter("error", warning)
        result = pd.read_csv(
            text,
            sep=r"\s+" if delimiter == WHITESPACE else delimiter,
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
        yield result, text


def _may_have_spaces(layout: Layout) -> bool:
    """Whether a field may begin with a space: pandas takes 0.8 of the time if it need not look."""
    path, encoding = layout.path, str(layout.dialect.encoding)
    if layout.dialect.separator == FIXED:
        return False
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
def _data(layout: Layout, watch: CodeWatch | None = None) -> Iterator[TableText]:
    """The text from the first row of data on, without lines of comments."""
    dialect = layout.dialect
    assert dialect.encoding is not None, "complete after `sniff`"
    with open_text(layout.path, dialect.encoding, dialect.sheet, layout.start) as text:
        exchange = exchange_of(str(dialect.separator))
        split = partial(fields_of, gaps=dialect.gaps) if dialect.separator == FIXED else None
        yield TableText(text, dialect.comment or "", dialect.quote, watch, exchange, split)


@contextmanager
def _as_data_errors(layout: Layout) -> Iterator[None]:
    """Turn pandas' errors into `DataError`s with the line."""
    import pandas as pd

    try:
        yield
    except pd.errors.EmptyDataError:
        raise DataError(f"the file has a header, but no rows{see('header')}", "file") from None
    except pd.errors.ParserWarning:
        width = len(_columns(layout.dialect))
        raise DataError(
            f"line {layout.start + 1} has more fields than the {width} named columns"
            + see("separator", "header", "skip"),
            "file",
        ) from None
    except (pd.errors.ParserError, OverflowError, UnicodeError, csv.Error) as error:
        hint = ", or `separator: fixed` if columns are aligned"
        said = _message(str(error), layout.start)
        is_blank = layout.dialect.separator == WHITESPACE and said.endswith(_ROWS)
        raise DataError(said + hint * is_blank, "file") from None


def _message(error: str, start: int) -> str:
    if fields := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        line = start + int(fields[2])
        return f"line {line} has {fields[3]} fields, the others have {fields[1]}" + _ROWS
    if quote := re.search(r"EOF inside string starting at row (\d+)", error):
        return f"line {start + int(quote[1]) + 1} opens a quote that is never closed"
    return (
        f"this is not a table: {error.removeprefix('Error tokenizing data. C error: ').strip()}"
        + _ROWS
    )


def _is_last_missing(layout: Layout, frame: DataFrame) -> Array:
    """Whether the last field of each row is missing, as pandas reads it in rows that lack it."""
    is_missing: Array = frame.iloc[:, -1 - layout.dialect.is_padded].isna().to_numpy()
    return is_missing


def _may_have_others(layout: Layout, is_missing: Array | None = None) -> bool:
    """Whether a row may have too few fields, or the last one may be a note below the table.

    It is found without a look at each field, which takes four times as long as pandas; to split all
    lines takes twice as long. If `is_missing` tells for each row of the file whether its last field
    is, only those lines are split, unless there are more lines than rows.
    """
    separator, quote = str(layout.dialect.separator), layout.dialect.quote
    separator = FIELD_END if separator == FIXED else separator
    width = len(_columns(layout.dialect)) - layout.dialect.is_padded
    if separator == WHITESPACE:
        return True
    with suppress(csv.Error):
        with _data(layout) as text:
            lines, rows = text.lines, None
            if is_missing is not None:
                lines, rows = (
                    compress(text.lines, chain(is_missing.tolist(), repeat(True))),
                    is_missing.sum(),
                )
            widths = [*map(len, reader_of(lines, separator, quote))]
        if min({*widths[:rows]} - {0}, default=width) < width or (rows and any(widths[rows:])):
            return True  # blank lines at the end have no field
        with _data(layout) as text:
            end = deque(filter(any, reader_of(text.lines, separator, quote)), maxlen=1)
        return _is_note(Row(0, *end), width, is_apart=True)
    return True


def _without(frame: DataFrame, rows: Labels | None) -> DataFrame:
    return frame if rows is None or not len(rows) else frame[~np.isin(frame.index, rows)]


def _other_rows(layout: Layout, cleaner: Cleaner) -> Labels:
    """The numbers of short rows that are no data, of which the cleaner tells.

    They are notes below the table, such as its source, and repeated headers that lack a field for
    the names of rows. Raises `DataError` for other rows with too few fields, which pandas
    reads as missing values.
    """
    width = len(_columns(layout.dialect)) - layout.dialect.is_padded
    header = list(layout.first) if layout.dialect.header and layout.dialect.row_names else None
    below: list[tuple[int, Row]] = []
    headers: list[int] = []
    end = 0
    for number, row in _all_rows(layout):
        if not any(row.fields):
            continue
        if row.fields == header:
            headers.append(number)
            continue
        is_apart = row.line > end or bool(below)
        end = row.line + 1 + sum(cell.count("\n") for cell in row.fields)
        if width > 1 and _is_note(row, width, is_apart):
            below.append((number, row))
            continue
        for wrong, short in [*below, (number, row)]:
            if len(short.fields) < width:
                raise DataError(_short(layout.dialect, wrong, short), "file")
        below = []
    if below:
        said = "; ".join(quoted(" ".join(filter(None, row.fields))) for _, row in below)
        cleaner.ignore(len(below), f"below the table: {said}")
    cleaner.ignore(len(headers), REPEATED)
    return np.array([*headers, *(number for number, _ in below)], np.intp)


def _is_note(row: Row, width: int, is_apart: bool) -> bool:
    """Whether a row below a table is a note: text in one field, or behind a blank row."""
    is_single, is_short = sum(map(bool, row.fields)) == 1, len(row.fields) < width
    if not row.fields[0] or is_number(row.fields[0]) or re.search(r"[;\t|]", row.fields[0]):
        return False  # a row that was cut off, or of another separator
    return (is_single and is_short) or (is_apart and (is_single or is_short))


def _short(dialect: Dialect, number: int, row: Row) -> str:
    if dialect.separator == FIXED:
        found = f"text where the others have a blank between columns{see('separator', 'skip')}"
        return f"row {number + 1} has {found}"
    width = len(_columns(dialect)) - dialect.is_padded
    hint = ", or `separator: fixed` if columns are aligned" * (dialect.separator == WHITESPACE)
    return f"row {number + 1} has {len(row.fields)} fields, the others have {width}{_ROWS}{hint}"
