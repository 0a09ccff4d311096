"""The numbers of a converted table: which columns it has, and its rows from cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import BinaryIO, Literal, TypeAlias

import numpy as np

from bpcli.data.column_rules import refuse_equal_names
from bpcli.data.columns import InputColumn
from bpcli.data.conversion.columns import (
    Column,
    Encoded,
    classes_of,
    codes_of,
    decided,
    encoding_of,
)
from bpcli.data.conversion.kept import KeptRows, Read, Summary, is_exact
from bpcli.data.conversion.store import means, medians
from bpcli.data.files.sniff import MOST_COLUMNS
from bpcli.data.labels import label_words
from bpcli.data.tally import Tally
from bpcli.data.types import Labels
from bpcli.errors import DataError
from bpcli.nn.arrays import Array
from bpcli.text import listed, plural

Fill: TypeAlias = Literal["mean", "median", "zero"]
Precision: TypeAlias = Literal["float32", "float64"]

_MOST_NAMED = 5
_EXACT = 1e-7
"""A number that float32 changes by more than this share of it is counted."""


class WrongChoice(DataError):
    """The rows that were read cannot be converted as chosen, but could be with other `Choices`."""

    chapter = "large-data"


class Gaps(WrongChoice):
    """Inputs have missing values, and no replacement was specified."""


@dataclass(frozen=True)
class Choices:
    """What the user asks of the numbers: a fill for missing values, or to drop their rows.

    `indicator` adds an input that is 1 where a value was missing. Inputs in the columns `many` are
    categories, of which there may be more than usual. Without `dtype`, it is the smaller one that
    loses nothing.
    """

    fill: Fill | None = None
    indicator: bool = False
    drop_missing: bool = False
    many: tuple[str, ...] = ()
    dtype: Precision | None = None


@dataclass(frozen=True)
class Target:
    """A column of targets; with `classes`, the numbers are their indices."""

    column: Column
    classes: tuple[str, ...] = ()

    @cached_property
    def _index_of_text(self) -> Labels:
        return self.column.indices(self.classes)

    def numbers(self, cells: Array) -> Array:
        """The numbers of cells (n,)."""
        if not self.classes:
            return self.column.numbers(cells)
        return self._index_of_text[codes_of(cells)].astype(np.float64)


@dataclass(frozen=True)
class ConvertedTable:
    """A table whose columns are known; `write` makes its rows of numbers, inputs before targets.

    `notes` say what was dropped, filled and guessed.
    """

    kept: KeptRows
    inputs: tuple[Encoded, ...]
    targets: tuple[Target, ...]
    rows: int
    dtype: Precision
    why_dtype: str
    notes: tuple[str, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        names = (name for each in self.inputs for name in each.rule.names)
        return (*names, *(target.column.name for target in self.targets))

    def write(self, file: BinaryIO) -> Iterator[int]:
        """Write the .npy file; yield how many rows are written, after each chunk of them.

        Raises `DataError` for numbers that the precision cannot represent.
        """
        shape = (self.rows, len(self.names))
        header = {"descr": np.dtype(self.dtype).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        done = 0
        for cells in self.kept.chunks():
            file.write(self._narrowed(self._numbers(cells), cells[:, 0]).tobytes())
            yield (done := done + len(cells))

    def _numbers(self, cells: Array) -> Array:
        out = np.empty((len(cells), len(self.names)))
        position_of, start = self.kept.read.place, 0
        for each in self.inputs:
            end = start + len(each.rule.names)
            each.write(cells[:, position_of(each.column.name)], out[:, start:end])
            start = end
        for target in self.targets:
            out[:, start] = target.numbers(cells[:, position_of(target.column.name)])
            start += 1
        return out

    def _narrowed(self, numbers: Array, rows: Array) -> Array:
        with np.errstate(over="ignore"):
            narrow = numbers.astype(self.dtype)
        if (is_lost := np.isinf(narrow)).any():
            row, column = np.argwhere(is_lost)[0]
            raise WrongChoice(
                f"column `{self.names[column]}`, row {int(rows[row]) + 1}: {self.dtype} cannot "
                f"represent {numbers[row, column]:g}: use --dtype float64"
            )
        return narrow

    def inexact(self) -> dict[str, int]:
        """How many numbers of each column change by more than 1e-7 of their size, if any do."""
        lost = np.zeros(len(self.names), np.intp)
        if self.dtype == "float32":
            for cells in self.kept.chunks():
                numbers = self._numbers(cells)
                change = np.abs(self._narrowed(numbers, cells[:, 0]) - numbers)
                lost += np.count_nonzero(change > _EXACT * np.abs(numbers), axis=0)
        return {self.names[position]: int(lost[position]) for position in np.flatnonzero(lost)}


def converted(read: Read, choices: Choices) -> ConvertedTable:
    """The table of all cells.

    Raises `Gaps` if inputs have missing values and `choices` do not say what replaces them, and
    `DataError` with column and row of a value that cannot be used.
    """
    texts = read.texts()
    kept = KeptRows.of(read, texts, drops=choices.drop_missing)
    summary = kept.counted
    _refuse_no_rows(read, summary)
    columns = {name: _decided(name, kept, choices.many) for name in read.cells.names}
    missing = {name: count for name in read.inputs if (count := summary.gaps[name])}
    if missing and choices.fill is None:
        raise _gaps(missing)
    inputs = _inputs(kept, columns, missing, choices, summary)
    targets = _targets([columns[name] for name in read.targets])
    fits = (
        summary.is_exact
        and all(map(_fits_single, columns.values()))
        and all(is_exact(_fill_of(each.rule)) for each in inputs)
    )
    table = ConvertedTable(
        kept,
        inputs,
        targets,
        summary.kept,
        *_precision(choices, fits),
        (*_notes(read, summary, choices), *_notes_on_columns(inputs, missing)),
    )
    _refuse_names(table)
    if len(table.names) > MOST_COLUMNS:
        raise DataError(
            f"the table would have {len(table.names):,} columns, more than the {MOST_COLUMNS:,} "
            "allowed: leave out columns with many categories by --inputs"
        )
    return table


def _precision(choices: Choices, fits: bool) -> tuple[Precision, str]:
    """The type of the numbers, and why; `fits` says whether float32 holds all of them."""
    if choices.dtype is not None:
        return choices.dtype, "as requested"
    if fits:
        return "float32", "it represents every number exactly"
    return "float64", "float32 would change numbers"


def _refuse_names(table: ConvertedTable) -> None:
    """Raises `DataError` if two columns have the same name."""
    refuse_equal_names([*(each.rule for each in table.inputs), *map(_as_rule, table.targets)])


def _as_rule(target: Target) -> InputColumn:
    return InputColumn(target.column.name)


def _fill_of(rule: InputColumn) -> Array:
    return np.array([rule.fill if isinstance(rule.fill, float) else 0.0])


def _fits_single(column: Column) -> bool:
    """Whether float32 holds the numbers of a column's texts."""
    is_numeric = column.texts is not None and column.kind != "category"
    return not is_numeric or is_exact(column.of_texts)


def _refuse_no_rows(read: Read, summary: Summary) -> None:
    if not read.store.rows:
        raise DataError("the file has a header, but no rows; see `header`", "file")
    if summary.kept:
        return
    if summary.without_target == read.store.rows:
        what = f"`{read.targets[0]}`" if len(read.targets) == 1 else "every target"
        raise DataError(f"no row has a value of {what}: choose other targets (--target)", "targets")
    raise WrongChoice("every row has a missing value: use --fill instead of --drop-missing")


def _decided(name: str, kept: KeptRows, many: Sequence[str]) -> Column:
    read, counted = kept.read, kept.counted
    order = counted.order.get(name, [])
    column = Column(name, "category", None, kept.texts.get(name), counted.rows.get(name), order)
    if name in many and name in read.inputs and column.texts is not None:
        return column
    date_format = None if name in read.targets else read.date_format  # as in training
    return decided(column, read.cells.modes.get(name), counted.heads.get(name, []), date_format)


def _gaps(missing: Mapping[str, int]) -> Gaps:
    most = sorted(missing.items(), key=lambda item: -item[1])
    shown = listed([f"`{name}` ({count:,})" for name, count in most[:_MOST_NAMED]], len(missing))
    return Gaps(
        f"the inputs have {plural(sum(missing.values()), 'missing value')}: {shown}: repeat the "
        "command with --fill median (or mean, or zero), or with --drop-missing to leave these "
        "rows out"
    )


def _inputs(
    kept: KeptRows,
    columns: Mapping[str, Column],
    missing: Mapping[str, int],
    choices: Choices,
    summary: Summary,
) -> tuple[Encoded, ...]:
    fills = _fills(kept, [columns[name] for name in missing], choices, summary)
    inputs = []
    for name in kept.read.inputs:
        rule = encoding_of(columns[name], name in choices.many)
        if name in fills:
            rule = replace(rule, fill=fills[name], indicator=choices.indicator)
        inputs.append(Encoded(columns[name], rule))
    return tuple(inputs)


def _fills(
    kept: KeptRows, columns: Sequence[Column], choices: Choices, summary: Summary
) -> dict[str, float | str]:
    """What replaces missing values: numbers by the rule, otherwise the most frequent value.

    Raises `DataError` for a column without any value.
    """
    for column in columns:
        if summary.gaps[column.name] == summary.kept:
            raise DataError(
                f"column `{column.name}` has no value in any row, so that its missing values "
                f'cannot be filled: exclude it by --inputs "!{column.name}"'
            )
    fills: dict[str, float | str] = {}
    for column in columns:
        if column.kind == "category":
            fills[column.name] = column.most_frequent
        elif column.kind == "boolean":
            fills[column.name] = float(column.most_frequent == "true")
        elif choices.fill == "zero" and column.kind == "number":
            fills[column.name] = 0.0
    rest = [column for column in columns if column.name not in fills]
    return fills | _middles(kept, rest, choices, summary)


def _middles(
    kept: KeptRows, columns: Sequence[Column], choices: Choices, summary: Summary
) -> dict[str, float]:
    """The means or medians of columns of numbers or dates."""
    if not columns:
        return {}
    position_of = kept.read.place

    def chunks() -> Iterator[Array]:
        for cells in kept.chunks():
            yield np.column_stack(
                [each.numbers(cells[:, position_of(each.name)]) for each in columns]
            )

    counts = np.array([summary.kept - summary.gaps[each.name] for each in columns])
    middles = means(chunks()) if choices.fill == "mean" else medians(chunks, counts)
    return dict(zip((each.name for each in columns), middles, strict=True))


def _targets(columns: Sequence[Column]) -> tuple[Target, ...]:
    """The targets: numbers, the classes of one column, or labels with two values each."""
    if all(column.kind == "number" for column in columns):
        return tuple(map(Target, columns))
    if len(columns) == 1:
        return (Target(columns[0], classes_of(columns[0])),)
    numeric = next((column for column in columns if column.texts is None), None)
    if numeric is not None:
        raise DataError(
            "several targets must all be numbers, or all have two values that are text; "
            f"`{numeric.name}` contains numbers: convert the targets separately",
            "targets",
        )
    return tuple(Target(column, label_words(classes_of(column), column.name)) for column in columns)


def _notes(read: Read, summary: Summary, choices: Choices) -> Iterator[str]:
    """Notes on rows that were left out."""
    if lost := summary.without_target:
        what = f"`{read.targets[0]}`" if len(read.targets) == 1 else "a target"
        yield f"left out {plural(lost, 'row')} without a value of {what}"
    dropped = read.store.rows - summary.kept - summary.without_target
    if choices.drop_missing and dropped:
        yield f"left out {plural(dropped, 'row')} with a missing value of an input"


def _notes_on_columns(inputs: Sequence[Encoded], missing: Mapping[str, int]) -> Iterator[str]:
    """Notes on values that are filled, and on dates that fit two formats."""
    tally = Tally()
    for each in inputs:
        if (name := each.column.name) in missing:
            tally.fill(name, missing[name], each.rule.fill_text)
        if each.column.note is not None:
            yield each.column.note
    yield from tally.notes()
