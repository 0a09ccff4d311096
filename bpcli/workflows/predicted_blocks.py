"""Predictions for the rows of a file, a block at a time, with the columns kept beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from bpcli.data.types import Labels
from bpcli.export.model import Model
from bpcli.nn.arrays import Array


class KeptColumn(NamedTuple):
    """A column with the text of the file; `are_numbers` if it was read as numbers."""

    name: str
    texts: list[str]
    are_numbers: bool


class Block(NamedTuple):
    """The outputs (n, outputs) of some rows, and their numbers in the file, from 1."""

    outputs: Array
    rows: Labels
    kept: tuple[KeptColumn, ...] = ()


class Beside:
    """Columns beside the outputs, computed from them: numbers, then texts. This class has none."""

    @property
    def number_names(self) -> tuple[str, ...]:
        """The names of the columns of numbers."""
        return ()

    @property
    def text_names(self) -> tuple[str, ...]:
        """The names of the columns of text."""
        return ()

    def numbers(self, outputs: Array) -> Array:
        """The numbers (n, number_names) for outputs (n, outputs)."""
        return np.empty((len(outputs), 0))

    def texts(self, outputs: Array) -> list[list[str]]:
        """The texts of each column."""
        return []

    def documents(self, outputs: Array) -> Iterator[dict[str, Any]]:
        """The members of the JSON document of each row."""
        return ({} for _ in outputs)

    def arrays(self, outputs: Array) -> dict[str, Array]:
        """The arrays of a .npz file, by their names."""
        return {}


NOTHING = Beside()


@dataclass(frozen=True)
class Predictions:
    """All blocks of a file; `kept` are the names of the columns kept."""

    model: Model
    blocks: Iterable[Block]
    kept: tuple[str, ...] = ()
    beside: Beside = NOTHING

    @property
    def columns(self) -> list[str]:
        """The names of a table's columns: those kept, the outputs and classes, those beside."""
        beside = self.beside
        return [
            *self.kept, *result_names(self.model), *beside.number_names, *beside.text_names,
        ]  # fmt: skip


def result_names(model: Model) -> list[str]:
    """The names of the columns of predictions."""
    return [*model.output_names, *model.answers]
