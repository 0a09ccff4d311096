"""A table in a Parquet file whose rows stay there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bpcli.data.files.parquet import is_parquet
from bpcli.data.files.splits import FileSplits
from bpcli.data.files.stored_table import StoredSize
from bpcli.data.table import RawTable
from bpcli.errors import DataError


@dataclass(frozen=True)
class StoredParquetSource:
    """A source like `FileSource`: its table is the same, but the rows stay in their file."""

    path: Path
    splits: FileSplits = field(default_factory=FileSplits)

    def not_streamed(self) -> Iterator[DataError]:
        """Why the rows cannot be streamed."""
        if not is_parquet(self.path):
            yield DataError(
                f"the rows of {self.path.name} cannot be streamed, because its numbers are text: "
                f"convert it by `bpnet data convert {self.path.name}`",
                "file",
            )
        yield DataError("Parquet files cannot be streamed", "file")
        yield from self.splits.not_streamed()

    def size(self) -> StoredSize:
        raise NotImplementedError

    def table(self) -> RawTable:
        raise NotImplementedError
