"""Predictions for the rows of a file, a block at a time, with the columns kept beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

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


@dataclass(frozen=True)
class Predictions:
    """All blocks of a file; `kept` are the names of the columns kept."""

    model: Model
    blocks: Iterable[Block]
    kept: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The names of a table's columns: those kept, the outputs, and the classes or labels."""
        return [*self.kept, *result_names(self.model)]


def result_names(model: Model) -> list[str]:
    """The names of the columns of predictions."""
    return [*model.output_names, *model.answers]
