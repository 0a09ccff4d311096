"""Training, validation and test rows: by fractions or in folds, at random or in the order of rows.

Random splits may be stratified by class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.types import Labels, SplitName
from bpcli.nn.arrays import Array

InOrder: TypeAlias = Literal["time", "blocks", "interleaved"]
"""How rows are assigned if not at random: in contiguous pieces, or in turn (`interleaved`)."""


ROWS_AT_ONCE = 2**20
"""Tables of more rows are split piece by piece, so that their row numbers need not be in memory.

Another number would draw other splits for them: runs could not be evaluated or resumed any more.
"""


def split_rows(
    fractions: Mapping[SplitName, float],
    rows: int,
    labels: Labels | None,
    rng: np.random.Generator,
    at_once: int = ROWS_AT_ONCE,
) -> dict[SplitName, Labels]:
    """Row indices of each split, in ascending order; with `labels`, stratified by class.

    The size of a split differs from its fraction by less than one row, and so does its share of
    each class. One exception: if there are at least as many training rows as classes, every class
    gets one, in exchange for a row of the class with the most.

    More than `at_once` rows are drawn as by `draw_codes`.
    """
    if rows > at_once:
        codes = draw_codes(fractions, rows, labels, rng, at_once)
        return {split: np.flatnonzero(codes == code) for code, split in enumerate(fractions)}
    groups = _groups(rows, labels)
    counts = _group_counts(fractions, [len(group) for group in groups], labels is not None)
    chosen: dict[SplitName, list[Labels]] = {split: [] for split in fractions}
    for group, group_counts in zip(groups, counts, strict=True):
        edges = np.cumsum(group_counts)[:-1]
        for split, index in zip(fractions, np.split(rng.permutation(group), edges), strict=True):
            chosen[split].append(index)
    return {split: np.sort(np.concatenate(pieces)) for split, pieces in chosen.items()}


def draw_codes(
    fractions: Mapping[SplitName, float],
    rows: int,
    labels: Array | None,
    rng: np.random.Generator,
    at_once: int = ROWS_AT_ONCE,
) -> Array:
    """The split of each row (rows,): its place in `fractions`, in one byte.

    Each piece of `at_once` rows gets its share of each split, and of each class, so that only the
    labels of one piece must be in memory: `labels` may read them from a file. The totals are those
    of `split_rows`.
    """
    codes = np.empty(rows, np.uint8)
    sizes = _class_sizes(rows, labels, at_once)
    counts = _group_counts(fractions, list(sizes.values()), labels is not None)
    left = dict(zip(sizes, counts, strict=True))
    for start, piece in _pieces(rows, labels, at_once):
        drawn = codes[start : start + at_once]
        for label in np.flatnonzero(np.bincount(piece)).tolist():
            group = np.flatnonzero(piece == label)
            share = _largest_remainder(left[label] * (len(group) / left[label].sum()))
            left[label] -= share
            drawn[group] = rng.permutation(np.repeat(np.arange(len(share), dtype=np.uint8), share))
    return codes


def _pieces(rows: int, labels: Array | None, size: int) -> Iterator[tuple[int, Labels]]:
    """The labels of each piece of rows, with its start; all 0 without labels."""
    for start in range(0, rows, size):
        stop = min(rows, start + size)
        yield start, np.zeros(stop - start, np.intp) if labels is None else labels[start:stop]


def _class_sizes(rows: int, labels: Array | None, at_once: int) -> dict[int, int]:
    """The number of rows of each class that has rows."""
    sizes = Counter[int]()
    for _, piece in _pieces(rows, labels, at_once):
        sizes.update(dict(enumerate(np.bincount(piece).tolist())))
    return {label: sizes[label] for label in sorted(sizes) if sizes[label]}


def _group_counts(
    fractions: Mapping[SplitName, float], sizes: list[int], is_stratified: bool
) -> Labels:
    """The number of rows (groups, splits) of each group in each split."""
    counts = _counts(np.array(list(fractions.values())), sizes)
    if is_stratified:
        _give_training_rows(counts, list(fractions).index("train"))
    return counts


def fold_rows(
    folds: int, val: float, rows: int, labels: Labels | None, rng: np.random.Generator
) -> list[dict[SplitName, Labels]]:
    """The splits of each of k folds; every row is in exactly one test set.

    `val` is a fraction of a fold's other rows. With `labels`, the rows of each class are dealt to
    the folds in turn, so that test sets differ by at most one row, in total and per class.
    """
    order = np.concatenate([rng.permutation(group) for group in _groups(rows, labels)])

    def split(others: Labels) -> dict[SplitName, Labels]:
        others_labels = None if labels is None else labels[others]
        return split_rows({"train": 1 - val, "val": val}, len(others), others_labels, rng)

    return _folds([np.sort(order[fold::folds]) for fold in range(folds)], rows, split)


def split_in_order(
    fractions: Mapping[SplitName, float], rows: int, order: InOrder
) -> dict[SplitName, Labels]:
    """Row indices of each split, in ascending order, not at random; sizes as in `split_rows`.

    The first rows are the first split and so on. `interleaved` deals them in turn instead, so that
    each split is spread evenly over all rows: row j of its m is due at (j + 1/2) rows / m.
    """
    sizes = _largest_remainder(rows * np.array(list(fractions.values())))
    dealt = np.repeat(np.arange(len(sizes)), sizes)
    if order == "interleaved":
        due = [(np.arange(size) + 0.5) * (rows / size) for size in sizes if size]
        dealt = dealt[np.argsort(np.concatenate([[], *due]), kind="stable")]
    return {split: np.flatnonzero(dealt == number) for number, split in enumerate(fractions)}


def interleaved_codes(
    fractions: Mapping[SplitName, float], rows: int, at_once: int = ROWS_AT_ONCE
) -> Array:
    """The split of each row (rows,) of `split_in_order`, `interleaved`, in one byte."""
    sizes = _largest_remainder(rows * np.array(list(fractions.values())))
    codes, dealt = np.empty(rows, np.uint8), np.zeros(len(sizes), np.intp)
    for start in range(0, rows, at_once):
        count = min(at_once, rows - start)
        next_ones = [
            np.arange(first, min(size, first + count))
            for first, size in zip(dealt, sizes, strict=True)
        ]
        due = [(j + 0.5) * (rows / m) for j, m in zip(next_ones, sizes, strict=True) if m]
        of_each = np.repeat(np.arange(len(sizes)), list(map(len, next_ones)))
        first_due = np.argsort(np.concatenate(due), kind="stable")[:count]
        codes[start : start + count] = of_each[first_due]
        dealt += np.bincount(of_each[first_due], minlength=len(sizes))
    return codes


def span_sizes(fractions: Mapping[SplitName, float], rows: int) -> list[int]:
    """The number of rows of each split, which follow each other (`time`, `blocks`)."""
    sizes: list[int] = _largest_remainder(rows * np.array(list(fractions.values()))).tolist()
    return sizes


def folds_in_order(
    folds: int, val: float, rows: int, order: InOrder
) -> list[dict[SplitName, Labels]]:
    """The splits of each of k folds, not at random; every row is in exactly one test set.

    Each test set is a block of adjacent rows or, if `interleaved`, every k-th row; test sets differ
    by at most one row. `val` is the end of a fold's other rows, or is dealt in turn.
    """
    all_rows = np.arange(rows)
    tests = np.array_split(all_rows, folds)
    if order == "interleaved":
        tests = [all_rows[fold::folds] for fold in range(folds)]
    fractions: dict[SplitName, float] = {"train": 1 - val, "val": val}
    return _folds(tests, rows, lambda others: split_in_order(fractions, len(others), order))


def _folds(
    tests: list[Labels], rows: int, split: Callable[[Labels], Mapping[SplitName, Labels]]
) -> list[dict[SplitName, Labels]]:
    """The folds of some test sets; `split` divides the other rows into training and validation."""
    folds: list[dict[SplitName, Labels]] = []
    for test in tests:
        others = np.delete(np.arange(rows), test)
        splits = split(others)
        folds.append({"train": others[splits["train"]], "val": others[splits["val"]], "test": test})
    return folds


def _groups(rows: int, labels: Labels | None) -> list[Labels]:
    """The rows of each class; all rows if there are no classes."""
    if labels is None:
        return [np.arange(rows)]
    present = np.flatnonzero(np.bincount(labels))  # np.unique would import numpy.ma
    return [np.flatnonzero(labels == label) for label in present]


def _counts(fractions: Array, sizes: list[int]) -> Labels:
    """The number of rows (groups, splits) of each group in each split.

    Split sizes are rounded by largest remainder. Each split gets the whole part of its share of
    every group; the remaining rows go one by one to the splits that need most, first from groups
    without a training row, then from those with most rows left.
    """
    totals = _largest_remainder(sum(sizes) * fractions)
    exact = np.outer(sizes, fractions)
    counts: Labels = np.floor(exact + _EXACT).astype(np.intp)
    needed = totals - counts.sum(axis=0)
    left_over = np.array(sizes) - counts.sum(axis=1)
    for group in np.lexsort((-left_over, counts[:, 0] > 0)):
        has_no_training_row = (np.arange(len(fractions)) == 0) & (counts[group] == 0)
        order = np.lexsort((counts[group] - exact[group], -needed, ~has_no_training_row))
        order = order[needed[order] > 0][: left_over[group]]
        counts[group, order] += 1
        needed[order] -= 1
    return counts


def _give_training_rows(counts: Labels, train: int) -> None:
    """Exchange rows so that each group (groups, splits) has one in `train`, if there are enough."""
    for group in np.flatnonzero(counts[:, train] == 0):
        donor = counts[:, train].argmax()
        if counts[donor, train] < 2:
            return
        other = counts[group].argmax()
        counts[[group, donor], train] += 1, -1
        counts[[group, donor], other] += -1, 1


_EXACT = 1e-9
"""Rounding error by which fractions such as 0.7 may miss a whole number of rows."""


def _largest_remainder(exact: Array) -> Labels:
    counts = np.floor(exact + _EXACT).astype(np.intp)
    missing = round(exact.sum()) - counts.sum()
    by_remainder: Labels = np.argsort(-np.round(exact - counts, 9), kind="stable")
    counts[by_remainder[:missing]] += 1
    return counts
