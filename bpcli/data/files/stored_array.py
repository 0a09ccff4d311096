"""An array in a .npy file whose rows stay there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bpcli.data.files.array_files import refuse_no_rows
from bpcli.data.files.arrays import no_single_array
from bpcli.data.files.beside import has_sidecar
from bpcli.data.files.dialect import Samples
from bpcli.data.files.frames import naming
from bpcli.data.files.npy_rows import NpyHeader, NpyRows
from bpcli.data.files.splits import FileSplits
from bpcli.data.files.stored_named import stored_named_table
from bpcli.data.files.stored_table import StoredSize, no_autoencoder, stored_table
from bpcli.data.selection import Selector, TargetSelectors, choose
from bpcli.data.table import Table, value_names
from bpcli.data.types import AskedTask, numbered
from bpcli.errors import DataError


@dataclass(frozen=True)
class StoredArraySource:
    """A source like `ArraySource`: its table is the same, but the rows stay in their file."""

    path: Path
    inputs: tuple[Selector, ...] = ("*",)
    targets: TargetSelectors = None
    task: AskedTask | None = None
    splits: FileSplits = field(default_factory=FileSplits)
    layout: Samples | None = None

    def not_streamed(self) -> Iterator[DataError]:
        """Why the rows cannot be streamed: only those of a row-major .npy file can."""
        suffix = self.path.suffix.lower()
        if suffix != ".npy":
            yield DataError(
                f"the arrays of a {suffix} file cannot be streamed: save them as one array in a "
                ".npy file, with the targets as its last columns",
                "file",
            )
        elif NpyHeader.of(self.path).is_by_column:
            yield DataError(
                f"{self.path.name} has its numbers column by column, and only rows can be "
                "streamed: save it again by np.save(path, np.ascontiguousarray(array))",
                "file",
            )
        if self.targets == "same_as_inputs":
            yield no_autoencoder()
        yield from self.splits.not_streamed()

    def size(self) -> StoredSize:
        """The size of the array. Raises `DataError` for a file that is none."""
        header = NpyHeader.of(self.path)
        rows, *others = header.shape or (1,)
        return StoredSize(rows, math.prod(others), header.bytes, 0)

    def table(self) -> Table:
        """The rows. Raises `DataError` with row and column of an invalid value."""
        with naming(self.path):
            if self.layout == "columns":
                raise no_single_array()
            source = NpyRows(self.path, NpyHeader.of(self.path))
            refuse_no_rows(source.header.shape, source.dtype)
            if has_sidecar(self.path):
                return stored_named_table(self.path, source, self.inputs, self.targets, self.task)
            names = numbered("x", source.shape[1])
            inputs, targets = (
                tuple(map(names.index, chosen))
                for chosen in choose(names, self.inputs, self.targets)
            )
            input_names, target_names = numbered("x", len(inputs)), value_names(len(targets))
            return stored_table(
                self.path, source, inputs, targets, input_names, target_names, self.task
            )
