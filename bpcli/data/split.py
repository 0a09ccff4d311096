"""Which rows train, validate and test: by fractions, or in folds, spread over the classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bpcli.data.types import Labels, SplitName
from bpcli.nn.arrays import Array


def split_rows(
    fractions: Mapping[SplitName, float],
    rows: int,
    labels: Labels | None,
    rng: np.random.Generator,
) -> dict[SplitName, Labels]:
    """Row indices of each split, in ascending order; with `labels`, spread over the classes.

    The size of a split differs from its fraction by less than one row, and so does its share of
    each class. A class too small to be in every split is in the training set first.
    """
    groups = _groups(rows, labels)
    counts = _counts(np.array(list(fractions.values())), [len(group) for group in groups])
    chosen: dict[SplitName, list[Labels]] = {split: [] for split in fractions}
    for group, group_counts in zip(groups, counts, strict=True):
        edges = np.cumsum(group_counts)[:-1]
        for split, index in zip(fractions, np.split(rng.permutation(group), edges), strict=True):
            chosen[split].append(index)
    return {split: np.sort(np.concatenate(pieces)) for split, pieces in chosen.items()}


def fold_rows(
    folds: int, val: float, rows: int, labels: Labels | None, rng: np.random.Generator
) -> list[dict[SplitName, Labels]]:
    """The splits of each of k folds, whose test sets share out every row once.

    `val` is a fraction of a fold's other rows. With `labels`, the rows of each class are dealt out
    in turn, as cards are, so that test sets differ by one row at most, in all and of each class.
    """
    order = np.concatenate([rng.permutation(group) for group in _groups(rows, labels)])
    found: list[dict[SplitName, Labels]] = []
    for fold in range(folds):
        test = np.sort(order[fold::folds])
        others = np.delete(np.arange(rows), test)
        others_labels = None if labels is None else labels[others]
        splits = split_rows({"train": 1 - val, "val": val}, len(others), others_labels, rng)
        found.append({"train": others[splits["train"]], "val": others[splits["val"]], "test": test})
    return found


def _groups(rows: int, labels: Labels | None) -> list[Labels]:
    """The rows of each class; all rows where there are none."""
    if labels is None:
        return [np.arange(rows)]
    present = np.flatnonzero(np.bincount(labels))  # np.unique would import numpy.ma
    return [np.flatnonzero(labels == label) for label in present]


def _counts(fractions: Array, sizes: list[int]) -> Labels:
    """Rows of each group (down) for each split (across).

    Split sizes are rounded by largest remainder. Every group gives each split its whole share; the
    rows left over go one by one to the splits that lack most, from the groups with most left over.
    """
    totals = _largest_remainder(sum(sizes) * fractions)
    exact = np.outer(sizes, fractions)
    counts: Labels = np.floor(exact + _EXACT).astype(np.intp)
    lacking = totals - counts.sum(axis=0)
    left_over = np.array(sizes) - counts.sum(axis=1)
    for group in np.argsort(-left_over, kind="stable"):
        has_no_training_row = (np.arange(len(fractions)) == 0) & (counts[group] == 0)
        order = np.lexsort((counts[group] - exact[group], -lacking, ~has_no_training_row))
        order = order[lacking[order] > 0][: left_over[group]]
        counts[group, order] += 1
        lacking[order] -= 1
    return counts


_EXACT = 1e-9
"""What fractions such as 0.7 may lack to a whole number of rows."""


def _largest_remainder(exact: Array) -> Labels:
    counts = np.floor(exact + _EXACT).astype(np.intp)
    missing = round(exact.sum()) - counts.sum()
    by_remainder: Labels = np.argsort(-np.round(exact - counts, 9), kind="stable")
    counts[by_remainder[:missing]] += 1
    return counts
