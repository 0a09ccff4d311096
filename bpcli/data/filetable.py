"""A table in a file as a source of data: `data: {file: adult.csv, targets: income}`.

The targets are read at once; the inputs become numbers when the training rows are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from bpcli.data.columns import (
    ColumnRules,
    Encoding,
    Selector,
    class_names_of,
    kind_of,
    select,
    target_labels,
    target_values,
)
from bpcli.data.files import FileFormat, read_frame, settle
from bpcli.data.table import Labels, Table
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

if TYPE_CHECKING:
    from pandas import DataFrame

FileTask: TypeAlias = Literal["classification", "regression"]


@dataclass(frozen=True)
class FileSource:
    """A text file and which of its columns are inputs and targets.

    Without `targets` the last column is the target; without `inputs` all others are inputs.
    Words and booleans are classes; numbers are only where `task` says so.
    """

    path: Path
    format: FileFormat
    rules: ColumnRules
    inputs: tuple[Selector, ...] = ("*",)
    targets: tuple[Selector, ...] | Literal["same_as_inputs"] | None = None
    task: FileTask | None = None

    def table(self, rng: np.random.Generator) -> Table:
        """The rows, with inputs still to be fitted. Raises `DataError` naming column and row."""
        try:
            return self._table()
        except DataError as error:
            raise DataError(_in_file(self.path, str(error)), error.key or "file") from None

    def _table(self) -> Table:
        format_, notes = settle(self.path, self.format)
        text = select(format_.columns, self.rules.categories, "categories")
        frame = read_frame(self.path, replace(format_, text=tuple(text)))
        if not len(frame):
            raise DataError("the file has a header, but no rows")
        targets = self._targets(format_.columns)
        inputs = select(format_.columns, self.inputs, "inputs")
        inputs = [name for name in inputs if name not in targets]
        if not inputs:
            raise DataError("there are no columns left for the inputs", "inputs")
        table = targets_table(frame, targets, self.task)
        unfitted = FrameInputs(self.path, frame, tuple(inputs), targets, self.rules)
        return replace(table, unfitted=unfitted, notes=notes)

    def _targets(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        if self.targets == "same_as_inputs":
            return ()
        if self.targets is None:
            return columns[-1:]
        return tuple(select(columns, self.targets, "targets"))


def targets_table(frame: DataFrame, names: tuple[str, ...], task: FileTask | None) -> Table:
    """A table of targets alone, with no inputs. Raises `DataError` naming column and row."""
    no_inputs = np.empty((len(frame), 0))
    kinds = [kind_of(frame[name], name) for name in names] if task is None else []
    is_words = any(kind != "number" for kind in kinds)
    if task != "classification" and not is_words:
        Y = target_values(frame, names) if names else None
        return Table(no_inputs, Y, target_names=names)
    if len(names) != 1:
        raise DataError(f"classes come from one column, not from {len(names)}", "targets")
    (name,) = names
    classes = class_names_of(frame[name], name)
    labels = target_labels(frame[name], name, classes)
    return Table(no_inputs, labels=labels, class_names=classes)


@dataclass(frozen=True)
class FrameInputs:
    """Columns of a frame that are to become inputs."""

    path: Path
    frame: DataFrame
    names: tuple[str, ...]
    targets: tuple[str, ...]
    rules: ColumnRules

    def fit(self, training: Labels, class_names: tuple[str, ...]) -> Encoding:
        """The encoding of the training rows. Raises `DataError` naming the column."""
        try:
            columns = self.rules.fit(self.frame, training, self.names)
        except DataError as error:
            raise DataError(_in_file(self.path, str(error)), error.key or "file") from None
        return Encoding(tuple(columns), self.targets, class_names)

    def encode(self, encoding: Encoding) -> Array:
        """All rows. Raises `DataError` naming column and row."""
        try:
            return encoding.encode(self.frame)
        except DataError as error:
            raise DataError(_in_file(self.path, str(error)), error.key or "file") from None


def _in_file(path: Path, message: str) -> str:
    """A message that names the file."""
    return message if path.name in message else f"{path.name}: {message}"
