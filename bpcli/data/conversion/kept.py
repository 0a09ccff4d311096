"""The rows of a converted table that are kept, and what is counted in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bpcli.data.conversion.cells import Cells
from bpcli.data.conversion.columns import FEW, Texts, cleaned, codes_of
from bpcli.data.conversion.store import Store, count_texts
from bpcli.data.files.cleaning import Cleaner, UniqueTexts
from bpcli.data.types import Labels
from bpcli.data.values import AMBIGUOUS
from bpcli.errors import DataError
from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class Read:
    """All cells of a table: `inputs` and `targets` are the columns of the store, in this order.

    `cleaner` is that of a text file, and `date_format` the one that was given, if any.
    """

    store: Store
    cells: Cells
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    cleaner: Cleaner | None
    date_format: str | None

    def texts(self) -> dict[str, Texts]:
        """The unique texts of each column of text or of booleans."""
        known = {name: texts for name in self.cells.names if (texts := self._texts_of(name))}
        counted = count_texts(
            self.store.chunks(),
            {self.place(name): np.isin(texts, AMBIGUOUS) for name, texts in known.items()},
            FEW,
        )
        by_name = {}
        for name, texts in known.items():
            rows, first = counted[self.place(name)]
            unique = UniqueTexts(texts, rows, first, self.store.rows)
            cleaner = self.cleaner if name in self.cells.texts else None
            read = cleaned(name, unique, self.cells.firsts.get(name, [0, 0]), cleaner)
            by_name[name] = replace(
                read, are_words=read.are_words or name in self.cells.given_as_text
            )
        return by_name

    def _texts_of(self, name: str) -> list[Any]:
        is_boolean = self.cells.modes.get(name) == "boolean"
        return [False, True] if is_boolean else [*self.cells.texts.get(name, ())]

    def place(self, name: str) -> int:
        """The index of a column in the rows of the store."""
        return 1 + self.cells.names.index(name)


@dataclass
class Summary:
    """Numbers of rows: all `kept` ones, those of each text, and those without a value (`gaps`).

    `heads` are the texts in the first rows of each column, and `order` its texts in the order in
    which they appear. `is_exact` is true if float32 holds the numbers.
    """

    gaps: dict[str, int]
    rows: dict[str, Labels]
    heads: dict[str, list[int]]
    order: dict[str, list[int]]
    kept: int = 0
    without_target: int = 0
    is_exact: bool = True


@dataclass(frozen=True)
class KeptRows:
    """The rows that have targets and, if others are dropped, inputs; and what they have."""

    read: Read
    texts: Mapping[str, Texts]
    drops: bool
    counted: Summary

    @classmethod
    def of(cls, read: Read, texts: Mapping[str, Texts], *, drops: bool) -> KeptRows:
        """The rows, counted in one pass. Raises `DataError` for an infinite number."""
        names = read.cells.names
        summary = Summary(
            gaps=dict.fromkeys(names, 0),
            rows={name: np.zeros(len(each.values), np.intp) for name, each in texts.items()},
            heads={name: [] for name in texts},
            order={name: [] for name in texts},
        )
        kept = cls(read, texts, drops, summary)
        for cells in read.store.chunks():
            kept._count_rows(cells)
        return kept

    def chunks(self) -> Iterator[Array]:
        """The cells of the rows, some at a time."""
        for cells in self.read.store.chunks():
            yield cells[~self._is_dropped(cells)]

    def is_missing(self, name: str, cells: Array) -> Array:
        """Whether the value of a column is missing in each row of cells (n,)."""
        own = cells[:, self.read.place(name)]
        if name not in self.texts:
            return np.isnan(own)
        return np.append(self.texts[name].is_missing, True)[codes_of(own)]

    def _is_dropped(self, cells: Array) -> Array:
        return self._has_gap(self.read.cells.names if self.drops else self.read.targets, cells)

    def _has_gap(self, names: Iterable[str], cells: Array) -> Array:
        """Whether a value of any of these columns is missing in each row of cells (n,)."""
        has_gap = np.zeros(len(cells), bool)
        for name in names:
            has_gap |= self.is_missing(name, cells)
        return has_gap

    def _count_rows(self, cells: Array) -> None:
        is_lost = self._has_gap(self.read.targets, cells)
        kept = cells[~self._is_dropped(cells)]
        self.counted.without_target += int(np.count_nonzero(is_lost))
        self.counted.kept += len(kept)
        for name in self.read.cells.names:
            self._count(name, kept)

    def _count(self, name: str, kept: Array) -> None:
        summary, own = self.counted, kept[:, self.read.place(name)]
        is_missing = self.is_missing(name, kept)
        summary.gaps[name] += int(np.count_nonzero(is_missing))
        if name not in self.texts:
            _refuse_infinite(name, own, kept[:, 0])
            summary.is_exact &= is_exact(own)
            return
        codes = codes_of(own)[~is_missing]
        is_new = summary.rows[name][codes] == 0
        summary.order[name] += dict.fromkeys(codes[is_new].tolist())
        summary.rows[name] += np.bincount(codes, minlength=len(summary.rows[name]))
        head = summary.heads[name]
        head += codes[: FEW - len(head)].tolist()


def _refuse_infinite(name: str, numbers: Array, rows: Array) -> None:
    is_infinite = np.isinf(numbers)
    if is_infinite.any():
        row = int(rows[np.argmax(is_infinite)]) + 1
        raise DataError(f"column `{name}`, row {row}: the value is infinite")


def is_exact(numbers: Array) -> bool:
    """Whether float32 holds all numbers without a loss."""
    with np.errstate(over="ignore"):
        single = numbers.astype(np.float32)
    return bool((np.isnan(numbers) | (single == numbers)).all())
