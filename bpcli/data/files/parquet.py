"""Tables in Parquet files, which store the names and types of columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bpcli.data.files.regular import require_regular
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
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise DataError(
            "Parquet files need an extra: install it by pip install 'bpcli[parquet]'"
        ) from None
    try:
        with ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        message = str(error).splitlines()[0]
        raise DataError(f"this is not a Parquet file, or damaged: {message}") from None


def parquet_blocks(path: Path, rows: int) -> Iterator[DataFrame]:
    start = 0
    with open_parquet(path) as file:
        for batch in file.iter_batches(batch_size=rows):
            frame = batch.to_pandas()
            frame.index += start
            start += len(frame)
            yield frame
