"""The order of rows by a column of dates or numbers."""

from __future__ import annotations

import numpy as np

from bpcli.data.column_values import ColumnValues
from bpcli.data.dates import ambiguity_of
from bpcli.data.types import Series
from bpcli.data.values import row_of
from bpcli.errors import DataError
from bpcli.nn.arrays import Vector


def order_of(values: Series, date_format: str | None) -> tuple[Vector, list[str]]:
    """Numbers (n,) that sort the rows, dates as days; and a note if dates fit two formats.

    Raises `DataError` for a column of other values, and for a missing value, with its row.
    """
    name = str(values.name)
    column = ColumnValues.of(values, date_format)
    if column.error is not None:
        raise DataError(column.error)
    if column.kind not in ("number", "date"):
        contents = "booleans" if column.kind == "boolean" else "categories"
        raise DataError(
            f"column `{name}` contains {contents}, but `order_by` needs dates or numbers"
        )
    is_missing = np.isnan(column.numbers)
    if is_missing.any():
        file, row = row_of(values, is_missing)
        raise DataError(
            f"column `{name}`, row {row}: the value is missing, so that `order_by` cannot place "
            "the row: fill in the value, or remove the row",
            file=file,
        )
    if column.dates is None or column.dates.other is None:
        return column.numbers, []
    return column.numbers, [f"column `{name}` {ambiguity_of(column.dates)}"]
