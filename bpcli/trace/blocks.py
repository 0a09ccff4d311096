"""What a trace is made of on a page: headings, words, formulas, arrays, and worked-out lines.

Formulas are written once, in plain text with the names of DESIGN's mathematics (W1, a0ᵀ, delta2[1],
∂loss/∂W1); a format that has notation of its own translates them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class Heading:
    """Level 1 is the title, 2 a part of it, 3 a layer."""

    level: int
    text: str


@dataclass(frozen=True)
class Prose:
    """A sentence or a few."""

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
    """An array (rows, columns) and its name as formulas have it.

    `headers` name the columns; without them they count from 1.
    """

    name: str
    array: Array
    headers: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Arrays:
    """Arrays that are shown together: in one table if they have the same rows and there is room."""

    items: tuple[Named, ...]


Block: TypeAlias = Heading | Prose | Formula | Chain | Arrays
