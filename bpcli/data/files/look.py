"""A first look at a file: its format, whether row 1 is a header, the content of its columns.

`bpnet data` and `bpnet init` both use it, so that they agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bpcli.data.description import Description, describe
from bpcli.data.files.arrays import ARRAY_SUFFIXES, ArraySource, load_arrays
from bpcli.data.files.delimited import FileFormat, read_blocks, read_frame, settle
from bpcli.data.types import DataFrame, Series
from bpcli.errors import DataError

_ROWS_FOR_THE_HEADER = 50
_PARQUET = ".parquet"


@dataclass(frozen=True)
class Look:
    """A file's format with the reasons for guesses, and the description of its rows.

    `missing_words` are the entries in the file that mean a missing value. `chooses_columns` is
    false for a file with one array of inputs and one of targets.
    """

    path: Path
    format: FileFormat
    why_header: str
    notes: tuple[str, ...]
    description: Description
    missing_words: tuple[str, ...] = ()
    chooses_columns: bool = True


def look_at(
    path: Path, *, header: bool | None, missing: tuple[str, ...] | None, target: str | None
) -> Look:
    """Read a table and describe it; None is guessed.

    Raises `DataError` if the file is not a table, or has no such target.
    """
    if path.suffix.lower() in ARRAY_SUFFIXES:
        return _look_at_arrays(path, target)
    asked = FileFormat() if missing is None else FileFormat(missing=missing)
    why = "as requested"
    if header is None:
        header, why = guess_header(path, asked)
    format_, notes = settle(path, replace(asked, header=header))
    frame = read_frame(path, format_)
    if not len(frame):
        raise DataError("the file has a header, but no rows", "file")
    missing = _missing_words(path, format_) if frame.isna().any(axis=None) else ()
    return Look(path, format_, why, notes, describe(frame, target), missing)


def _look_at_arrays(path: Path, target: str | None) -> Look:
    """Describe a single array as a table, or two arrays as inputs and target.

    Raises `DataError` for several columns of targets, or another target than requested.
    """
    import pandas as pd

    table = ArraySource(path).table(np.random.default_rng())
    is_table = len(load_arrays(path)) == 1
    name = f"x{table.X.shape[1] + 1}" if is_table else "y"
    frame = pd.DataFrame(table.X[:], columns=list(table.input_names))
    if table.labels is not None:
        frame[name] = np.array(table.class_names)[table.labels]
    elif table.Y is not None and table.Y.shape[1] == 1:
        frame[name] = table.Y[:, 0]
    else:
        raise DataError("the targets are not one column: write the config by hand")
    if not is_table and target not in (None, name):
        raise DataError(f"the target is the array of targets, `{name}`, not `{target}`")
    return Look(path, FileFormat(), "", (), describe(frame, target), chooses_columns=is_table)


def is_text(path: Path) -> bool:
    return path.suffix.lower() not in (*ARRAY_SUFFIXES, _PARQUET)


def guess_header(path: Path, format_: FileFormat) -> tuple[bool, str]:
    """Whether row 1 is a header, and why.

    It is if it has no number, and either stands above numbers, or has text that no row below
    repeats.
    """
    if not is_text(path):
        return True, "the file stores names"
    without = replace(format_, header=False, columns=())
    try:
        frame = next(read_blocks(path, without, _ROWS_FOR_THE_HEADER))
    except DataError:  # reported later with the row number, which a header changes
        return _may_be_names(path, format_), "by row 1 alone"
    return _names_the_columns(frame)


def _may_be_names(path: Path, format_: FileFormat) -> bool:
    try:
        settle(path, replace(format_, header=True))
    except DataError:
        return False
    return True


def _names_the_columns(frame: DataFrame) -> tuple[bool, str]:
    first = _numbers(frame.iloc[0])
    if not np.isnan(first).all():
        index = int(np.argmax(~np.isnan(first)))
        return False, f"row 1 has a number, {str(frame.iat[0, index]).strip()}"
    if len(frame) > 1 and any(_is_mostly_numbers(frame.iloc[1:, i]) for i in range(len(first))):
        return True, "row 1 has text above numbers"
    for index in range(len(first)):
        column = frame.iloc[:, index]
        if (column.iloc[1:] == column.iloc[0]).any():
            return False, f"row 1 has text that is repeated below, {column.iloc[0]}"
    return True, "row 1 has text that is not repeated below"


def _numbers(values: Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    import pandas as pd

    numbers = pd.to_numeric(values.astype(object), errors="coerce")
    return np.asarray(numbers, np.float64)


def _is_mostly_numbers(values: Series) -> bool:
    known = int(values.notna().sum())
    return 0 < known < 2 * int((~np.isnan(_numbers(values))).sum())


def _missing_words(path: Path, format_: FileFormat) -> tuple[str, ...]:
    if not is_text(path):
        return ()
    frame = read_frame(path, replace(format_, missing=()))
    texts = frame.select_dtypes(exclude="number")
    return tuple(text for text in format_.missing if (texts == text).any(axis=None))
