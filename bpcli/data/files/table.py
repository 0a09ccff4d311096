"""A table in a file as a source of data: `data: {file: adult.csv, targets: income}`.

The targets are encoded at once; the inputs are encoded when the training rows are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bpcli.data.column_rules import ColumnRules
from bpcli.data.files.delimited import layout_of, read, refuse_no_rows
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.file_table import FileTable
from bpcli.data.files.frames import naming, read_each, read_joined, rows_in
from bpcli.data.files.splits import FileSplits, notes_on_splits, splits_of_column
from bpcli.data.row_order import order_of
from bpcli.data.selection import Selector, TargetSelectors, choose, require, select
from bpcli.data.spellings import PLAIN, PLAIN_ALL, Spelling, Spellings
from bpcli.data.table import (
    Classes,
    MultiLabels,
    Targets,
    Values,
)
from bpcli.data.targets import (
    classes_in,
    label_values,
    rows_with_targets,
    sorted_classes,
    target_labels,
    target_values,
    weights_of,
    words_of_labels,
)
from bpcli.data.types import AskedTask, DataFrame, Labels, SplitName
from bpcli.data.values import kind_of
from bpcli.errors import DataError
from bpcli.nn.arrays import Array


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
    targets: TargetSelectors = None
    task: AskedTask | None = None
    splits: FileSplits = field(default_factory=FileSplits)
    weight: str | None = None
    order_by: Selector | None = None

    def table(self, rng: np.random.Generator) -> FileTable:
        """The rows that have targets. Raises `DataError` naming column and row."""
        _, *others = self.splits.paths(self.path)
        with naming(self.path):
            layout = layout_of(self.path, self.dialect)
            columns = layout.dialect.columns
            text = (*layout.dialect.text, *select(columns, self.rules.categories, "categories"))
            frame, notes = read(replace(layout, dialect=replace(layout.dialect, text=text)))
            refuse_no_rows(frame)
            inputs, targets, split = self._choose(columns)
        used = (*inputs, *targets)
        other_frames, other_notes = self._other_frames(others, frame, used, text)
        files = {self.path: frame, **other_frames}
        frames, more = _with_targets(files, targets)
        splits = self._splits(frames, split, rows=_last_number(frame))
        order, order_notes = self._order(frames, inputs)
        spellings = self.rules.spellings(columns)
        read_targets = targets_of(frames, targets, self.task, spellings)
        are_words = isinstance(read_targets, Classes | MultiLabels)
        return FileTable(
            targets=read_targets,
            target_spellings={
                name: spellings.get(name, PLAIN) for name in (targets if are_words else ())
            },
            splits=splits,
            notes=(
                *notes,
                *other_notes,
                *more,
                *notes_on_splits(splits, rows_in(frames)),
                *order_notes,
            ),
            weight=self._weights(frames),
            order=order,
            row_numbers=numbers_in_a_row(
                {path: row_numbers(each) for path, each in frames.items()},
                {path: _last_number(each) for path, each in files.items()},
            ),
            frames=frames,
            inputs=inputs,
            target_columns=targets,
            rules=replace(self.rules, categories=text, date_format=self.dialect.date_format),
        )

    def _choose(
        self, columns: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...], str | None]:
        """The names of inputs and targets, and of the column that defines the splits, if any."""
        split = select(columns, (self.splits.column,), "split") if self.splits.column else []
        weight = [] if self.weight is None else select(columns, (self.weight,), "weight")
        inputs, targets = choose(columns, self.inputs, self.targets, (*split, *weight))
        if self.weight in targets:
            raise DataError(
                f"column `{self.weight}` is a target: choose another `weight`", "weight"
            )
        return tuple(inputs), tuple(targets), split[0] if split else None

    def _order(
        self, frames: Mapping[Path, DataFrame], inputs: tuple[str, ...]
    ) -> tuple[Array | None, list[str]]:
        """The numbers (n,) that sort the rows of the first file, and notes on the column.

        Other files are splits of their own: their rows have NaN. An input has its own notes.
        """
        if self.order_by is None:
            return None, []
        with naming(self.path, "split"):
            names = select([*frames[self.path]], (self.order_by,), "split")
            if len(names) > 1:
                raise DataError(f"`order_by` takes one column, but found {len(names)}", "split")
            own, notes = order_of(frames[self.path][names[0]], self.dialect.date_format)
        order = np.full(rows_in(frames), np.nan)
        order[: len(own)] = own
        return order, [] if names[0] in inputs else notes

    def _weights(self, frames: Mapping[Path, DataFrame]) -> Array | None:
        weight = self.weight
        if weight is None:
            return None
        return read_joined(frames, lambda frame: weights_of(frame, weight), "weight")

    def _other_frames(
        self, paths: list[Path], frame: DataFrame, used: tuple[str, ...], text: tuple[str, ...]
    ) -> tuple[dict[Path, DataFrame], list[str]]:
        """The files of other splits, with columns read as in the first file; and notes on them."""
        frames: dict[Path, DataFrame] = {}
        notes: list[str] = []
        if not paths:
            return frames, notes
        with naming(self.path):
            kinds = {name: kind_of(frame[name], name) for name in used}
        texts = (name for name, kind in kinds.items() if kind in ("category", "date"))
        dialect = replace(self.dialect, text=(*text, *texts))
        for path in paths:
            with naming(path, "split"):
                frames[path], more = read(layout_of(path, dialect))
                refuse_no_rows(frames[path])
                require(frames[path].columns, used)
            notes += more
        return frames, notes

    def _splits(
        self, frames: dict[Path, DataFrame], column: str | None, rows: int
    ) -> dict[SplitName, Labels]:
        if column is not None and not self.splits.files:
            with naming(self.path, "split"):
                return splits_of_column(frames[self.path][column], column)
        numbers = {path: row_numbers(frame) for path, frame in frames.items()}
        return self.splits.rows(self.path, numbers, rows)


def _with_targets(
    files: Mapping[Path, DataFrame], names: tuple[str, ...]
) -> tuple[dict[Path, DataFrame], list[str]]:
    """The rows of each file that have a value of every target, and notes on the others."""
    results = read_each(files, lambda frame: rows_with_targets(frame, names))
    frames = {path: frame for path, (frame, _) in zip(files, results, strict=True)}
    said = [
        f"{path.name}: {note}"
        for path, (_, notes) in zip(files, results, strict=True)
        for note in notes
    ]
    return frames, said


def row_numbers(frame: DataFrame) -> Labels:
    """The numbers of the rows in their file, from 1; blank rows between them count."""
    return np.asarray(frame.index) + 1


def _last_number(frame: DataFrame) -> int:
    return int(row_numbers(frame)[-1])


def numbers_in_a_row(numbers: Mapping[Path, Labels], counts: Mapping[Path, int]) -> Labels:
    """The numbers of rows, from 1, which continue from file to file.

    `numbers` are the numbers of the used rows of each file, which has `counts` rows in total.
    """
    before = np.cumsum([0, *counts.values()])
    return np.concatenate(
        [own + start for own, start in zip(numbers.values(), before, strict=False)]
    )


def targets_of(
    frames: Mapping[Path, DataFrame],
    names: tuple[str, ...],
    task: AskedTask | None,
    spellings: Spellings = PLAIN_ALL,
) -> Targets:
    """The targets in some columns of files. Raises `DataError` naming column and row."""
    path, first = next(iter(frames.items()))
    if not names:
        return None
    with naming(path):
        kinds = [kind_of(first[name], name) for name in names] if task is None else []
        if "date" in kinds:
            name = names[kinds.index("date")]
            raise DataError(f"column `{name}` contains dates, which cannot be targets", "targets")
    if task == "multilabel":
        return _labels(frames, names, spellings)
    if task == "classification" or any(kind != "number" for kind in kinds):
        if len(names) != 1:
            raise DataError(
                f"found {len(names)} target columns, expected one for classes; for labels, of "
                "which a row may have any number, set `task: multilabel`",
                "targets",
            )
        return _classes(frames, names[0], spellings.get(names[0], PLAIN))
    return Values(read_joined(frames, lambda frame: target_values(frame, names)), names)


def _classes(frames: Mapping[Path, DataFrame], name: str, spelling: Spelling) -> Classes:
    by_file = read_each(frames, lambda frame: classes_in(frame[name], name))
    classes = sorted_classes(by_file, name, spelling)
    labels = read_joined(frames, lambda frame: target_labels(frame[name], name, classes, spelling))
    return Classes(labels, classes)


def _labels(
    frames: Mapping[Path, DataFrame], names: tuple[str, ...], spellings: Spellings
) -> MultiLabels:
    with naming(next(iter(frames))):
        words = words_of_labels([*frames.values()], names, spellings)
    Y = read_joined(frames, lambda frame: label_values(frame, names, words, spellings))
    return MultiLabels(Y, names, words)
