"""What every source of data is that needs no file, and the two kinds of table they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
from annotated_types import Ge, Le, doc

from bpcli.data.drawn import Inputs
from bpcli.data.table import Table
from bpcli.data.types import numbered
from bpcli.nn.arrays import Array

MOST_ROWS = 10**9
"""More rows than any machine trains on: a typing error, not a wish."""

Samples: TypeAlias = Annotated[int, Ge(1), Le(MOST_ROWS), doc("Rows.")]
Noise: TypeAlias = Annotated[float, Ge(0), doc("Standard deviation of what is added at random.")]
Low: TypeAlias = Annotated[float, doc("The least input.")]
High: TypeAlias = Annotated[float, doc("The largest input.")]
Features: TypeAlias = Annotated[int, Ge(1), doc("Inputs.")]
Targets: TypeAlias = Annotated[int, Ge(1), doc("Numbers to predict.")]
Intercept: TypeAlias = Annotated[float, doc("What is added to every target.")]


@dataclass(frozen=True)
class Generator:
    """Makes a table; the same generator state gives the same rows."""

    @property
    def rows(self) -> int:
        """How many rows there will be, as far as an option says; 0 where they are few."""
        return getattr(self, "n_samples", 0)

    @property
    def numbers(self) -> int:
        """About how many numbers the table will hold; 0 where they are few."""
        return self.rows * (getattr(self, "n_features", 2) + getattr(self, "n_targets", 1))

    def table(self, rng: np.random.Generator) -> Table:
        """The rows. Raises `DataError` where the options contradict each other."""
        raise NotImplementedError


def class_table(X: Inputs, labels: Any, count: int) -> Table:
    """A table of classes 0, 1, 2 …."""
    return Table(
        X,
        labels=np.asarray(labels, np.intp),
        class_names=tuple(str(number) for number in range(count)),
        input_names=numbered("x", X.shape[1]),
    )


def value_table(X: Inputs, Y: Array) -> Table:
    """A table of values y, or y1, y2 … where Y (n, k) has several columns."""
    Y = Y.reshape(len(X), -1)
    targets = ("y",) if Y.shape[1] == 1 else numbered("y", Y.shape[1])
    return Table(X, Y, input_names=numbered("x", X.shape[1]), target_names=targets)
