"""Splits that the user defines: by separate files, by lists of row numbers, or by a column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bpcli.data.files.regular import require_regular
from bpcli.data.selection import Selector
from bpcli.data.types import SPLITS, Labels, Series, SplitName
from bpcli.data.values import quoted, text_of
from bpcli.errors import DataError

_SPLIT_NAMES: dict[str, SplitName] = {
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
    """At most one way of defining splits; other splits are drawn from the training rows."""

    files: Mapping[SplitName, Path] = field(default_factory=dict)
    index: Mapping[SplitName, Path] = field(default_factory=dict)
    column: Selector | None = None

    def rows(
        self, first: Path, numbers: Mapping[Path, Labels], count: int
    ) -> dict[SplitName, Labels]:
        """The rows of each split, by files or row numbers; `first` has the training rows.

        `numbers` are the numbers of the used rows of each file, which follow each other in the
        table; `count` is the number of all rows of `first`.
        """
        if not self.files:
            return splits_of_index(self.index, numbers[first], count)
        files = {"train": first, **self.files}
        return splits_of_files({split: len(numbers[path]) for split, path in files.items()})

    def not_streamed(self) -> Iterator[DataError]:
        """Why the rows cannot be streamed: their splits are not drawn from one file."""
        if self.files:
            yield DataError(
                "streamed rows are those of one file, but `split.files` names others: join the "
                "files, and use fractions with `order: time`",
                "split",
            )
        if self.index:
            yield DataError(
                "the splits of streamed rows are drawn, but `split.index` lists them: use "
                "fractions, or `training.engine: memory`",
                "split",
            )
        if self.column is not None:
            yield DataError(
                "the splits of streamed rows are drawn, but `split.column` gives them: use "
                "fractions, or `training.engine: memory`",
                "split",
            )

    def paths(self, first: Path) -> list[Path]:
        """All files, in this order. Raises `DataError` if two splits have the same file."""
        owner = {first: "train"}
        for split, path in self.files.items():
            if path in owner:
                both = f"`{owner[path]}` and of `{split}`"
                raise DataError(f"{path.name} is the file of {both}: each needs its own", "split")
            owner[path] = split
        return list(owner)


def splits_of_index(
    index: Mapping[SplitName, Path], numbers: Labels, count: int
) -> dict[SplitName, Labels]:
    """Rows by their numbers, counted from 1 without the header, from text files.

    `numbers` are the numbers of the used rows, of `count` in total. Raises `DataError` naming the
    file if a number is not a row, or is repeated, also in two splits.
    """
    owner = np.full(count + 1, -1)
    splits = list(index)
    for split_number, (split, path) in enumerate(index.items()):
        chosen = _row_numbers(path, count)
        taken = chosen[owner[chosen] >= 0]
        if len(taken):
            other = splits[owner[taken[0]]]
            both = f"row {taken[0]} is in `{other}` and in `{split}`"
            raise DataError(f"{both}: list it in one of them only", "split")
        owner[chosen] = split_number
    return {split: np.flatnonzero(owner[numbers] == i) for i, split in enumerate(splits)}


def _row_numbers(path: Path, count: int) -> Labels:
    require_regular(path, "split")
    try:
        numbers = np.array([float(text) for text in path.read_text("utf-8-sig").split()])
    except ValueError:
        raise DataError(f"{path.name}: expected whole numbers, the row numbers", "split") from None
    if not len(numbers):
        raise DataError(f"{path.name} has no row numbers", "split")
    wrong = numbers[~((numbers % 1 == 0) & (numbers >= 1) & (numbers <= count))]
    if len(wrong):
        raise DataError(
            f"{path.name} has {wrong[0]:g}: rows are numbered from 1 to {count}, without the "
            "header",
            "split",
        )
    values, counts = np.unique(numbers, return_counts=True)
    if counts.max() > 1:
        raise DataError(f"{path.name} has row {values[counts.argmax()]:.0f} twice", "split")
    sorted_numbers: Labels = values.astype(np.intp)
    return sorted_numbers


def splits_of_column(values: Series, name: str) -> dict[SplitName, Labels]:
    """The rows of each split, by a column of `train`, `val` and `test`.

    Raises `DataError` with the row of any other value.
    """
    texts = [text_of(value).lower() for value in values]
    wrong = next((i for i, text in enumerate(texts) if text not in _SPLIT_NAMES), None)
    if wrong is not None:
        raise DataError(
            f"column `{name}`, row {values.index[wrong] + 1}: found "
            f"`{quoted(values.iloc[wrong])}`, expected `train`, `val` or `test`",
            "split",
        )
    splits = np.array([_SPLIT_NAMES[text] for text in texts])
    return {split: np.flatnonzero(splits == split) for split in SPLITS}


def notes_on_splits(splits: Mapping[SplitName, Labels], rows: int) -> tuple[str, ...]:
    """A note on unused rows, which exist if the training rows are listed."""
    unused = rows - sum(map(len, splits.values()))
    if "train" not in splits or not unused:
        return ()
    return (f"{unused} of {rows} rows are in no split and are not used",)


def splits_of_files(sizes: Mapping[SplitName, int]) -> dict[SplitName, Labels]:
    """The rows of each file in the concatenated table, in the order of `sizes`."""
    ends = np.cumsum(list(sizes.values()))
    return {
        split: np.arange(end - size, end)
        for (split, size), end in zip(sizes.items(), ends, strict=True)
    }
