"""The rows of each split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from bpcli.config.models import Spec
from bpcli.data.split import fold_rows, split_rows
from bpcli.data.table import RawTable
from bpcli.data.types import SPLITS, Labels, SplitName
from bpcli.experiment.streams import stream
from bpcli.text import quoted


def split_table(spec: Spec, table: RawTable) -> dict[SplitName, Labels]:
    """The rows of each split: as defined by the source, as folds, or drawn at random."""
    split = spec.data.split
    stratify = table.labels is not None if split.stratify == "auto" else split.stratify
    labels = table.labels if stratify else None
    rng = stream(spec.seed, "split")
    if split.folds is not None:
        return fold_rows(split.folds, split.val, len(table), labels, rng)[(split.fold or 1) - 1]
    fixed = dict(table.splits)
    pool = fixed.pop("train", rows_in_no_split(table))
    fractions = {name: size for name, size in split.fractions.items() if name not in fixed}
    drawn = split_rows(fractions, len(pool), None if labels is None else labels[pool], rng)
    return {name: fixed[name] if name in fixed else pool[drawn[name]] for name in SPLITS}


def rows_in_no_split(table: RawTable) -> Labels:
    """The rows that the source puts into no split."""
    is_free = np.ones(len(table), bool)
    for index in table.splits.values():
        is_free[index] = False
    return np.flatnonzero(is_free)


def notes_on_classes(
    spec: Spec, table: RawTable, indices: Mapping[SplitName, Labels]
) -> Iterator[str]:
    """Notes on classes without a training row, with the splits that have rows of them."""
    if table.labels is None or spec.data.split.folds is not None:
        return  # `notes_on_folds` tells of all folds
    names = table.class_names
    counts = {
        split: np.bincount(table.labels[index], minlength=len(names)).tolist()
        for split, index in indices.items()
    }
    lost = [label for label in range(len(names)) if not counts["train"][label]]
    for label in lost[:_MOST_CLASSES]:
        rows = {split: counts[split][label] for split in SPLITS if counts[split][label]}
        where = " and ".join(
            f"{count} row{'s' * (count != 1)} of `{split}`" for split, count in rows.items()
        )
        yield (
            f"class {quoted(names[label])} has no training row{', but ' * bool(where)}{where}: it "
            "has an output that cannot learn to find it"
        )
    if len(lost) > _MOST_CLASSES:
        yield f"classes without a training row beside these: {len(lost) - _MOST_CLASSES:,}"


_MOST_CLASSES = 3


def notes_on_folds(spec: Spec, table: RawTable) -> Iterator[str]:
    """A note on classes with too few rows to be in every fold."""
    folds = spec.data.split.folds
    if folds is None or table.labels is None:
        return
    counts = np.bincount(table.labels, minlength=len(table.class_names)).tolist()
    rows_of = zip(table.class_names, counts, strict=True)
    few = [f"{quoted(name)} ({rows})" for name, rows in rows_of if 0 < rows < folds]
    if few:
        listed = ", ".join(few[:3]) + " and others" * (len(few) > 3)
        yield (
            f"classes with fewer rows than the {folds} folds: {listed}; some folds have no "
            "training or test row of them"
        )
