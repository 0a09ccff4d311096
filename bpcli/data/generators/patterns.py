"""Patterns of 0 and 1: all rows that there are, in the order of counting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bpcli.data.generators.base import Generator, class_table
from bpcli.data.table import Table

# Logic gates: the four rows of a truth table.


@dataclass(frozen=True)
class _Gate(Generator):
    outputs: ClassVar[tuple[int, int, int, int]]

    def table(self, rng: np.random.Generator) -> Table:
        X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        return class_table(X, self.outputs, count=2)


class And(_Gate):
    """1 where both inputs are 1."""

    outputs = (0, 0, 0, 1)


class Or(_Gate):
    """1 where any input is 1."""

    outputs = (0, 1, 1, 1)


class Nand(_Gate):
    """0 where both inputs are 1."""

    outputs = (1, 1, 1, 0)


class Xor(_Gate):
    """1 where the inputs differ: no single unit can learn it."""

    outputs = (0, 1, 1, 0)
