"""Rows of cells in a file of 8-byte floats, and what is counted in them, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.arrays import Array

_VALUES_AT_ONCE = 2**20
"""8 MB of numbers."""

_BITS = 16
_ALL_BITS = 64


@dataclass(frozen=True)
class Store:
    """A file with `rows` rows of `width` numbers, of which the first is the row's number."""

    path: Path
    width: int
    rows: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return 8 * self.rows * self.width

    def chunks(self) -> Iterator[Array]:
        """All rows in order, some at a time."""
        rows = max(1, _VALUES_AT_ONCE // self.width)
        with self.path.open("rb") as file:
            for start in range(0, self.rows, rows):
                count = min(rows, self.rows - start)
                yield np.fromfile(file, np.float64, count * self.width).reshape(count, self.width)


def count_texts(
    chunks: Iterator[Array], are_words: Mapping[int, Array], few: int
) -> dict[int, tuple[Labels, list[int]]]:
    """How many rows have each text of some columns, and the texts of their first `few` rows.

    `are_words` (k,) says of each text of a column whether it is an entry for missing values; the
    first rows are those with another text.
    """
    counts = {position: np.zeros(len(each), np.intp) for position, each in are_words.items()}
    firsts: dict[int, list[int]] = {position: [] for position in are_words}
    for cells in chunks:
        for position, is_word in are_words.items():
            codes = cells[:, position]
            known = codes[~np.isnan(codes)].astype(np.intp)
            counts[position] += np.bincount(known, minlength=len(is_word))
            if (missing := few - len(firsts[position])) > 0:
                firsts[position] += known[~is_word[known]][:missing].tolist()
    return {position: (counts[position], firsts[position]) for position in are_words}


def means(chunks: Iterator[Array]) -> list[float]:
    """The mean of each column, without NaN."""
    sums: list[list[float]] = []
    counts: int | Labels = 0
    for numbers in chunks:
        sums.append(np.nansum(numbers, axis=0).tolist())
        counts = counts + np.count_nonzero(~np.isnan(numbers), axis=0)
    totals = [math.fsum(column) for column in zip(*sums, strict=True)]
    return [float(mean) for mean in np.array(totals) / counts]


def medians(chunks: Callable[[], Iterator[Array]], counts: Labels) -> list[float]:
    """The median of each column, without NaN; `counts` are its numbers.

    The bits of a float, with those of negative numbers inverted, have the order of the numbers.
    Four passes count the rows by 16 further bits of the numbers around the middle.
    """
    ranks = {(position, rank) for position, n in enumerate(counts.tolist()) for rank in _middle(n)}
    prefixes = dict.fromkeys(ranks, 0)
    below = dict.fromkeys(ranks, 0)
    for done in range(0, _ALL_BITS, _BITS):
        wanted = {(position, prefixes[position, rank]) for position, rank in ranks}
        histograms = _histograms(chunks(), wanted, done)
        for position, rank in ranks:
            histogram = histograms[position, prefixes[position, rank]]
            until = np.cumsum(histogram)
            digit = int(np.searchsorted(until, rank - below[position, rank], side="right"))
            below[position, rank] += int(until[digit] - histogram[digit])
            prefixes[position, rank] = prefixes[position, rank] << _BITS | digit
    values = {each: _number_of(prefix) for each, prefix in prefixes.items()}
    return [
        float(np.mean([values[position, rank] for rank in _middle(n)]))
        for position, n in enumerate(counts.tolist())
    ]


def _middle(count: int) -> tuple[int, int]:
    """The ranks of the two numbers in the middle, which are the same for an odd count."""
    return (count - 1) // 2, count // 2


def _histograms(
    chunks: Iterator[Array], wanted: set[tuple[int, int]], done: int
) -> dict[tuple[int, int], Labels]:
    """Numbers of rows by their next bits, for columns and the bits that are known already."""
    histograms = {each: np.zeros(2**_BITS, np.intp) for each in wanted}
    for numbers in chunks:
        for position, prefix in wanted:
            column = numbers[:, position]
            keys = _keys(column[~np.isnan(column)])
            if done:
                keys = keys[keys >> np.uint64(_ALL_BITS - done) == np.uint64(prefix)]
            digits = keys >> np.uint64(_ALL_BITS - done - _BITS) & np.uint64(2**_BITS - 1)
            histograms[position, prefix] += np.bincount(digits.astype(np.intp), minlength=2**_BITS)
    return histograms


_SIGN = np.uint64(2**63)


def _keys(numbers: Array) -> Array:
    """Whole numbers in the order of floats; -0.0 is 0.0."""
    bits = (numbers + 0.0).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _number_of(key: int) -> float:
    bits = np.uint64(key)
    return float((bits ^ _SIGN if bits & _SIGN else ~bits).view(np.float64))
