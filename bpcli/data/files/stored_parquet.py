"""A table in a Parquet file whose rows stay there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.data.column_rules import ColumnRules
from bpcli.data.column_statistics import Pieces
from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.files.frames import naming
from bpcli.data.files.notes_on_inputs import first_notes, note_on_constants, without_constants
from bpcli.data.files.parquet import is_parquet
from bpcli.data.files.parquet_rows import ParquetHeader, ParquetRows, type_of
from bpcli.data.files.sniff import require_valid_names
from bpcli.data.files.splits import FileSplits
from bpcli.data.files.stored_table import StoredSize, no_autoencoder, stored_table
from bpcli.data.medians import medians
from bpcli.data.row_index import RowIndex
from bpcli.data.selection import Selector, TargetSelectors, choose
from bpcli.data.sentinels import sentinels_of
from bpcli.data.stored_rows import StoredColumns
from bpcli.data.table import RawTable, Table
from bpcli.data.types import AskedTask
from bpcli.errors import DataError
from bpcli.text import listed_names, plural

_RULES = ("fill", "indicator", "categories", "calendar", "casefold", "rename", "date_format")
_BYTES_PER_NUMBER = 16
"""Of a table in memory: as it is read, and as inputs."""

_NUMBERS_TO_LOOK_AT = 2**21


@dataclass(frozen=True)
class StoredParquetSource:
    """A source like `FileSource`: its table is the same, but the rows stay in their file."""

    path: Path
    rules: ColumnRules
    inputs: tuple[Selector, ...] = ("*",)
    targets: TargetSelectors = None
    task: AskedTask | None = None
    splits: FileSplits = field(default_factory=FileSplits)

    def not_streamed(self) -> Iterator[DataError]:
        """Why the rows cannot be streamed: only numbers and booleans of Parquet files can."""
        if not is_parquet(self.path):
            yield DataError(
                f"the rows of {self.path.name} cannot be streamed, because its numbers are text: "
                f"convert it by `bpnet data convert {self.path.name}`",
                "file",
            )
        elif self.targets == "same_as_inputs":
            yield no_autoencoder()
        else:
            yield from self._not_numbers()
        for key in _RULES:
            if getattr(self.rules, key):
                yield DataError(
                    f"`{key}` needs all rows: remove this key, or use `training.engine: memory`",
                    key,
                )
        yield from self.splits.not_streamed()

    def _not_numbers(self) -> Iterator[DataError]:
        header = self._header()
        types = dict(zip(header.names, header.types, strict=True))
        for key, names in zip(("inputs", "targets"), self._chosen(header), strict=True):
            others = [name for name in names if type_of(types[name]) is None]
            if others:
                kinds = ", ".join(dict.fromkeys(types[name] for name in others))
                yield DataError(
                    f"only numbers and booleans can be streamed, but {self.path.name} has {kinds} "
                    f"in {plural(len(others), 'column')}, {listed_names(others)}: choose other "
                    f"`{key}`, or use `training.engine: memory`",
                    key,
                )

    def _header(self) -> ParquetHeader:
        with naming(self.path):
            header = ParquetHeader.of(self.path)
            require_valid_names(header.names)
        return header

    def _chosen(self, header: ParquetHeader) -> tuple[list[str], list[str]]:
        with naming(self.path):
            return choose(header.names, self.inputs, self.targets)

    def size(self) -> StoredSize:
        """The size of the table. Raises `DataError` for a file that is none."""
        header = self._header()
        columns = sum(map(len, self._chosen(header)))
        loaded = header.rows * columns * _BYTES_PER_NUMBER
        return StoredSize(header.rows, columns, sum(header.bytes), loaded)

    def table(self) -> RawTable:
        """The rows. Raises `DataError` with row and column of an invalid value."""
        header = self._header()
        inputs, targets = self._chosen(header)
        with naming(self.path):
            if not header.rows:
                raise DataError("the file has no rows", "file")
            source = ParquetRows(self.path, header, (*inputs, *targets))
            types = {
                name: type_of(stored)
                for name, stored in zip(header.names, header.types, strict=True)
            }
            places = tuple(range(len(source.names)))
            table = stored_table(
                self.path,
                source,
                places[: len(inputs)],
                places[len(inputs) :],
                tuple(inputs),
                tuple(targets),
                self.task,
                [types[name] for name in targets],
            )
        booleans = frozenset(name for name in inputs if types[name] == np.bool_)
        return StoredParquetTable(
            targets=table.targets,
            notes=table.notes,
            path=self.path,
            X=table.X,
            inputs=tuple(inputs),
            target_columns=tuple(targets),
            booleans=booleans,
            file_columns=header.names,
        )


@dataclass(frozen=True, kw_only=True)
class StoredParquetTable(RawTable):
    """Rows of a Parquet file whose columns X are not yet inputs."""

    path: Path
    X: Any
    inputs: tuple[str, ...]
    target_columns: tuple[str, ...]
    booleans: frozenset[str]
    file_columns: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.X)

    @property
    def is_stored(self) -> bool:
        return True

    def fit(
        self,
        training: RowIndex,
        encoder: FeatureEncoder | None = None,
        *,
        keeps_constants: bool = True,
    ) -> Table:
        """Choose the inputs, which are columns of numbers. Raises `DataError` if all are equal."""
        said: list[str] = []
        if encoder is None:
            encoder = self._fitted(training)
            if not keeps_constants:
                fitted, encoder = encoder, without_constants(encoder, self.X, training)
                said = [note_on_constants(fitted, encoder)] if encoder != fitted else []
            said += self._notes_on_columns(encoder)
        places = tuple(self.inputs.index(column.name) for column in encoder.inputs)
        return Table(
            StoredColumns(self.X.source, places),
            encoder.names,
            encoder,
            targets=self.targets,
            notes=(*self.notes, *said),
        )

    def _fitted(self, training: RowIndex) -> FeatureEncoder:
        """The encoder; its fills, for missing values in later rows, are medians or modes."""
        fills = self._fills(training)
        columns = tuple(
            InputColumn(name, "boolean" if name in self.booleans else "number", fill=fill)
            for name, fill in zip(self.inputs, fills, strict=True)
        )
        return FeatureEncoder(columns, self.target_columns, self.class_names, self.file_columns, {})

    def _fills(self, training: RowIndex) -> list[float | None]:
        if not len(training):
            return [None] * len(self.inputs)
        shape = (len(training), len(self.inputs))
        middle = medians(Pieces(shape, lambda where: self.X[training[where]]))
        # Of as many ones as zeros, the median is ½, and the first of the most frequent values is 0.
        return [
            float(value == 1) if name in self.booleans else value
            for name, value in zip(self.inputs, middle.tolist(), strict=True)
        ]

    def _notes_on_columns(self, encoder: FeatureEncoder) -> Iterator[str]:
        """Notes on numbers far from all others, in some evenly spaced rows."""
        numbers = [name for name in encoder.names if name not in self.booleans]
        step = -(-len(self) * len(self.inputs) // _NUMBERS_TO_LOOK_AT)
        some = np.arange(0, len(self), step)
        X = self.X[some][:, [self.inputs.index(name) for name in numbers]]
        of_some = f" (of {len(some):,} rows that were looked at)" * (step > 1)
        said = [f"{note}{of_some}" for note in sentinels_of(X, numbers)]
        yield from first_notes(said, "a number far from all others")
