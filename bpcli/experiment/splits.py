"""The rows of each split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from bpcli.config.models import Spec
from bpcli.data.row_index import Coded, RowIndex, Span, index_pieces
from bpcli.data.split import (
    ROWS_AT_ONCE,
    draw_codes,
    fold_rows,
    folds_in_order,
    interleaved_codes,
    span_sizes,
    split_in_order,
    split_rows,
)
from bpcli.data.table import RawTable
from bpcli.data.types import SPLITS, Labels, SplitName
from bpcli.experiment.streams import stream_of
from bpcli.text import plural, quoted


def split_table(spec: Spec, table: RawTable) -> dict[SplitName, RowIndex]:
    """The rows of each split: as defined by the source, as folds, at random or in order."""
    split = spec.data.split
    if table.is_stored and len(table) > ROWS_AT_ONCE:
        return _large_splits(spec, table)
    if split.folds is not None:
        return {**_folds(spec, table, split.folds)[(split.fold or 1) - 1]}
    fixed = dict(table.splits)
    pool = fixed.pop("train", rows_in_no_split(table))
    fractions = {name: size for name, size in split.fractions.items() if name not in fixed}
    if not any(size for name, size in fractions.items() if name != "train"):
        none = np.empty(0, np.intp)
        drawn = {**dict.fromkeys(fractions, none), "train": np.arange(len(pool))}
    elif split.order == "random":
        labels = _strata(spec, table)
        labels = None if labels is None else labels[pool]
        drawn = split_rows(fractions, len(pool), labels, stream_of(spec, "split"), ROWS_AT_ONCE)
    else:
        pool = _in_order(pool, table)
        drawn = split_in_order(fractions, len(pool), split.order)
    return {name: fixed[name] if name in fixed else np.sort(pool[drawn[name]]) for name in SPLITS}


def _large_splits(spec: Spec, table: RawTable) -> dict[SplitName, RowIndex]:
    """The splits of a table that stays in its file: spans of rows, or a byte for each row."""
    split, rows = spec.data.split, len(table)
    fractions = split.fractions
    is_whole = not any(size for name, size in fractions.items() if name != "train")
    if is_whole or split.order in ("time", "blocks"):
        sizes = [rows, 0, 0] if is_whole else span_sizes(fractions, rows)
        ends = np.cumsum(sizes).tolist()
        spans = [Span(end - size, end) for size, end in zip(sizes, ends, strict=True)]
        return {**dict(zip(fractions, spans, strict=True))}
    if split.order == "interleaved":
        codes = interleaved_codes(fractions, rows, ROWS_AT_ONCE)
    else:
        labels, rng = _strata(spec, table), stream_of(spec, "split")
        codes = draw_codes(fractions, rows, labels, rng, ROWS_AT_ONCE)
    return {name: Coded(codes, code) for code, name in enumerate(fractions)}


def _folds(spec: Spec, table: RawTable, folds: int) -> list[dict[SplitName, Labels]]:
    split, rows = spec.data.split, len(table)
    if split.order == "random":
        rng = stream_of(spec, "split")
        return fold_rows(folds, split.val, rows, _strata(spec, table), rng)
    ordered = _in_order(np.arange(rows), table)
    return [
        {name: np.sort(ordered[index]) for name, index in fold.items()}
        for fold in folds_in_order(folds, split.val, rows, split.order)
    ]


def _strata(spec: Spec, table: RawTable) -> Labels | None:
    """The classes by which random splits are stratified, if they are."""
    stratify = spec.data.split.stratify
    is_stratified = table.labels is not None if stratify == "auto" else stratify
    return table.labels if is_stratified else None


def _in_order(rows: Labels, table: RawTable) -> Labels:
    """The rows, sorted by the table's `order` if it has one; equal ones keep their order."""
    return rows if table.order is None else rows[np.argsort(table.order[rows], kind="stable")]


def rows_in_no_split(table: RawTable) -> Labels:
    """The rows that the source puts into no split."""
    is_free = np.ones(len(table), bool)
    for index in table.splits.values():
        is_free[index] = False
    return np.flatnonzero(is_free)


def notes_on_classes(
    spec: Spec, table: RawTable, indices: Mapping[SplitName, RowIndex]
) -> Iterator[str]:
    """Notes on classes without a training row, with the splits that have rows of them."""
    if table.labels is None or spec.data.split.folds is not None:
        return  # `notes_on_folds` reports on all folds
    names = table.class_names
    counts = {
        split: label_counts(table.labels, index, len(names)).tolist()
        for split, index in indices.items()
    }
    lost = [label for label in range(len(names)) if not counts["train"][label]]
    for label in lost[:_MOST_CLASSES]:
        rows = {split: counts[split][label] for split in SPLITS if counts[split][label]}
        where = " and ".join(
            f"{plural(count, 'row')} of `{split}`" for split, count in rows.items()
        )
        yield (
            f"class {quoted(names[label])} has no training row{', but ' * bool(where)}{where}: its "
            "output cannot learn to predict it"
        )
    if len(lost) > _MOST_CLASSES:
        yield f"further classes without a training row: {len(lost) - _MOST_CLASSES:,}"


_MOST_CLASSES = 3


def label_counts(labels: Labels, index: RowIndex, classes: int) -> Labels:
    """The number of rows of each class (classes,) among the rows at `index`."""
    counts = np.zeros(classes, np.intp)
    for rows in index_pieces(index):
        counts += np.bincount(labels[rows], minlength=classes)
    return counts


def notes_on_folds(spec: Spec, table: RawTable) -> Iterator[str]:
    """A note on classes with too few rows to be in every fold, or all in the test set of one."""
    folds, labels = spec.data.split.folds, table.labels
    if folds is None or labels is None:
        return
    classes = len(table.class_names)
    counts = np.bincount(labels, minlength=classes)
    rows_of = list(zip(table.class_names, counts.tolist(), strict=True))
    if few := _listed((name, rows) for name, rows in rows_of if 0 < rows < folds):
        yield (
            f"classes with fewer rows than the {folds} folds: {few}; some folds have no "
            "training or test row of them"
        )
    if spec.data.split.order == "random":
        return
    trained = np.min(
        [
            np.bincount(labels[fold["train"]], minlength=classes)
            for fold in _folds(spec, table, folds)
        ],
        axis=0,
    )
    lost = zip(rows_of, trained.tolist(), strict=True)
    if listed := _listed(row for row, least in lost if row[1] >= folds and not least):
        yield (
            f"classes without a training row in some folds: {listed}; `order: random` spreads them"
        )


def _listed(classes: Iterable[tuple[str, int]]) -> str:
    """Some classes, with their numbers of rows."""
    texts = [f"{quoted(name)} ({rows})" for name, rows in classes]
    return ", ".join(texts[:3]) + " and others" * (len(texts) > 3)
