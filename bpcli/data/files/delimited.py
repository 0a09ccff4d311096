"""Tables in text files: CSV and its kin, read by pandas into a frame, whole or block by block.

What the file does not say for certain (its encoding, its separator) is found out before, in one
pass over it, and told in notes. Values that are missing are NaN in a frame; rows count from 0.
pandas is imported only where a file is read.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bpcli.data.files.parquet import is_parquet, open_parquet, parquet_blocks
from bpcli.data.files.text_encoding import encoding_of
from bpcli.data.types import numbered
from bpcli.errors import DataError

if TYPE_CHECKING:
    from pandas import DataFrame

MISSING: tuple[str, ...] = ("", "?", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "-")
"""The words that stand for a missing value unless the config names others."""

MOST_COLUMNS = 50_000
"""More columns than any table has: a separator gone wrong, or a table that lies on its side."""

WHITESPACE = "whitespace"

_SEPARATORS = (",", ";", "\t", "|")

_BY_SUFFIX = {".tsv": "\t", ".tab": "\t"}

_SAMPLE_LINES = 50


@dataclass(frozen=True)
class FileFormat:
    """How a text file is written; None is found out from the file.

    `columns` are the names, where they are not (or not to be) taken from the header. The columns of
    `text` are kept as they are written, whatever they look like.
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
    """All rows. Raises `DataError` with the line where the file is no table."""
    return read_settled(path, settle(path, format_)[0])


def read_settled(path: Path, settled: FileFormat) -> DataFrame:
    """The same of a format that `settle` has filled in."""
    if is_parquet(path):
        with open_parquet(path) as file:
            return file.read().to_pandas()
    with _our_words(settled), _pandas_frames(path, settled) as frame:
        _refuse_short_rows(path, settled, frame)
        return frame


def read_blocks(path: Path, format_: FileFormat, rows: int) -> Iterator[DataFrame]:
    """The same rows, `rows` at a time, in constant memory; the index goes on from block to block.

    Raises `DataError` with the line where the file is no table.
    """
    settled, _ = settle(path, format_)
    if is_parquet(path):
        yield from parquet_blocks(path, rows)
        return
    with _our_words(settled), _pandas_frames(path, settled, chunksize=rows) as frames, frames:
        is_checked = False
        for frame in frames:
            if not is_checked:
                is_checked = _refuse_short_rows(path, settled, frame)
            yield frame


def settle(path: Path, format_: FileFormat) -> tuple[FileFormat, tuple[str, ...]]:
    """The format with encoding, separator and column names filled in, and notes on what was found.

    Raises `DataError` where the file cannot be read, is not text, or its header is no header.
    """
    if is_parquet(path):
        with open_parquet(path) as file:
            names = tuple(map(str, file.schema_arrow.names))
        _refuse_odd_names(names)
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
    """The fields of the first row of a settled file, as they are written."""
    return _first_row(_sample(path, settled), settled)


def _sample(path: Path, format_: FileFormat) -> list[str]:
    """The first lines that are not blank."""
    with path.open(encoding=format_.encoding, newline="") as file:
        lines = (line for line in file if line.strip())
        return list(islice(lines, _SAMPLE_LINES))


def _separator(path: Path, sample: list[str], format_: FileFormat) -> str:
    """What the ending says, or what stands equally often in the first lines, outside quotes."""
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
    """The fields of each row that is not blank, by Python's own reader, which is slow."""
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
        found = f"the first row has {len(first):,} columns, of {MOST_COLUMNS:,} at most"
        raise DataError(f"{found}: is `separator` right?", "file")
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
    _refuse_odd_names(names)
    return names, notes


def _from_header(first: list[str]) -> tuple[tuple[str, ...], list[str]]:
    stripped = [name.strip() for name in first]
    numbers = [name for name in stripped if _is_number(name)]
    if numbers:
        raise DataError(
            f"the first row has the number `{numbers[0]}` where a name should stand: set `header: "
            "false` if it is data, or name the columns by `columns`",
            "file",
        )
    names = tuple(name or f"column {number}" for number, name in enumerate(stripped, start=1))
    unnamed = [name for name, given in zip(names, stripped, strict=True) if not given]
    return names, [f"the header leaves `{name}` without a name" for name in unnamed[:1]]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.lower() not in ("nan", "inf", "infinity")


def _refuse_odd_names(names: tuple[str, ...]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        numbers = [str(number) for number, name in enumerate(names, start=1) if name == twice[0]]
        raise DataError(
            f"the name `{twice[0]}` stands over columns {' and '.join(numbers)}", "file"
        )
    odd = next((name for name in names if not name.isprintable()), None)
    if odd is not None:
        raise DataError(f"the column name {odd!r} has control characters", "file")


@contextmanager
def _pandas_frames(path: Path, format_: FileFormat, **options: Any) -> Iterator[Any]:
    """What pandas reads from a settled file; its warnings are our errors."""
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
def _our_words(format_: FileFormat) -> Iterator[None]:
    """What pandas complains of in a file as one sentence with the line."""
    import pandas as pd

    try:
        yield
    except pd.errors.EmptyDataError:
        raise DataError("the file has no rows", "file") from None
    except pd.errors.ParserWarning:
        width = len(format_.columns)
        raise DataError(
            f"line {1 + format_.header} has more fields than the {width} columns with a name",
            "file",
        ) from None
    except (pd.errors.ParserError, OverflowError, UnicodeError, csv.Error) as error:
        raise DataError(_told(str(error)), "file") from None


def _told(message: str) -> str:
    for pattern, tell in _SAYINGS:
        found = re.search(pattern, message)
        if found:
            return tell(found)
    return f"this is no table: {message.removeprefix('Error tokenizing data. C error: ').strip()}"


_SAYINGS: list[tuple[str, Callable[[re.Match[str]], str]]] = [
    (
        r"Expected (\d+) fields in line (\d+), saw (\d+)",
        lambda found: f"line {found[2]} has {found[3]} fields, the others have {found[1]}",
    ),
    (
        r"EOF inside string starting at row (\d+)",
        lambda found: f"line {int(found[1]) + 1} opens a quote that is never closed",
    ),
]


def _refuse_short_rows(path: Path, format_: FileFormat, frame: DataFrame) -> bool:
    """Raises `DataError` for rows that lack fields, which pandas takes as missing values.

    They lack the last one at least, so that most files need no second look. True if there was one.
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
