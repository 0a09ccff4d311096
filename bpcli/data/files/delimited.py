"""Tables in text files such as CSV, read by pandas into a frame, whole or block by block.

The encoding and the separator are detected first, in one pass over the file, and reported in notes.
Missing values are NaN in a frame; rows count from 0. pandas is imported only when a file is read.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from bpcli.data.files.parquet import is_parquet, open_parquet, parquet_blocks
from bpcli.data.files.text_encoding import encoding_of
from bpcli.data.types import DataFrame, numbered
from bpcli.data.values import refuse_control_characters
from bpcli.errors import DataError

MISSING: tuple[str, ...] = ("", "?", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "-")
"""Entries that mean a missing value, unless the config lists others."""

MOST_COLUMNS = 50_000
"""More columns than any table has: a wrong separator, or a transposed table."""

WHITESPACE = "whitespace"

_SEPARATORS = (",", ";", "\t", "|")

_BY_SUFFIX = {".tsv": "\t", ".tab": "\t"}

_SAMPLE_LINES = 50


@dataclass(frozen=True)
class FileFormat:
    """The format of a text file; None is detected from the file.

    `columns` are the names if they are not taken from the header. The columns in `text` are read as
    text even if they look like numbers.
    """

    header: bool = True
    columns: tuple[str, ...] = ()
    separator: str | None = None
    quote: str = '"'
    decimal: Literal[".", ","] = "."
    encoding: str | None = None
    missing: tuple[str, ...] = MISSING
    text: tuple[str, ...] = ()


def read_frame(path: Path, format_: FileFormat) -> DataFrame:
    """All rows. Raises `DataError` with the line if the file is not a table."""
    return read_settled(path, settle(path, format_)[0])


def read_settled(path: Path, settled: FileFormat) -> DataFrame:
    """All rows, in a format completed by `settle`."""
    if is_parquet(path):
        with open_parquet(path) as file:
            return file.read().to_pandas()
    with _as_data_errors(settled), _pandas_frames(path, settled) as frame:
        _refuse_short_rows(path, settled, frame)
        return frame


def read_blocks(path: Path, format_: FileFormat, rows: int) -> Iterator[DataFrame]:
    """All rows, `rows` at a time, in constant memory; the index continues from block to block.

    Raises `DataError` with the line if the file is not a table.
    """
    settled, _ = settle(path, format_)
    if is_parquet(path):
        yield from parquet_blocks(path, rows)
        return
    with _as_data_errors(settled), _pandas_frames(path, settled, chunksize=rows) as frames, frames:
        is_checked = False
        for frame in frames:
            if not is_checked:
                is_checked = _refuse_short_rows(path, settled, frame)
            yield frame


def settle(path: Path, format_: FileFormat) -> tuple[FileFormat, tuple[str, ...]]:
    """Complete the format with encoding, separator and column names; return notes on guesses.

    Raises `DataError` if the file cannot be read, is not text, or has no valid header.
    """
    if is_parquet(path):
        with open_parquet(path) as file:
            names = tuple(map(str, file.schema_arrow.names))
        _require_valid_names(names)
        return replace(format_, columns=names), ()
    encoding, notes = encoding_of(path, format_.encoding)
    format_ = replace(format_, encoding=encoding)
    sample = _sample(path, format_)
    if format_.separator is None:
        format_ = replace(format_, separator=_separator(path, sample, format_))
        if format_.separator not in (_BY_SUFFIX.get(path.suffix.lower(), ","), WHITESPACE):
            notes.append(f"{path.name}: columns are separated by {format_.separator!r}")
    names, name_notes = _names(_first_row(sample, format_), format_)
    notes += [f"{path.name}: {note}" for note in name_notes]
    return replace(format_, columns=names), tuple(notes)


def first_row(path: Path, settled: FileFormat) -> list[str]:
    """The fields of the first row of a file, as written."""
    return _first_row(_sample(path, settled), settled)


def _sample(path: Path, format_: FileFormat) -> list[str]:
    """The first lines that are not blank."""
    with path.open(encoding=format_.encoding, newline="") as file:
        lines = (line for line in file if line.strip())
        return list(islice(lines, _SAMPLE_LINES))


def _separator(path: Path, sample: list[str], format_: FileFormat) -> str:
    """The separator by the suffix, or one that is equally frequent in most of the first lines."""
    known = _BY_SUFFIX.get(path.suffix.lower())
    if known is not None:
        return known
    quote = re.escape(format_.quote)
    bare = [re.sub(f"{quote}[^{quote}]*{quote}", "", line) for line in sample]
    possible = [sep for sep in _SEPARATORS if sep != format_.decimal]
    counts = {sep: Counter(line.count(sep) for line in bare) for sep in possible}
    usual = {sep: counter.most_common(1)[0] for sep, counter in counts.items() if counter}
    fitting = [sep for sep, (count, lines) in usual.items() if count and 2 * lines > len(bare)]
    if fitting:
        return max(fitting, key=lambda sep: usual[sep][1])
    if path.suffix.lower() != ".csv" and all(len(line.split()) > 1 for line in bare):
        return WHITESPACE
    return ","


def _first_row(sample: list[str], format_: FileFormat) -> list[str]:
    return next(_rows(iter(sample), format_), [])


def _rows(lines: Iterator[str], format_: FileFormat) -> Iterator[list[str]]:
    """The fields of each row that is not blank, by Python's csv reader, which is slow."""
    if format_.separator == WHITESPACE:
        return (line.split() for line in lines if line.strip())
    rows = csv.reader(
        lines, delimiter=format_.separator or ",", quotechar=format_.quote, skipinitialspace=True
    )
    return (row for row in rows if row)


def _names(first: list[str], format_: FileFormat) -> tuple[tuple[str, ...], list[str]]:
    if not first:
        raise DataError("the file has no rows", "file")
    if len(first) > MOST_COLUMNS:
        message = (
            f"the first row has {len(first):,} columns, more than the {MOST_COLUMNS:,} allowed"
        )
        raise DataError(f"{message}: check `separator`", "file")
    notes: list[str] = []
    names = format_.columns
    if names and len(names) != len(first):
        raise DataError(
            f"`columns` has {len(names)} names, but the first row has {len(first)} fields",
            "columns",
        )
    if not names and not format_.header:
        names = numbered("x", len(first))
    if not names:
        names, notes = _from_header(first)
    _require_valid_names(names)
    return names, notes


def _from_header(first: list[str]) -> tuple[tuple[str, ...], list[str]]:
    stripped = [name.strip() for name in first]
    numbers = [name for name in stripped if _is_number(name)]
    if numbers:
        raise DataError(
            f"the first row has the number `{numbers[0]}`, expected column names: set `header: "
            "false` if it is data, or name the columns by `columns`",
            "file",
        )
    names = tuple(name or f"column {number}" for number, name in enumerate(stripped, start=1))
    unnamed = [name for name, given in zip(names, stripped, strict=True) if not given]
    return names, [f"the header has no name for `{name}`" for name in unnamed[:1]]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.lower() not in ("nan", "inf", "infinity")


def _require_valid_names(names: tuple[str, ...]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        numbers = [str(i) for i, name in enumerate(names, start=1) if name == repeated[0]]
        raise DataError(f"the columns {' and '.join(numbers)} are both `{repeated[0]}`", "file")
    refuse_control_characters(names, "the column name", "file")


@contextmanager
def _pandas_frames(path: Path, format_: FileFormat, **options: Any) -> Iterator[Any]:
    """The result of pandas' reader; its warnings become errors."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        yield pd.read_csv(
            path,
            encoding=format_.encoding,
            sep=r"\s+" if format_.separator == WHITESPACE else format_.separator,
            quotechar=format_.quote,
            decimal=format_.decimal,
            header=0 if format_.header else None,
            names=list(format_.columns),
            dtype={name: str for name in format_.text if name in format_.columns},
            na_values=list(format_.missing),
            keep_default_na=False,
            skipinitialspace=True,
            index_col=False,
            low_memory=False,
            **options,
        )


@contextmanager
def _as_data_errors(format_: FileFormat) -> Iterator[None]:
    """Turn pandas' errors into `DataError`s with the line."""
    import pandas as pd

    try:
        yield
    except pd.errors.EmptyDataError:
        raise DataError("the file has no rows", "file") from None
    except pd.errors.ParserWarning:
        width = len(format_.columns)
        raise DataError(
            f"line {1 + format_.header} has more fields than the {width} named columns",
            "file",
        ) from None
    except (pd.errors.ParserError, OverflowError, UnicodeError, csv.Error) as error:
        raise DataError(_message(str(error)), "file") from None


def _message(error: str) -> str:
    if fields := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        return f"line {fields[2]} has {fields[3]} fields, the others have {fields[1]}"
    if quote := re.search(r"EOF inside string starting at row (\d+)", error):
        return f"line {int(quote[1]) + 1} opens a quote that is never closed"
    return f"this is not a table: {error.removeprefix('Error tokenizing data. C error: ').strip()}"


def _refuse_short_rows(path: Path, format_: FileFormat, frame: DataFrame) -> bool:
    """Raises `DataError` for rows with too few fields, which pandas reads as missing values.

    Such rows miss the last field, so that most files need no second pass. Returns whether there
    was one.
    """
    if not len(frame) or not frame.iloc[:, -1].isna().any():
        return False
    width = len(format_.columns)
    with path.open(encoding=format_.encoding, newline="") as file:
        for number, fields in enumerate(_rows(file, format_), start=1 - format_.header):
            if len(fields) < width and number > 0:
                raise DataError(
                    f"row {number} has {len(fields)} fields, the others have {width}", "file"
                )
    return True
