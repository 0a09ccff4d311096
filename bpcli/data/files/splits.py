"""Which rows of a file are for training, validation and test, where the user says so row by row.

By files of their own, by lists of row numbers in text files, or by a column that names the split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bpcli.data.files.regular import require_regular
from bpcli.data.selection import Selector
from bpcli.data.types import SPLITS, Labels, SplitName
from bpcli.data.values import quoted, word_of
from bpcli.errors import DataError

if TYPE_CHECKING:
    from pandas import Series

_WORDS: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class FileSplits:
    """One way at most of naming splits; splits that none names are drawn from the training rows."""

    files: Mapping[SplitName, Path] = field(default_factory=dict)
    index: Mapping[SplitName, Path] = field(default_factory=dict)
    column: Selector | None = None


def splits_of_index(index: Mapping[SplitName, Path], rows: int) -> dict[SplitName, Labels]:
    """Row numbers, counted from 0, from text files.

    Raises `DataError` naming the file where one is no row, stands twice or in two splits.
    """
    splits = {split: _row_numbers(path, rows) for split, path in index.items()}
    owner = np.full(rows, -1)
    for number, (split, chosen) in enumerate(splits.items()):
        taken = chosen[owner[chosen] >= 0]
        if len(taken):
            other = list(splits)[owner[taken[0]]]
            raise DataError(f"row {taken[0]} (from 0) is in `{other}` and in `{split}`", "split")
        owner[chosen] = number
    return splits


def _row_numbers(path: Path, rows: int) -> Labels:
    require_regular(path, "split")
    try:
        words = path.read_text("utf-8-sig").split()
        numbers = np.array([float(word) for word in words])
    except ValueError:
        raise DataError(f"{path.name} is no list of row numbers: whole numbers", "split") from None
    if not len(numbers):
        raise DataError(f"{path.name} has no row numbers", "split")
    odd = numbers[~((numbers % 1 == 0) & (numbers >= 0) & (numbers < rows))]
    if len(odd):
        raise DataError(
            f"{path.name} has {odd[0]:g}: rows count from 0 to {rows - 1}, the header left out",
            "split",
        )
    values, counts = np.unique(numbers, return_counts=True)
    if counts.max() > 1:
        raise DataError(f"{path.name} has row {values[counts.argmax()]:.0f} twice", "split")
    sorted_numbers: Labels = values.astype(np.intp)
    return sorted_numbers


def splits_of_column(values: Series, name: str) -> dict[SplitName, Labels]:
    """The rows of each split by a column of `train`, `val` and `test`.

    Raises `DataError` naming the row with another word.
    """
    words = [word_of(value).lower() for value in values]
    odd = next((i for i, word in enumerate(words) if word not in _WORDS), None)
    if odd is not None:
        found = quoted(values.iloc[odd])
        raise DataError(
            f"column `{name}`, row {odd + 1}: `{found}` is no split: expected `train`, `val` or "
            "`test`",
            "split",
        )
    splits = np.array([_WORDS[word] for word in words])
    return {split: np.flatnonzero(splits == split) for split in SPLITS}


def notes_on_splits(splits: Mapping[SplitName, Labels], rows: int) -> tuple[str, ...]:
    """Rows that are used for nothing, since the training rows are listed and they are not."""
    unused = rows - sum(map(len, splits.values()))
    if "train" not in splits or not unused:
        return ()
    return (f"{unused} of {rows} rows are in no split and stay unused",)


def require_distinct(first: Path, others: Mapping[SplitName, Path]) -> None:
    """Raises `DataError` where one file stands for two splits."""
    seen = {first: "train"}
    for split, path in others.items():
        if path in seen:
            raise DataError(f"{path.name} is the file of `{seen[path]}` and of `{split}`", "split")
        seen[path] = split


def splits_of_files(sizes: Mapping[SplitName, int]) -> dict[SplitName, Labels]:
    """The rows of each file in one table of all, in the order of `sizes`."""
    ends = np.cumsum(list(sizes.values()))
    return {
        split: np.arange(end - size, end)
        for (split, size), end in zip(sizes.items(), ends, strict=True)
    }
