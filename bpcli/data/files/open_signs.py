"""Notes on numbers whose point may separate thousands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from bpcli.data.types import DataFrame
from bpcli.errors import see
from bpcli.nn.arrays import Array


def open_signs(frame: DataFrame) -> Iterator[str]:
    """Notes on columns where all fractions have three decimals, which may be thousands."""
    for name in frame.select_dtypes("floating"):
        if len(fractions := thousandths(frame[name].to_numpy())):
            yield open_sign(name, fractions[0])


def open_sign(name: str, fraction: float) -> str:
    """A note on a column where all fractions have three decimals."""
    return (
        f"the '.' in numbers such as {fraction:.3f} of column `{name}` is read as a decimal sign; "
        "if it separates thousands, set `thousands`"
    )


def signs_unlike_training(frame: DataFrame, fills: Mapping[str, float]) -> Iterator[str]:
    """Notes on fractions that may be thousands, in columns of whole numbers in training.

    `fills` are the medians of the columns in training; that of whole numbers is whole or a half.
    """
    names = [name for name, fill in fills.items() if 2 * fill % 1 == 0]
    for name in frame[names].select_dtypes("floating"):
        values = frame[name].to_numpy(np.float64, na_value=np.nan)
        if len(fractions := thousandths(values)) and _have_three_digits(fractions):
            yield (
                f"column `{name}`: {len(fractions):,} numbers such as {fractions[0]:.3f} have 3 "
                f"decimals, but the median in training is {fills[name]:g}{see('thousands')}"
            )


def thousandths(values: Array) -> Array:
    """The fractions, if all of them have at most three decimals and are above 1; else none."""
    fractions: Array = np.abs(values[values % 1 > 0])
    thousandths = fractions * 1000
    are_all = ((fractions >= 1) & (np.round(thousandths) / 1000 == fractions)).all()
    return fractions if are_all else fractions[:0]


def _have_three_digits(fractions: Array) -> bool:
    """Whether most fractions have a third digit, which is 0 in one of ten groups of thousands."""
    return bool((np.round(1000 * fractions) % 10 > 0).mean() >= 0.5)
