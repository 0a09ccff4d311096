"""The base class of generators, the options that several share, and a table of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
from annotated_types import Ge, Le, doc

from bpcli.data.drawn import Inputs
from bpcli.data.table import Classes, Table
from bpcli.data.types import numbered

MOST_ROWS = 10**9
"""More rows than any machine can train on: probably a typing error."""

Samples: TypeAlias = Annotated[int, Ge(1), Le(MOST_ROWS), doc("Number of rows.")]
Noise: TypeAlias = Annotated[float, Ge(0), doc("Standard deviation of the added normal noise.")]
Low: TypeAlias = Annotated[float, doc("The lower limit of the inputs.")]
High: TypeAlias = Annotated[float, doc("The upper limit of the inputs.")]
Features: TypeAlias = Annotated[int, Ge(1), doc("Number of inputs.")]
Targets: TypeAlias = Annotated[int, Ge(1), doc("Number of targets.")]
Intercept: TypeAlias = Annotated[float, doc("A constant added to every target.")]


@dataclass(frozen=True)
class Generator:
    """Makes a table; the same state of the random generator gives the same rows."""

    @property
    def rows(self) -> int:
        """The number of rows if an option sets it; 0 for small tables of fixed size."""
        return getattr(self, "n_samples", 0)

    @property
    def numbers(self) -> int:
        """About how many numbers the table will hold; 0 for small tables of fixed size."""
        return self.rows * (getattr(self, "n_features", 2) + getattr(self, "n_targets", 1))

    def table(self, rng: np.random.Generator) -> Table:
        """The rows. Raises `DataError` if the options contradict each other."""
        raise NotImplementedError


def class_table(X: Inputs, labels: Any, count: int) -> Table:
    """A table of classes 0, 1, 2 …."""
    classes = Classes(np.asarray(labels, np.intp), tuple(map(str, range(count))))
    return Table(X, targets=classes, input_names=numbered("x", X.shape[1]))
