"""The blocks of a trace: headings, text, formulas, equations with numbers, and arrays.

Formulas are written once, in plain text with the kernel's names (W1, a0ᵀ, delta2[1], ∂loss/∂W1);
formats with their own notation translate them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class Heading:
    """Level 1 is the title, 2 a section, 3 a layer."""

    level: int
    text: str


@dataclass(frozen=True)
class Prose:
    """One or more sentences."""

    text: str


@dataclass(frozen=True)
class Formula:
    """One equation in symbols."""

    text: str


@dataclass(frozen=True)
class Chain:
    """An equation with several right-hand sides: symbols, then numbers, then the result."""

    parts: tuple[str, ...]


@dataclass(frozen=True)
class Named:
    """An array (rows, columns) and its name in formulas.

    `headers` name the columns; without them, columns are numbered from 1.
    """

    name: str
    array: Array
    headers: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Arrays:
    """Arrays that belong together: in one table if they have the same rows and fit side by side."""

    items: tuple[Named, ...]


Block: TypeAlias = Heading | Prose | Formula | Chain | Arrays
