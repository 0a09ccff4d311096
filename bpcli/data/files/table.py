"""A table in a file as a source of data: `data: {file: adult.csv, targets: income}`.

The targets are encoded at once; the inputs are encoded when the training rows are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from bpcli.data.column_rules import ColumnRules
from bpcli.data.columns import FeatureEncoder
from bpcli.data.files.delimited import FileFormat, read_frame, read_settled, settle
from bpcli.data.files.splits import (
    FileSplits,
    notes_on_splits,
    require_distinct,
    splits_of_column,
    splits_of_files,
    splits_of_index,
)
from bpcli.data.selection import Selector, require, select
from bpcli.data.table import Table
from bpcli.data.targets import class_names_of, target_labels, target_values, weights_of
from bpcli.data.types import Labels, SplitName
from bpcli.data.values import kind_of
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

if TYPE_CHECKING:
    from pandas import DataFrame

FileTask: TypeAlias = Literal["classification", "regression"]


@dataclass(frozen=True)
class FileSource:
    """A text file, with its columns of inputs and targets.

    By default the last column is the target, and all others are inputs. Text and booleans are
    classes; numbers are classes only if `task` says so.
    """

    path: Path
    format: FileFormat
    rules: ColumnRules
    inputs: tuple[Selector, ...] = ("*",)
    targets: tuple[Selector, ...] | Literal["same_as_inputs"] | None = None
    task: FileTask | None = None
    splits: FileSplits = field(default_factory=FileSplits)
    weight: str | None = None

    def table(self, rng: np.random.Generator) -> Table:
        """The rows, with inputs yet to be fitted. Raises `DataError` naming column and row."""
        require_distinct(self.path, self.splits.files)
        with naming(self.path):
            format_, notes = settle(self.path, self.format)
            text = select(format_.columns, self.rules.categories, "categories")
            frame = read_settled(self.path, replace(format_, text=tuple(text)))
            _refuse_no_rows(frame)
            chosen = self._choose(format_.columns)
        frames = {self.path: frame, **self._other_frames(frame, chosen, text)}
        table = self._weighted(targets_table(frames, chosen.targets, self.task), frames)
        unfitted = FrameInputs(frames, chosen.inputs, chosen.targets, self.rules)
        splits = self._splits(frames, chosen)
        notes = (*notes, *notes_on_splits(splits, len(table)))
        return replace(table, unfitted=unfitted, splits=splits, notes=notes)

    def _choose(self, columns: tuple[str, ...]) -> _Chosen:
        split = select(columns, (self.splits.column,), "split") if self.splits.column else []
        weight = [] if self.weight is None else select(columns, (self.weight,), "weight")
        left = [name for name in columns if name not in (*split, *weight)]
        if self.targets == "same_as_inputs":
            targets = []
        elif self.targets is None:
            targets = left[-1:]
        else:
            targets = select(columns, self.targets, "targets")
        inputs = select(columns, self.inputs, "inputs")
        inputs = [name for name in inputs if name not in (*targets, *split, *weight)]
        if not inputs:
            raise DataError("no columns are left for the inputs", "inputs")
        if self.weight in targets:
            raise DataError(f"column `{self.weight}` is already a target", "weight")
        return _Chosen(tuple(inputs), tuple(targets), split[0] if split else None)

    def _weighted(self, table: Table, frames: Mapping[Path, DataFrame]) -> Table:
        if self.weight is None:
            return table
        pieces = []
        for path, frame in frames.items():
            with naming(path, "weight"):
                pieces.append(weights_of(frame, self.weight))
        return replace(table, weight=np.concatenate(pieces))

    def _other_frames(
        self, frame: DataFrame, chosen: _Chosen, text: list[str]
    ) -> dict[Path, DataFrame]:
        """The files of other splits, with columns read as in the first file."""
        if not self.splits.files:
            return {}
        used = (*chosen.inputs, *chosen.targets)
        with naming(self.path):
            categorical = [name for name in used if kind_of(frame[name], name) == "category"]
        format_ = replace(self.format, text=(*text, *categorical))
        frames = {}
        for path in self.splits.files.values():
            with naming(path, "split"):
                frames[path] = read_frame(path, format_)
                _refuse_no_rows(frames[path])
                require(frames[path].columns, used)
        return frames

    def _splits(self, frames: dict[Path, DataFrame], chosen: _Chosen) -> dict[SplitName, Labels]:
        frame = frames[self.path]
        if self.splits.files:
            sizes = {split: len(frames[path]) for split, path in self.splits.files.items()}
            return splits_of_files({"train": len(frame), **sizes})
        if chosen.split is not None:
            with naming(self.path, "split"):
                return splits_of_column(frame[chosen.split], chosen.split)
        return splits_of_index(self.splits.index, len(frame))


class _Chosen(NamedTuple):
    """The names of the columns in use."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    split: str | None


def _refuse_no_rows(frame: DataFrame) -> None:
    if not len(frame):
        raise DataError("the file has a header, but no rows")


@contextmanager
def naming(path: Path, key: str = "file") -> Iterator[None]:
    """Add the file's name, and the key that names the file, to a `DataError`."""
    try:
        yield
    except DataError as error:
        message = str(error)
        if path.name not in message:
            message = f"{path.name}: {message}"
        is_of_another_key = error.key not in (None, "file")
        raise DataError(message, error.key if is_of_another_key else key) from None


def targets_table(
    frames: Mapping[Path, DataFrame], names: tuple[str, ...], task: FileTask | None
) -> Table:
    """A table of targets without inputs. Raises `DataError` naming column and row."""
    first = next(iter(frames.values()))
    no_inputs = np.empty((sum(map(len, frames.values())), 0))
    if not names:
        return Table(no_inputs)
    with naming(next(iter(frames))):
        kinds = [kind_of(first[name], name) for name in names] if task is None else []
    if task == "classification" or any(kind != "number" for kind in kinds):
        if len(names) != 1:
            message = f"found {len(names)} target columns, expected one for classes"
            raise DataError(message, "targets")
        return _classes(frames, names[0], no_inputs)
    pieces = []
    for path, frame in frames.items():
        with naming(path):
            pieces.append(target_values(frame, names))
    return Table(no_inputs, np.concatenate(pieces), target_names=names)


def _classes(frames: Mapping[Path, DataFrame], name: str, no_inputs: Array) -> Table:
    classes = class_names_of([frame[name] for frame in frames.values()], name)
    pieces = []
    for path, frame in frames.items():
        with naming(path):
            pieces.append(target_labels(frame[name], name, classes))
    return Table(no_inputs, labels=np.concatenate(pieces), class_names=classes)


@dataclass(frozen=True)
class FrameInputs:
    """Columns of one or several files, not yet encoded as inputs."""

    frames: Mapping[Path, DataFrame]
    names: tuple[str, ...]
    targets: tuple[str, ...]
    rules: ColumnRules

    def fit(self, training: Labels, class_names: tuple[str, ...]) -> FeatureEncoder:
        """The encoder of the training rows. Raises `DataError` naming the column."""
        frame = self._concatenated()
        with naming(next(iter(self.frames))):
            columns = self.rules.fit(frame, training, self.names)
        return FeatureEncoder(tuple(columns), self.targets, class_names, tuple(frame.columns))

    def _concatenated(self) -> DataFrame:
        import pandas as pd

        frames = list(self.frames.values())
        return frames[0] if len(frames) == 1 else pd.concat(frames)

    def encode(self, encoder: FeatureEncoder) -> Array:
        """All rows. Raises `DataError` naming file, column and row."""
        pieces = []
        for path, frame in self.frames.items():
            with naming(path):
                pieces.append(encoder.encode(frame))
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
