"""Types shared by the data modules: labels, tasks, splits; and names and texts of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas

# pandas is imported when a file is read.
DataFrame: TypeAlias = "pandas.DataFrame"
Series: TypeAlias = "pandas.Series"

Labels: TypeAlias = npt.NDArray[np.intp]
Task: TypeAlias = Literal["classification", "multilabel", "regression", "reconstruction"]
AskedTask: TypeAlias = Literal["classification", "multilabel", "regression"]
"""The tasks that a config may set."""
Words: TypeAlias = tuple[str, str]
"""The two texts of a label in the data: where a row does not have it (0), and where it does (1)."""
SplitName: TypeAlias = Literal["train", "val", "test", "data"]
"""A subset of an experiment's rows; `data` is another table, not used for training."""
SPLITS: tuple[SplitName, ...] = ("train", "val", "test")


NEARLY_ALL = 0.9
"""If this share of values is numbers or dates, the column is, and other values are mistakes."""

UNBALANCED = 10
"""Classes are unbalanced if the largest has this many times more rows than the smallest: the
accuracy of always predicting the largest of two is above 90 %."""


def numbered(stem: str, count: int) -> tuple[str, ...]:
    """x1, x2, …"""
    return tuple(f"{stem}{number}" for number in range(1, count + 1))


def number_text(value: float) -> str:
    """The shortest text that reads back to a number; whole numbers without a decimal point."""
    return repr(float(value)) if value % 1 else f"{value:.0f}"
