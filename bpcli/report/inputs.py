"""Rows of a table as a reader knows them: the columns of the file, not the inputs made of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bpcli.data.columns import InputColumn
from bpcli.data.dates import date_text
from bpcli.data.types import Labels
from bpcli.nn.arrays import Array, Vector
from bpcli.report.tables import Cell, Column
from bpcli.runs.subject import Subject

MOST_COLUMNS = 8


class Inputs(NamedTuple):
    """The heads of the shown columns, and the cells of each row."""

    columns: list[Column]
    cells: list[list[Cell]]


def inputs_at(subject: Subject, index: Labels) -> tuple[Inputs, int]:
    """The inputs of the rows of the table at `index`, and the number of columns left out."""
    table = subject.experiment.table
    order = np.argsort(index)
    X = np.empty((len(index), table.X.shape[1]))
    X[order] = table.X[index[order]]
    if table.encoder is None:
        names = table.input_names
        columns = [Column(name, True) for name in names[:MOST_COLUMNS]]
        cells: list[list[Cell]] = [list(map(float, row[:MOST_COLUMNS])) for row in X]
        return Inputs(columns, cells), max(0, len(names) - MOST_COLUMNS)
    starts = table.encoder.starts
    shown = starts[:MOST_COLUMNS]
    columns = [Column(column.name, column.kind in ("number", "date")) for column, _ in shown]
    cells = [[_cell(column, row[start:]) for column, start in shown] for row in X]
    return Inputs(columns, cells), len(starts) - len(shown)


def _cell(column: InputColumn, x: Vector) -> Cell:
    """The value of a column, from its inputs; a filled value is shown as its fill."""
    value = float(x[0])
    if column.kind == "date":
        return value, date_text(value, column.date_format)
    if column.kind == "boolean":
        return "true" if value else "false"
    if column.kind == "category":
        return _category(column, x[: len(column.categories)])
    return value


def _category(column: InputColumn, flags: Array) -> Cell:
    """The category, or nothing for one that the training rows do not have."""
    return column.categories[int(flags.argmax())] if flags.any() else None
