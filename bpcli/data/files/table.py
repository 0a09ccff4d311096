"""A table in a file as a source of data: `data: {file: adult.csv, targets: income}`.

The targets are encoded at once; the inputs are encoded when the training rows are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.column_rules import ColumnRules
from bpcli.data.columns import FeatureEncoder
from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.splits import FileSplits, notes_on_splits, splits_of_column
from bpcli.data.selection import Selector, Targets, choose, require, select
from bpcli.data.table import Table
from bpcli.data.targets import class_names_of, target_labels, target_values, weights_of
from bpcli.data.types import DataFrame, Labels, SplitName
from bpcli.data.values import kind_of
from bpcli.errors import DataError, see
from bpcli.nn.arrays import Array

FileTask: TypeAlias = Literal["classification", "regression"]


@dataclass(frozen=True)
class FileSource:
    """A text file, with its columns of inputs and targets.

    By default the last column is the target, and all others are inputs. Text and booleans are
    classes; numbers are classes only if `task` says so.
    """

    path: Path
    dialect: Dialect
    rules: ColumnRules
    inputs: tuple[Selector, ...] = ("*",)
    targets: Targets = None
    task: FileTask | None = None
    splits: FileSplits = field(default_factory=FileSplits)
    weight: str | None = None

    def table(self, rng: np.random.Generator) -> Table:
        """The rows, with inputs yet to be fitted. Raises `DataError` naming column and row."""
        _, *others = self.splits.paths(self.path)
        with naming(self.path):
            layout = layout_of(self.path, self.dialect)
            columns = layout.dialect.columns
            text = (*layout.dialect.text, *select(columns, self.rules.categories, "categories"))
            frame, notes = read(replace(layout, dialect=replace(layout.dialect, text=text)))
            _refuse_no_rows(frame)
            inputs, targets, split = self._choose(columns)
        used = (*inputs, *targets)
        other_frames, other_notes = self._other_frames(others, frame, used, text)
        frames = {self.path: frame, **other_frames}
        table = self._weighted(targets_table(frames, targets, self.task), frames)
        rules = replace(self.rules, categories=text)
        unfitted = FrameInputs(frames, inputs, targets, rules)
        splits = self._splits(frames, split)
        notes = (*notes, *other_notes, *notes_on_splits(splits, len(table)))
        return replace(table, unfitted=unfitted, splits=splits, notes=notes)

    def _choose(
        self, columns: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...], str | None]:
        """The names of inputs and targets, and of the column that defines the splits, if any."""
        split = select(columns, (self.splits.column,), "split") if self.splits.column else []
        weight = [] if self.weight is None else select(columns, (self.weight,), "weight")
        inputs, targets = choose(columns, self.inputs, self.targets, (*split, *weight))
        if self.weight in targets:
            raise DataError(f"column `{self.weight}` is already a target", "weight")
        return tuple(inputs), tuple(targets), split[0] if split else None

    def _weighted(self, table: Table, frames: Mapping[Path, DataFrame]) -> Table:
        weight = self.weight
        if weight is None:
            return table
        return replace(
            table, weight=_each(frames, lambda frame: weights_of(frame, weight), "weight")
        )

    def _other_frames(
        self, paths: list[Path], frame: DataFrame, used: tuple[str, ...], text: tuple[str, ...]
    ) -> tuple[dict[Path, DataFrame], list[str]]:
        """The files of other splits, with columns read as in the first file; and notes on them."""
        frames: dict[Path, DataFrame] = {}
        notes: list[str] = []
        if not paths:
            return frames, notes
        with naming(self.path):
            categorical = [name for name in used if kind_of(frame[name], name) == "category"]
        dialect = replace(self.dialect, text=(*text, *categorical))
        for path in paths:
            with naming(path, "split"):
                frames[path], more = read(layout_of(path, dialect))
                _refuse_no_rows(frames[path])
                require(frames[path].columns, used)
            notes += more
        return frames, notes

    def _splits(self, frames: dict[Path, DataFrame], name: str | None) -> dict[SplitName, Labels]:
        if name is not None and not self.splits.files:
            with naming(self.path, "split"):
                return splits_of_column(frames[self.path][name], name)
        return self.splits.rows(self.path, {path: len(frame) for path, frame in frames.items()})


def _refuse_no_rows(frame: DataFrame) -> None:
    if not len(frame):
        raise DataError(f"the file has a header, but no rows{see('header')}")


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
    Y = _each(frames, lambda frame: target_values(frame, names))
    return Table(no_inputs, Y, target_names=names)


def _classes(frames: Mapping[Path, DataFrame], name: str, no_inputs: Array) -> Table:
    classes = class_names_of([frame[name] for frame in frames.values()], name)
    labels = _each(frames, lambda frame: target_labels(frame[name], name, classes))
    return Table(no_inputs, labels=labels, class_names=classes)


def _each(
    frames: Mapping[Path, DataFrame], read: Callable[[DataFrame], Array], key: str = "file"
) -> Array:
    """What is read of each file, one below the other; an error names its file."""
    pieces = []
    for path, frame in frames.items():
        with naming(path, key):
            pieces.append(read(frame))
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


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

        first, *others = self.frames.values()
        if not others:
            return first
        categorical = first.select_dtypes("category").columns
        return pd.concat([first, *others]).astype(dict.fromkeys(categorical, "category"))

    def encode(self, encoder: FeatureEncoder) -> Array:
        """All rows. Raises `DataError` naming file, column and row."""
        return _each(self.frames, encoder.encode)
