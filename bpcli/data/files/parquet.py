"""Tables in Parquet files, which store the names and types of columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bpcli.data.files.regular import damaged, require_regular
from bpcli.data.types import DataFrame
from bpcli.errors import DataError


def is_parquet(path: Path) -> bool:
    """Whether the suffix is that of Parquet."""
    return path.suffix.lower() == ".parquet"


@contextmanager
def open_parquet(path: Path) -> Iterator[Any]:
    """The open file. Raises `DataError` if it is damaged or pyarrow is not installed."""
    require_regular(path)
    try:
        from pyarrow import parquet
    except ImportError:
        raise DataError(
            'Parquet files need an extra package: install it with pip install "bpcli[parquet]"'
        ) from None
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except DataError:
        raise
    except Exception as error:  # also for the JSON and the text in it
        raise damaged("Parquet", error) from None


def stored_as_categories(path: Path) -> list[str]:
    """The columns that the file stores as categories, although they may look like numbers."""
    from pyarrow import types

    with open_parquet(path) as file:
        return [str(each.name) for each in file.schema_arrow if types.is_dictionary(each.type)]


def parquet_blocks(path: Path, rows: int) -> Iterator[DataFrame]:
    """All rows, `rows` at a time; the index continues from block to block."""
    start = 0
    with open_parquet(path) as file:
        for batch in file.iter_batches(batch_size=rows):
            frame = batch.to_pandas()
            frame.index += start
            start += len(frame)
            yield frame


def parquet_texts(path: Path, rows: int, columns: Sequence[str]) -> Iterator[DataFrame]:
    """Some columns as text, in the blocks of `parquet_blocks`; a missing value is empty.

    Raises `DataError` for a column of lists, or of other values that are not text.
    """
    import pandas as pd

    start = 0
    with open_parquet(path) as file:
        for batch in file.iter_batches(batch_size=rows):  # all columns, for the same blocks
            index = pd.RangeIndex(start, start := start + len(batch))
            texts = {name: _texts(batch.column(name), name) for name in columns}
            yield pd.DataFrame(texts, index)


def _texts(values: Any, name: str) -> list[str]:
    import pyarrow as pa

    try:
        cells = values.cast(pa.string()).to_pylist()
    except (pa.ArrowException, UnicodeError):
        message = f"column `{name}` has type {values.type}, which cannot be written as text"
        raise DataError(message) from None
    return ["" if cell is None else _WHOLE_SECOND.sub("", cell) for cell in cells]


_WHOLE_SECOND = re.compile(r"(?<=:\d\d)\.0+$")
