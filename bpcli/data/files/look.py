"""A first look at a file: its format, whether row 1 is a header, the content of its columns.

`bpnet data` and `bpnet init` both use it, so that they agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bpcli.data.description import ColumnFacts, Description, describe
from bpcli.data.files.array_files import is_array_file, load_arrays
from bpcli.data.files.arrays import ArraySource
from bpcli.data.files.beside import has_sidecar
from bpcli.data.files.delimited import layout_of, read, refuse_no_rows
from bpcli.data.files.dialect import Dialect, Samples
from bpcli.data.files.parquet import is_parquet
from bpcli.data.files.sniff import Layout
from bpcli.data.table import Classes, Table, Targets, Values, is_one_hot, value_names
from bpcli.data.types import DataFrame
from bpcli.data.values import in_one_spelling
from bpcli.errors import DataError


@dataclass(frozen=True)
class Look:
    """A file's dialect with the reasons for guesses, and the description of its rows.

    `asked` is the part of the dialect that was given; None in it was detected.
    `chooses_columns` is false for a file with one array of inputs and one of targets; `is_one_hot`
    is true if the targets have a column for each class.
    """

    path: Path
    dialect: Dialect
    why_header: str
    notes: tuple[str, ...]
    description: Description
    chooses_columns: bool = True
    is_one_hot: bool = False
    asked: Dialect = field(default_factory=Dialect)

    @property
    def inputs(self) -> tuple[ColumnFacts, ...]:
        """The columns to be used as inputs."""
        about = self.description
        every = tuple(column for column in about.columns if column.name not in about.targets)
        return about.inputs if self.chooses_columns else every


def look_at(
    path: Path, asked: Dialect, targets: Sequence[str] = (), *, casefold: bool = False
) -> Look:
    """Read a table and describe it; what `asked` and `targets` do not specify is guessed.

    With `casefold`, spellings of one category are merged, but still warned about.
    Raises `DataError` if the file is not a table, or has no such target.
    """
    if is_array_file(path):
        return _look_at_arrays(path, asked.layout, targets)
    layout = layout_as_asked(path, asked)
    frame, notes = read(layout)
    refuse_no_rows(frame)
    about = describe(frame, targets, asked.date_format)
    if casefold and about.spelled:
        about = _with_one_spelling(frame, about, targets, asked.date_format)
    dialect = replace(layout.dialect, missing=asked.missing)  # without those stored in the file
    is_one_hot = about.task == "classification" and len(about.targets) > 1
    return Look(path, dialect, layout.why_header, notes, about, is_one_hot=is_one_hot, asked=asked)


def _with_one_spelling(
    frame: DataFrame, about: Description, targets: Sequence[str], date_format: str | None
) -> Description:
    """The description with spellings merged, and with the warnings about them from `about`."""
    names = about.spelled
    merged = describe(
        frame.assign(**{name: in_one_spelling(frame[name]) for name in names}), targets, date_format
    )
    warnings = (warning for warning in about.warnings if warning.kind == "spellings")
    return replace(merged, warnings=(*warnings, *merged.warnings))


def layout_as_asked(path: Path, asked: Dialect) -> Layout:
    """The layout; a requested header may have numbers as names."""
    if not asked.header or not is_text(path):
        return layout_of(path, asked)
    bare = layout_of(path, replace(asked, header=False))
    return bare.headed(may_be_numbers=True)


def _look_at_arrays(path: Path, layout: Samples | None, asked: Sequence[str]) -> Look:
    """Describe a single array as a table, or two arrays as inputs and targets.

    Raises `DataError` for other targets than the array of targets.
    """
    import pandas as pd

    table = ArraySource(path, layout=layout).table(np.random.default_rng())
    if has_sidecar(path):
        return _look_at_named(path, table, asked)
    frame = pd.DataFrame(table.X[:], columns=list(table.input_names))
    is_table = len(load_arrays(path)) == 1
    targets = _in_one_column(table.targets)
    if isinstance(targets, Classes):
        name = f"x{table.X.shape[1] + 1}" if is_table else "y"
        frame[name] = np.array(targets.names)[targets.labels]
        names: tuple[str, ...] = (name,)
    elif isinstance(targets, Values):
        count = targets.Y.shape[1]
        names = (f"x{table.X.shape[1] + 1}",) if is_table else value_names(count)
        frame[list(names)] = targets.Y
    else:
        raise DataError("there are no targets, so no config can be suggested: write it by hand")
    if not is_table and asked and set(asked) != {*names}:
        raise DataError(
            f"the file has an array of targets, named `{', '.join(names)}` here: leave out "
            f"--target {' --target '.join(asked)}"
        )
    about = describe(frame, asked if is_table else names)
    is_one_hot = targets is not table.targets
    if not is_table:
        about = replace(about, why_target="the array of targets")
    if is_one_hot:
        about = replace(about, why_task="each row has a single 1")
    return Look(path, Dialect(layout=layout), "", table.notes, about, is_table, is_one_hot)


def _look_at_named(path: Path, table: Table, asked: Sequence[str]) -> Look:
    """Describe an array whose columns have names; by default, its targets are those recorded."""
    import pandas as pd

    from bpcli.data.files.sidecar import read_sidecar

    own = next(iter(load_arrays(path).values()))
    recorded = read_sidecar(path, own.shape).targets or [*table.target_names]
    frame = pd.DataFrame(table.X[:], columns=list(table.input_names))
    if isinstance(table.targets, Classes):
        frame[recorded[0]] = np.array(table.targets.names)[table.targets.labels]
    elif isinstance(table.targets, Values):
        frame[recorded] = table.targets.Y
    about = describe(frame, asked or recorded)
    if not asked:
        about = replace(about, why_target="recorded when the table was converted")
    is_one_hot = about.task == "classification" and len(about.targets) > 1
    return Look(path, Dialect(), "", table.notes, about, is_one_hot=is_one_hot)


def _in_one_column(targets: Targets) -> Targets:
    """The targets; one-hot columns become classes."""
    if isinstance(targets, Values) and targets.Y.shape[1] > 1 and is_one_hot(targets.Y):
        return targets.as_classes()
    return targets


def is_text(path: Path) -> bool:
    return not is_parquet(path) and not is_array_file(path)
