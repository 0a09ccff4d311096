"""Tables in text files such as CSV, read by pandas into a frame, whole or block by block.

How the file is written is detected first (`sniff`) and reported in notes. Missing values are NaN
in a frame; rows count from 0. pandas is imported only when a file is read.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.data.files.below import (
    ROWS,
    is_last_missing,
    may_have_others,
    other_rows,
    ragged,
    without,
)
from bpcli.data.files.cleaning import Cleaner
from bpcli.data.files.codes import CodeWatch, long_codes, note_on_codes
from bpcli.data.files.dialect import FIXED, WHITESPACE, Dialect, delimiter_of, exchange_of
from bpcli.data.files.open_signs import open_signs
from bpcli.data.files.packed import content_suffix
from bpcli.data.files.parquet import is_parquet, open_parquet, parquet_blocks, parquet_texts
from bpcli.data.files.row_text import PADDING, ROW_NAMES, all_rows, columns_of, data_of
from bpcli.data.files.sniff import Layout, require_valid_names, sniff
from bpcli.data.files.text import TableText, open_bytes
from bpcli.data.types import DataFrame, Labels
from bpcli.data.values import AMBIGUOUS, quoted
from bpcli.errors import DataError, see
from bpcli.nn.arrays import Array


class NoRows(DataError):
    """A text has no rows, but comments and blank lines at most."""


class OpenQuote(DataError):
    """A text ends within quotes: if it is a piece of a file, its row goes on."""


_MOST_IN_PIECES = 100
"""Columns up to which pandas reads in pieces."""

_BLOCK = 2**20


def layout_of(path: Path, asked: Dialect) -> Layout:
    """How a file is written; a Parquet file stores this.

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
        dialect = replace(layout.dialect, text=text)
        frame, notes, _ = _read(replace(layout, dialect=dialect, notes=(*layout.notes, *said)))
    return frame, notes


def refuse_no_rows(frame: DataFrame) -> None:
    """Raises `DataError` if a table has no rows."""
    if not len(frame):
        raise DataError(_NO_ROWS, "file")


_NO_ROWS = f"the file has a header, but no rows{see('header')}"


def _read(layout: Layout) -> tuple[DataFrame, tuple[str, ...], list[str]]:
    """The frame, the notes, and the columns of codes that were read as numbers."""
    dialect, cleaner = layout.dialect, cleaner_of(layout)
    watch = CodeWatch(dialect, columns_of(dialect))
    with _as_data_errors(layout):
        frame, text = _all_frames(layout, watch)
        is_missing = is_last_missing(layout, frame)
        if is_missing.any() and may_have_others(layout, is_missing):
            frame = without(frame, other_rows(layout, cleaner))
        _ignore_lines(cleaner, text, dialect)
        frame = cleaner(_own_columns(dialect, frame))
    code_names = {*watch.names, *long_codes(frame)}
    codes = [name for name in dialect.columns if name in code_names]
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
            if below is None and is_last_missing(layout, frame).any():
                has_others = may_have_others(layout)
                below = other_rows(layout, cleaner) if has_others else np.empty(0, np.intp)
            yield cleaner(_own_columns(layout.dialect, without(frame, below)))
        _ignore_lines(cleaner, text, layout.dialect)


def read_piece(
    layout: Layout, cleaner: Cleaner, watch: CodeWatch, texts: Collection[str], *, is_end: bool
) -> tuple[DataFrame, int]:
    """The rows of a piece of a file, with numbers as their index, and how many were read.

    Rows that are not data are left out, and the cleaner counts them; columns of text are not
    cleaned. The columns `texts` are read as text. Without `is_end`, the file has more rows.

    Raises `OpenQuote` if the piece ends within quotes, and `DataError` with the line if it is not a
    table.
    """
    dialect = layout.dialect
    as_text = replace(layout, dialect=replace(dialect, text=(*dialect.text, *texts)))
    with _as_data_errors(layout):
        with _pandas_frames(as_text, watch, low_memory=False) as (frame, text):
            frame.index += layout.row
        rows = len(frame)
        is_missing = is_last_missing(layout, frame)
        if is_missing.any() and may_have_others(layout, is_missing):
            frame = without(frame, other_rows(layout, cleaner, is_end=is_end))
        _ignore_lines(cleaner, text, dialect)
        return cleaner.only_rows(_own_columns(dialect, frame)), rows


def text_blocks(layout: Layout, rows: int, columns: Sequence[str]) -> Iterator[DataFrame]:
    """The original text of some columns, in blocks as in `read_blocks`; missing values are empty.

    No row is left out; blanks around a text are removed.
    """
    if is_parquet(layout.path):
        yield from parquet_texts(layout.path, rows, columns)
        return
    exchange = exchange_of(str(layout.dialect.separator))
    as_text: dict[str, Any] = {"usecols": list(columns), "dtype": str, "na_values": []}
    with (
        _as_data_errors(layout),
        _pandas_frames(layout, low_memory=False, chunksize=rows, **as_text) as (frames, _),
        frames,
    ):
        for frame in frames:
            texts = frame[list(columns)].fillna("")
            yield texts.apply(lambda cells: cells.str.translate(exchange).str.strip())


def _ignore_lines(cleaner: Cleaner, text: TableText, dialect: Dialect) -> None:
    """Count the lines that were left out of the text."""
    cleaner.ignore(text.comments, f"that begin with {dialect.comment}")
    last = [line for line in text.last if line.strip()]
    said = "; ".join(quoted(" ".join(line.split())) for line in last)
    cleaner.ignore(len(last), f"at the end by `skip_last`: {said}", at_end=True)


def cleaner_of(layout: Layout) -> Cleaner:
    """The cleaner of the frames of a file."""

    def blank_rows() -> Labels:
        rows = (any(row.fields) for _, row in all_rows(layout))
        return np.flatnonzero(~np.fromiter(rows, bool)) + layout.row

    return Cleaner(layout.dialect, blank_rows, layout.first)


def _own_columns(dialect: Dialect, frame: DataFrame) -> DataFrame:
    """The frame without row names and padding. Raises `DataError` for padding with a value."""
    if dialect.is_padded and (is_full := frame[PADDING].notna()).any():
        width = len(columns_of(dialect)) - 1
        raise DataError(
            f"row {is_full.idxmax() + 1} has {width + 1} fields, the others have {width}{ROWS}",
            "file",
        )
    return frame[list(dialect.columns)] if len(frame.columns) > len(dialect.columns) else frame


def _all_frames(layout: Layout, watch: CodeWatch) -> tuple[DataFrame, TableText]:
    """All rows, and the text that was read.

    A narrow table is read in pieces, if pandas finds the same types in all of them: that takes 0.8
    of the time, because a piece stays in the cache. For wide tables, which have few rows in a
    piece, it would take longer.
    """
    from pandas.errors import DtypeWarning

    if len(layout.dialect.columns) <= _MOST_IN_PIECES:
        with (
            suppress(DtypeWarning),
            _pandas_frames(layout, watch, low_memory=True) as (frame, text),
        ):
            return frame, text
    with _pandas_frames(layout, watch, low_memory=False) as (frame, text):
        return frame, text


@contextmanager
def _pandas_frames(
    layout: Layout, watch: CodeWatch | None = None, **options: Any
) -> Iterator[tuple[Any, TableText]]:
    """The result of pandas' reader, and the text that it reads; its warnings become errors."""
    import pandas as pd

    dialect = layout.dialect
    delimiter = delimiter_of(str(dialect.separator))
    texts = [name for name in (*dialect.text, ROW_NAMES) if name in columns_of(dialect)]
    usual = {
        "dtype": dict.fromkeys(texts, str),
        "na_values": [word for word in dialect.missing if word not in AMBIGUOUS],
    }
    with data_of(layout, watch) as text, warnings.catch_warnings():
        for warning in (pd.errors.ParserWarning, pd.errors.DtypeWarning):
            warnings.simplefilter("error", warning)
        result = pd.read_csv(
            text,
            sep=r"\s+" if delimiter == WHITESPACE else delimiter,
            quotechar=dialect.quote or '"',
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            decimal=dialect.decimal,
            header=None,
            names=columns_of(dialect),
            keep_default_na=False,
            skipinitialspace=_may_have_spaces(layout),
            index_col=False,
            skip_blank_lines=len(columns_of(dialect)) > 1,
            **(usual | _exactly(pd.__version__) | options),
        )
        yield result, text


def _exactly(version: str) -> dict[str, str]:
    """The option by which pandas reads each number as the nearest float.

    From 3.1 on it does so without the option, and deprecates it. Earlier versions without it read
    half of all numbers with 17 digits otherwise, by up to 1e-12 of their size.
    """
    major, minor = map(int, version.split(".")[:2])
    return {} if (major, minor) >= (3, 1) else {"float_precision": "round_trip"}


def _may_have_spaces(layout: Layout) -> bool:
    """Whether a field may begin with a space: pandas takes 0.8 of the time if it need not check."""
    path, encoding = layout.path, str(layout.dialect.encoding)
    if layout.dialect.separator == FIXED:
        return False
    if layout.text is not None:
        return " " in layout.text
    if not encoding.startswith("utf-8") or content_suffix(path) != path.suffix.lower():
        return True  # unpacking the file to check takes as long
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
def _as_data_errors(layout: Layout) -> Iterator[None]:
    """Turn pandas' errors into `DataError`s with the line."""
    import pandas as pd

    try:
        yield
    except pd.errors.EmptyDataError:
        raise NoRows(_NO_ROWS, "file") from None
    except pd.errors.ParserWarning:
        width = len(columns_of(layout.dialect))
        raise DataError(
            f"line {layout.start + 1} has more fields than the {width} named columns"
            + see("separator", "header", "skip"),
            "file",
        ) from None
    except (pd.errors.ParserError, OverflowError, UnicodeError, csv.Error) as error:
        raise _as_data_error(str(error), layout) from None


def _as_data_error(error: str, layout: Layout) -> DataError:
    start = layout.start
    if fields := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        line = start + int(fields[2])
        return ragged(layout, f"line {line} has {fields[3]} fields, the others have {fields[1]}")
    if quote := re.search(r"EOF inside string starting at row (\d+)", error):
        said = f"line {start + int(quote[1]) + 1} opens a quote that is never closed"
        return OpenQuote(said + see("quote"), "file")
    said = error.removeprefix("Error tokenizing data. C error: ").strip()
    return DataError(f"this is not a table: {said}{ROWS}", "file")
