"""Arrays whose columns have names, from a file beside each, as a source of data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bpcli.data.files.array_files import columns_of
from bpcli.data.files.splits import FileSplits, notes_on_splits
from bpcli.data.row_blocks import row_blocks
from bpcli.data.selection import Selector, TargetSelectors, choose
from bpcli.data.table import Classes, MultiLabels, Table, Targets, Values
from bpcli.data.types import AskedTask, Labels
from bpcli.errors import DataError
from bpcli.nn.arrays import Array
from bpcli.text import listed_names

if TYPE_CHECKING:
    from bpcli.data.files.sidecar import Sidecar


def named_table(
    arrays: Mapping[Path, Array],
    inputs: tuple[Selector, ...],
    targets: TargetSelectors,
    task: AskedTask | None,
    splits: FileSplits,
) -> Table:
    """The rows of arrays (n, d) with names; the first has the training rows.

    By default, the targets are those that the file beside it names. Raises `DataError` if such a
    file does not fit its array or the other files, if a selector matches no column, or if an input
    would be the index of a class.
    """
    about = _named_alike(arrays)
    own_inputs, own_targets = chosen_columns(about, inputs, targets)
    pieces = [columns_of(array, about.columns, own_inputs) for array in arrays.values()]
    X = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    Y = np.concatenate([columns_of(each, about.columns, own_targets) for each in arrays.values()])
    path = next(iter(arrays))
    numbers = {each: np.arange(1, len(array) + 1) for each, array in arrays.items()}
    rows = splits.rows(path, numbers, len(arrays[path]))
    return Table(
        X,
        tuple(own_inputs),
        targets=_targets(Y, tuple(own_targets), about, task),
        splits=rows,
        notes=tuple(notes_on_splits(rows, len(X))),
    )


def chosen_columns(
    about: Sidecar, inputs: tuple[Selector, ...], targets: TargetSelectors
) -> tuple[list[str], list[str]]:
    """The names of inputs and targets. Raises `DataError` if an input would be a class."""
    usual = tuple(about.targets) or None if targets is None else targets
    own_inputs, own_targets = choose(about.columns, inputs, usual)
    _refuse_classes(own_inputs, about)
    return own_inputs, own_targets


def inputs_named(path: Path, matrix: Array, names: Sequence[str]) -> Array:
    """Columns of an array (n, d), by their names in the file beside it; all, if it has others.

    Raises `DataError` if that file does not fit the array.
    """
    about = _named_alike({path: matrix})
    has_all = {*names} <= {*about.columns}
    return columns_of(matrix, about.columns, names) if has_all else matrix


def _named_alike(arrays: Mapping[Path, Array]) -> Sidecar:
    """What the file beside the first array says. Raises `DataError` if another has other names."""
    from bpcli.data.files.sidecar import read_sidecar  # here: the import of pydantic takes long

    (path, first), *others = [(path, read_sidecar(path, x.shape)) for path, x in arrays.items()]
    for other, about in others:
        if (about.columns, about.classes) != (first.columns, first.classes):
            raise DataError(
                f"{other.name} has other columns or classes than {path.name}: convert both from "
                "one table",
                "split",
            )
    return first


def _refuse_classes(inputs: Sequence[str], about: Sidecar) -> None:
    for name in inputs:
        if name in about.names_of:
            raise DataError(
                f'column `{name}` contains classes as numbers: exclude it by `inputs: ["!{name}"]`',
                "inputs",
            )


def _targets(Y: Array, names: tuple[str, ...], about: Sidecar, task: AskedTask | None) -> Targets:
    """Targets Y (n, k): classes and labels by their names, or numbers; None without targets.

    Raises `DataError` if `task` asks for another kind, or a number is no index of a class.
    """
    if not names:
        return None
    if not hold_classes(names, about, task):
        values = Values(Y.astype(np.float64), names)
        if task == "multilabel":
            return values.as_labels()
        return values.as_classes() if task == "classification" else values
    if len(names) == 1 and task != "multilabel":
        classes = about.names_of[names[0]]
        return Classes(_labels(Y[:, 0], names[0], classes), classes)
    return _as_labels(Y, names, about)


def hold_classes(names: Sequence[str], about: Sidecar, task: AskedTask | None) -> bool:
    """Whether targets hold classes or labels.

    Raises `DataError` if only some do, or if the task is another one.
    """
    with_classes = [name for name in names if name in about.names_of]
    if not with_classes:
        return False
    if task == "regression" or len(with_classes) < len(names):
        raise DataError(
            f"the target {listed_names(with_classes)} contains classes, not numbers: choose "
            "other targets",
            "targets",
        )
    are_labels = len(names) > 1 or task == "multilabel"
    are_pairs = all(len(about.names_of[name]) == 2 for name in names)
    if are_labels and (task == "classification" or not are_pairs):
        raise DataError(
            f"the targets {listed_names(names)} are labels, of which a row may have any number, "
            "and need two values each: choose one of them for classes",
            "targets",
        )
    return True


def _as_labels(Y: Array, names: tuple[str, ...], about: Sidecar) -> MultiLabels:
    words = [about.names_of[name] for name in names]
    labels = [_labels(Y[:, position], name, words[position]) for position, name in enumerate(names)]
    pairs = tuple((zero, one) for zero, one in words)
    return MultiLabels(np.column_stack(labels).astype(np.float64), names, pairs)


def _labels(numbers: Array, name: str, classes: Sequence[str]) -> Labels:
    """Indices of classes (n,). Raises `DataError` with the row of any other number."""
    for block in row_blocks((len(numbers), 1)):
        own = numbers[block]
        is_index = (own >= 0) & (own < len(classes)) & (own == np.floor(own))
        if not is_index.all():
            row = int(np.argmin(is_index))
            raise DataError(
                f"row {block.start + row + 1}: {own[row]:g} is not the index of one of the "
                f"{len(classes)} classes of `{name}`",
                "targets",
            )
    return np.asarray(numbers).astype(np.intp)
