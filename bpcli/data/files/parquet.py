"""Tables in Parquet files, which store the names and types of columns."""

from __future__ import annotations

from collections.abc import Iterator
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
            "Parquet files need an extra: install it by pip install 'bpcli[parquet]'"
        ) from None
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except Exception as error:  # also of the JSON and the text in it
        raise damaged("Parquet", error) from None


def parquet_blocks(path: Path, rows: int) -> Iterator[DataFrame]:
    start = 0
    with open_parquet(path) as file:
        for batch in file.iter_batches(batch_size=rows):
            frame = batch.to_pandas()
            frame.index += start
            start += len(frame)
            yield frame
