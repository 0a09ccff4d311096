"""Whole numbers that double precision cannot represent: different ones may become equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import numpy as np

from bpcli.data.drawn import DrawnRows
from bpcli.data.row_blocks import row_blocks
from bpcli.data.stored_rows import StoredRows
from bpcli.data.types import Series
from bpcli.data.values import INEXACT
from bpcli.nn.arrays import Array
from bpcli.text import listed_names, plural

_DOUBLE_BYTES = 8
_HALF = 32
_OF_HALF = 2.0**_HALF


def count_rounded(values: Series) -> int:
    """How many whole numbers of a column are others in double precision.

    Only integers and decimals as such are counted, not texts.
    """
    if values.dtype == object:
        return sum(isinstance(each, Decimal) and _is_rounded(each) for each in values)
    if values.dtype.kind not in "iu":
        return 0
    known = values.dropna()
    whole = known.to_numpy(np.uint64 if values.dtype.kind == "u" else np.int64)
    return int(np.count_nonzero(_is_other(whole)))


def rounded_columns(X: Array | DrawnRows | StoredRows, names: Sequence[str]) -> dict[str, int]:
    """The same for the columns of an array (n, d) that have any, by name."""
    if X.dtype.kind not in "iu" or X.dtype.itemsize < _DOUBLE_BYTES:
        return {}
    counts = sum(np.count_nonzero(_is_other(X[block]), axis=0) for block in row_blocks(X.shape))
    return {names[k]: int(counts[k]) for k in np.flatnonzero(counts).tolist()}


def rounding_notes(rounded: Mapping[str, int]) -> Iterator[str]:
    """A note on the columns of `rounded`, if there are any."""
    count = sum(rounded.values())
    if count:
        yield (
            f"double precision cannot represent {plural(count, 'whole number')} in "
            f"{listed_names([*rounded])} exactly: {'they are' if count > 1 else 'it is'} "
            "rounded, so that different ones may become equal"
        )


def _is_rounded(number: Decimal) -> bool:
    return (
        number.is_finite()
        and number == number.to_integral_value()
        and Decimal(float(number)) != number
    )


def _is_other(whole: Array) -> Array:
    """Where integers differ from the nearest doubles.

    Both are compared after the upper half was subtracted, so that no step is rounded.
    """
    numbers = whole.astype(np.float64)
    is_other = np.abs(numbers) >= INEXACT
    large = whole[is_other]
    upper = (large >> _HALF).astype(np.float64) * _OF_HALF
    lower = (large & (2**_HALF - 1)).astype(np.float64)
    is_other[is_other] = numbers[is_other] - upper != lower
    return is_other
