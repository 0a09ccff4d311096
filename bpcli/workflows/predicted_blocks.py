"""Predictions for the rows of a file, a block at a time, with the columns kept beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from bpcli.data.types import DataFrame, Labels
from bpcli.export.model import Model
from bpcli.nn.arrays import Array


class KeptColumn(NamedTuple):
    """A column with the text of the file; `are_numbers` if it was read as numbers."""

    name: str
    texts: list[str]
    are_numbers: bool


class Block(NamedTuple):
    """Inputs (n, inputs) and outputs (n, outputs) of some rows, and their numbers from 1.

    Both are in original units; categories are encoded. `inputs` are as the columns beside have
    prepared them.
    """

    inputs: Array
    outputs: Array
    rows: Labels
    kept: tuple[KeptColumn, ...] = ()


class Beside:
    """Columns beside the outputs (n, outputs): numbers, then texts. This class has none.

    They are computed from the outputs and from what `prepare` gives, by default the encoded inputs
    (n, inputs), both in original units.
    """

    def prepare(self, frame: DataFrame, inputs: Array) -> Array:
        """What the columns are computed from, for a block of rows; called once for each block."""
        return inputs

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the rows that were prepared."""
        return ()

    @property
    def number_names(self) -> tuple[str, ...]:
        """The names of the columns of numbers."""
        return ()

    @property
    def text_names(self) -> tuple[str, ...]:
        """The names of the columns of text."""
        return ()

    def numbers(self, inputs: Array, outputs: Array) -> Array:
        """The numbers (n, number_names)."""
        return np.empty((len(outputs), 0))

    def texts(self, inputs: Array, outputs: Array) -> list[list[str]]:
        """The texts of each column."""
        return []

    def documents(self, inputs: Array, outputs: Array) -> Iterator[dict[str, Any]]:
        """The members of the JSON document of each row."""
        return ({} for _ in outputs)

    def arrays(self, inputs: Array, outputs: Array) -> dict[str, Array]:
        """The arrays of a .npz file, by their names; each has a row for each of these."""
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
