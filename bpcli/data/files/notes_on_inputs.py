"""Inputs of a file that are constant, and notes on its columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bpcli.data.columns import FeatureEncoder
from bpcli.data.row_index import RowIndex
from bpcli.data.stored_rows import StoredRows
from bpcli.data.table import constant_columns
from bpcli.errors import DataError
from bpcli.nn.arrays import Array
from bpcli.text import listed_names

_MOST_NOTES = 3


def without_constants(
    encoder: FeatureEncoder, X: Array | StoredRows, training: RowIndex
) -> FeatureEncoder:
    """The encoder without inputs that are constant in the training rows; all for a single row.

    Raises `DataError` if all are constant.
    """
    if len(training) < 2:
        return encoder
    varies = np.ones(X.shape[1], bool)
    varies[constant_columns(X, training)] = False
    if not varies.any():
        raise DataError(
            "every input has the same value in all training rows: there is nothing to learn from",
            "inputs",
        )
    return encoder.varying(varies)


def note_on_constants(fitted: FeatureEncoder, encoder: FeatureEncoder) -> str:
    """The columns, and the indicators, that were left out, counted and named."""
    kept = {column.name: column for column in encoder.inputs}
    names = [
        column.name if column.name not in kept else column.names[-1]
        for column in fitted.inputs
        if column != kept.get(column.name)
    ]
    have = "column that has" if len(names) == 1 else "columns that have"
    listed = listed_names(names)
    return f"left out {len(names)} input {have} the same value in all training rows: {listed}"


def first_notes(notes: Sequence[str], fact: str) -> Iterator[str]:
    """The first notes on columns with a fact, and the number of further ones."""
    yield from notes[:_MOST_NOTES]
    if len(notes) > _MOST_NOTES:
        yield f"{len(notes) - _MOST_NOTES:,} further columns with {fact}"
