"""Targets that stay in their file, and what one reading of the file found about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bpcli.data.labels import label_words
from bpcli.data.stored_rows import StoredCodes, StoredFlags, StoredFloats, StoredPlaces, lazily
from bpcli.data.table import Classes, MultiLabels, Values
from bpcli.data.targets import MOST_CLASSES
from bpcli.data.types import number_text
from bpcli.errors import DataError
from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class TargetFacts:
    """Facts about columns of targets.

    `uniques` are the sorted unique values of each column; None if they are more than
    `MOST_CLASSES`.
    """

    ends: tuple[float, float]
    are_whole: bool
    are_flags: bool
    are_one_hot: bool
    uniques: tuple[Array | None, ...]


@dataclass(frozen=True)
class StoredValues(Values):
    """Targets that are numbers in a file: Y (n, k) reads like an array."""

    facts: TargetFacts = TargetFacts((0, 0), False, False, False, ())

    @property
    def ends(self) -> tuple[float, float]:
        return self.facts.ends

    @property
    def are_whole(self) -> bool:
        return self.facts.are_whole

    @property
    def are_flags(self) -> bool:
        return self.facts.are_flags

    @property
    def are_one_hot(self) -> bool:
        return self.facts.are_one_hot

    @property
    def are_two_classes(self) -> bool:
        uniques = self.facts.uniques[0]
        return len(self.names) == 1 and uniques is not None and uniques.tolist() == [0, 1]

    def as_classes(self) -> Classes:
        stored = self._stored
        if len(self.names) == 1:
            values = self._unique(0)
            codes = StoredCodes(stored.source, stored.columns[0], values, np.arange(len(values)))
            return Classes(lazily(codes), tuple(map(number_text, values.tolist())))
        if not self.are_one_hot:
            raise DataError(
                "targets cannot be read as classes: they are neither one column nor one-hot"
            )
        return Classes(lazily(StoredPlaces(stored.source, stored.columns)), self.names)

    def as_labels(self) -> MultiLabels:
        stored = self._stored
        words = [
            label_words([*map(number_text, self._unique(k).tolist())], name)
            for k, name in enumerate(self.names)
        ]
        ones = np.array([float(one) for _, one in words])
        flags = StoredFlags(stored.source, stored.columns, ones)
        return MultiLabels(lazily(flags), self.names, tuple(words))

    def _unique(self, k: int) -> Array:
        """The unique values of a column. Raises `DataError` if they are too many for classes."""
        values = self.facts.uniques[k]
        if values is None:
            raise too_many_classes(self.names[k])
        return values

    @property
    def _stored(self) -> StoredFloats:
        assert isinstance(self.Y, StoredFloats), "these targets are in a file"
        return self.Y


def too_many_classes(name: str) -> DataError:
    """The error for a column that cannot hold classes."""
    return DataError(
        f"column `{name}` has more unique values than the {MOST_CLASSES} classes allowed: "
        "choose another column by `targets`, or, if it contains numbers, set `task: regression`",
        "targets",
    )
