"""An array that stays in its file, with the names of its columns from a file beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bpcli.data.files.named_arrays import chosen_columns, hold_classes
from bpcli.data.files.npy_rows import NpyRows
from bpcli.data.files.scan import scan
from bpcli.data.selection import Selector, TargetSelectors
from bpcli.data.stored_rows import StoredCodes, StoredColumns, StoredFlags, StoredFloats, lazily
from bpcli.data.stored_targets import StoredValues, TargetFacts
from bpcli.data.table import Classes, MultiLabels, Table, Targets
from bpcli.data.types import AskedTask
from bpcli.errors import DataError

if TYPE_CHECKING:
    from bpcli.data.files.sidecar import Sidecar


def stored_named_table(
    path: Path,
    source: NpyRows,
    inputs: tuple[Selector, ...],
    targets: TargetSelectors,
    task: AskedTask | None,
) -> Table:
    """The table that `named_table` makes of the array in memory.

    Raises `DataError` as that does, and for a value that is missing or not finite.
    """
    from bpcli.data.files.sidecar import read_sidecar  # here: the import of pydantic takes long

    about = read_sidecar(path, source.shape)
    own_inputs, own_targets = chosen_columns(about, inputs, targets)
    places, others = (tuple(map(about.columns.index, names)) for names in (own_inputs, own_targets))
    facts = scan(source, places, others, own_targets)
    own_target = (
        _targets(source, others, tuple(own_targets), about, task, facts) if others else None
    )
    return Table(StoredColumns(source, places), tuple(own_inputs), targets=own_target)


def _targets(
    source: NpyRows,
    places: tuple[int, ...],
    names: tuple[str, ...],
    about: Sidecar,
    task: AskedTask | None,
    facts: TargetFacts,
) -> Targets:
    """Classes and labels by their names, or numbers."""
    if not hold_classes(names, about, task):
        values = StoredValues(lazily(StoredFloats(source, places)), names, facts)
        if task == "multilabel":
            return values.as_labels()
        return values.as_classes() if task == "classification" else values
    for name, unique in zip(names, facts.uniques, strict=True):
        _require_indices(name, about.names_of[name], unique)
    if len(names) == 1 and task != "multilabel":
        classes = about.names_of[names[0]]
        indices = np.arange(len(classes))
        return Classes(lazily(StoredCodes(source, places[0], indices, indices)), classes)
    pairs = tuple((zero, one) for zero, one in (about.names_of[name] for name in names))
    return MultiLabels(lazily(StoredFlags(source, places, np.ones(len(names)))), names, pairs)


def _require_indices(name: str, classes: Sequence[str], unique: np.ndarray | None) -> None:
    """Raises `DataError` for a number that is not the index of a class."""
    wrong = None if unique is None else unique[~np.isin(unique, np.arange(len(classes)))]
    if wrong is None or len(wrong):
        flaw = "more numbers than classes" if wrong is None else f"{wrong[0]:g}"
        raise DataError(
            f"column `{name}` has {flaw}, which is not the index of one of its {len(classes)} "
            "classes",
            "targets",
        )
