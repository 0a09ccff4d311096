"""Numbers as lines of text, all digits of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydantic_core import to_json

from bpcli.nn.arrays import Array

_ROWS_AT_ONCE = 4096
"""So many rows stay in the cache: writing 200,000 rows takes two thirds of the time."""


@dataclass(frozen=True)
class NumberLines:
    """A line for each row of numbers (n, k), as `repr` writes them.

    pydantic writes numbers in a fifth of the time of `repr`, and in the same way from 1e-4 to 1e16;
    rows with others are written again.
    """

    numbers: Array
    separator: str

    @property
    def texts(self) -> Iterator[str]:
        """The lines of some rows at a time; the last one of a text has no end."""
        for first in range(0, len(self.numbers), _ROWS_AT_ONCE):
            yield _lines(self.numbers[first : first + _ROWS_AT_ONCE], self.separator)

    @property
    def cells(self) -> list[str]:
        """The line of each row."""
        return [line for text in self.texts for line in text.split("\n")]


def _lines(numbers: Array, separator: str) -> str:
    text = np.frombuffer(bytearray(to_json(numbers.ravel().tolist())[1:-1]), np.uint8)
    commas, width = np.flatnonzero(text == ord(",")), numbers.shape[1]
    text[commas] = ord(separator)
    text[commas[width - 1 :: width]] = ord("\n")
    lines = text.tobytes().decode()
    sizes = np.abs(numbers)
    is_same = ((sizes >= _SMALLEST) & (sizes < _LARGEST)) | (sizes == 0)
    if is_same.all():
        return lines
    rows = lines.split("\n")
    for row in np.flatnonzero(~is_same.all(axis=1)).tolist():
        rows[row] = separator.join(map(repr, numbers[row].tolist()))
    return "\n".join(rows)


_SMALLEST, _LARGEST = 1e-4, 1e16
