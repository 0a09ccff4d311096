"""Numbers of a trace as the cells of tables: aligned, and cut with … if there are many.

The JSON document has all numbers in full.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.trace.blocks import Arrays, Named

WIDTH = 80
_GAP = 3
_DECIMALS = 6
_FEWEST_DECIMALS = 3
_DECIMALS_OF_A_CUT = 5
_MOST_ROWS = 8
_MOST_COLUMNS = 8
_COLUMNS_OF_A_CUT = 6
ELLIPSIS = "…"


@dataclass(frozen=True)
class Sheet:
    """One table: a corner, one label per row, and one header per column."""

    corner: str
    headers: list[str]
    labels: list[str]
    cells: list[list[str]]

    @property
    def is_cut(self) -> bool:
        return ELLIPSIS in self.headers or ELLIPSIS in self.labels

    @property
    def width(self) -> int:
        """The characters of a line."""
        columns = [[self.corner, *self.labels]]
        columns += [[name, *cells] for name, *cells in zip(self.headers, *self.cells, strict=True)]
        return sum(max(map(len, column)) for column in columns) + _GAP * (len(columns) - 1)


def number(value: float, digits: int = 6) -> str:
    """A number inside a formula."""
    return f"{value + 0.0:.{digits}g}"  # + 0.0: no negative zero


def sheets(arrays: Arrays) -> list[Sheet]:
    """One table of all arrays, or one table each if they do not fit side by side."""
    is_joint = len({len(item.array) for item in arrays.items}) == 1 and (
        sum(item.array.shape[1] > 1 for item in arrays.items) <= 1
    )
    if is_joint:
        sheet = _fitted(arrays.items)
        if sheet.width <= WIDTH:
            return [sheet]
    return [_fitted((item,)) for item in arrays.items]


def has_cut(arrays: Arrays) -> bool:
    """Whether some of the numbers are not shown."""
    return any(sheet.is_cut for sheet in sheets(arrays))


def _fitted(items: tuple[Named, ...]) -> Sheet:
    """A table with as many digits as fit, and with fewer columns if that is not enough."""
    widest = max(item.array.shape[1] for item in items)
    is_cut = widest > _MOST_COLUMNS
    most = _COLUMNS_OF_A_CUT if is_cut else _MOST_COLUMNS
    fewest = _DECIMALS_OF_A_CUT if is_cut else _FEWEST_DECIMALS
    while True:
        for decimals in range(_DECIMALS, fewest - 1, -1):
            sheet = _sheet(items, most, decimals)
            if sheet.width <= WIDTH:
                return sheet
        if most <= _FEWEST_COLUMNS:
            return sheet
        most -= 1


_FEWEST_COLUMNS = 3


def _sheet(items: tuple[Named, ...], most: int, decimals: int) -> Sheet:
    rows = kept(len(items[0].array), _MOST_ROWS)
    wide = [item for item in items if item.array.shape[1] > 1]
    headers: list[str] = []
    columns: list[list[str]] = []
    for item in items:
        indices = kept(item.array.shape[1], most)
        alone = not wide or item is not wide[0]
        headers += [_header(item, index, alone=alone) for index in indices]
        texts = cells(item.array, rows, indices, decimals)
        columns += [list(column) for column in zip(*texts, strict=True)]
    return Sheet(
        wide[0].name if wide else "",
        headers,
        [ELLIPSIS if row is None else str(row + 1) for row in rows],
        [list(row) for row in zip(*columns, strict=True)],
    )


def _header(item: Named, index: int | None, *, alone: bool) -> str:
    if index is None:
        return ELLIPSIS
    if alone:
        return item.name
    return str(index + 1) if item.headers is None else item.headers[index]


def kept(count: int, most: int) -> list[int | None]:
    """The indices that are shown; None marks the place of the omitted ones."""
    if count <= most:
        return list(range(count))
    return [*range(most - 2), None, count - 1]


def cells(
    array: Array, rows: list[int | None], columns: list[int | None], decimals: int
) -> list[list[str]]:
    """The numbers in a common notation."""
    shown = array[np.ix_([r for r in rows if r is not None], [c for c in columns if c is not None])]
    digits = _decimals(shown, decimals)
    return [
        [
            ELLIPSIS if row is None or column is None else _text(float(array[row, column]), digits)
            for column in columns
        ]
        for row in rows
    ]


def _decimals(array: Array, most: int) -> int:
    """Digits after the point: as few as are exact, and fewer for large numbers."""
    largest = float(np.abs(array).max(initial=0))
    if not math.isfinite(largest) or largest == 0:
        return 0 if largest == 0 else most
    for digits in range(min(most, 4)):
        if largest < 1e5 and np.allclose(np.round(array, digits), array, rtol=1e-12, atol=0):
            return digits
    return max(1, most - max(0, math.floor(math.log10(largest))))


def _text(value: float, digits: int) -> str:
    """A number with `digits` decimals, or with an exponent if these would show too little of it."""
    size = abs(value)
    if not math.isfinite(value):
        return str(value)
    is_lost = abs(round(value, digits) - value) > 1e-9 * size and size < 10.0 ** (2 - digits)
    if size >= 1e7 or is_lost:
        return f"{value:.{max(1, digits - 3)}e}"
    return f"{value + 0.0:.{digits}f}"
