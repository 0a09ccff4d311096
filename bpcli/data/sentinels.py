"""Numbers such as -999 that mark missing values in some files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from bpcli.data.types import number_text
from bpcli.nn.arrays import Array, Vector

_FEWEST_OTHERS = 5


def sentinel_in(numbers: Vector) -> str | None:
    """A warning about a repeated number far from all others of a column; None if there is none."""
    known = numbers[~np.isnan(numbers)]
    for sentinel in (known.min(), known.max()) if len(known) else ():
        rows = int(np.count_nonzero(known == sentinel))
        others = known[known != sentinel] if rows > 1 else known[:0]
        if len(others) and _is_far(float(sentinel), rows, others):
            value = number_text(float(sentinel))
            return (
                f"has {value} in {rows:,} rows, far from its other values ({others.min():.6g} to "
                f"{others.max():.6g}): if it marks missing values, set `missing` to {value} "
                f"(--missing {value})"
            )
    return None


def _is_far(value: float, rows: int, others: Vector) -> bool:
    """Whether a value is twice the range of the others away from them; half of it for 999 etc.

    The most frequent value is also far if it is the only negative one. None is far from fewer than
    five unique others.
    """
    unique, counts = np.unique(others, return_counts=True)
    if len(unique) < _FEWEST_OTHERS:
        return False
    low, high = float(unique[0]), float(unique[-1])
    distance = low - value if value < low else value - high
    is_code = re.fullmatch(r"-?9{2,}", number_text(value)) is not None
    if distance > (0.5 if is_code else 2) * (high - low):
        return True
    return value < 0 <= low and rows > int(counts.max())


def sentinels_of(X: Array, names: Sequence[str]) -> Iterator[str]:
    """Warnings about columns of X (n, d); only those with a repeated extreme are examined."""
    if not len(X):
        return
    ends = (X.min(axis=0), X.max(axis=0))
    repeated = np.logical_or(*(np.count_nonzero(end == X, axis=0) > 1 for end in ends))
    for index in np.flatnonzero(repeated):
        if (said := sentinel_in(X[:, index])) is not None:
            yield f"column `{names[int(index)]}` {said}"
