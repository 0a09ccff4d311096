"""Patterns of 0 and 1: all possible rows, in binary counting order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le, doc

from bpcli.data.generators.base import Generator, class_table
from bpcli.data.table import Table
from bpcli.data.types import numbered
from bpcli.nn.arrays import Array

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


# Functions of all patterns of some bits.


def all_patterns(bits: int) -> Array:
    """The numbers 0 … 2^bits - 1 in binary, one per row, the most significant bit first."""
    numbers = np.arange(2**bits)[:, np.newaxis]
    return (numbers >> np.arange(bits)[::-1] & 1).astype(np.float64)


@dataclass(frozen=True)
class _Bits(Generator):
    bits: Annotated[int, Ge(1), Le(20), doc("Number of inputs; there are 2^bits rows.")] = 4

    @property
    def rows(self) -> int:
        return 1 << self.bits

    @property
    def numbers(self) -> int:
        return self.rows * self.bits

    def table(self, rng: np.random.Generator) -> Table:
        X = all_patterns(self.bits)
        return class_table(X, self._answer(X), count=2)

    @staticmethod
    def _answer(X: Array) -> Any:
        raise NotImplementedError


class Parity(_Bits):
    """1 where an odd number of bits is 1: every single bit changes the target.

    XOR for more inputs (Rumelhart, Hinton & Williams 1986, PDP vol. 1, ch. 8). All 2^bits rows.
    """

    @staticmethod
    def _answer(X: Array) -> Any:
        return X.sum(axis=1) % 2


@dataclass(frozen=True)
class Symmetry(_Bits):
    """1 where the bits are a palindrome: two hidden units are enough.

    Rumelhart, Hinton & Williams 1986, Nature 323, 533, fig. 1, with 6 bits. All 2^bits rows.
    """

    bits: Annotated[int, Ge(2), Le(20), doc("Number of inputs; there are 2^bits rows.")] = 6

    @staticmethod
    def _answer(X: Array) -> Any:
        return (X[:, ::-1] == X).all(axis=1)


@dataclass(frozen=True)
class Encoder(Generator):
    """One-hot patterns, to be reproduced at the output.

    With fewer hidden units than patterns the network must find a code for them: the k-m-k
    encoder of Ackley, Hinton & Sejnowski 1985, Cognitive Science 9, 147.
    """

    n_patterns: Annotated[
        int, Ge(2), Le(4096), doc("Number of rows, of inputs and of targets.")
    ] = 8

    @property
    def rows(self) -> int:
        return self.n_patterns

    @property
    def numbers(self) -> int:
        return self.n_patterns**2

    def table(self, rng: np.random.Generator) -> Table:
        X = np.eye(self.n_patterns)
        return Table(X, input_names=numbered("x", len(X))).with_inputs_as_targets()
