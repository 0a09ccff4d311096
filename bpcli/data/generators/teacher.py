"""Outputs of a random network, as targets for another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, doc

from bpcli.data.drawn import normal_rows
from bpcli.data.generators.base import (
    Features,
    Generator,
    Noise,
    Samples,
    Targets,
    class_table,
)
from bpcli.data.row_blocks import row_blocks
from bpcli.data.table import Table, value_table


@dataclass(frozen=True)
class Teacher(Generator):
    """Outputs of a random tanh network: y = tanh(x A / √n_features) B / √n_hidden + N(0, noise).

    x, A (n_features, n_hidden) and B (n_hidden, n_targets) are drawn from N(0, 1), in this order.
    With `n_classes`, B has one column per class, and the class is the index of the largest y.
    """

    n_samples: Samples = 100
    n_features: Features = 10
    n_hidden: Annotated[int, Ge(1), doc("Number of hidden units of the teacher.")] = 10
    n_targets: Targets = 1
    n_classes: Annotated[
        Annotated[int, Ge(2)] | None,
        doc("Number of classes, set by the largest y; if null, targets are y."),
    ] = None
    noise: Noise = 0.1

    def __post_init__(self) -> None:
        if self.n_classes is not None and self.n_targets != 1:
            raise ValueError("`n_classes` and `n_targets` exclude each other: remove one")

    @property
    def numbers(self) -> int:
        return self.n_samples * (self.n_classes or self.n_targets)  # large inputs are not stored

    def table(self, rng: np.random.Generator) -> Table:
        X = normal_rows(rng, (self.n_samples, self.n_features))
        A = rng.standard_normal((self.n_features, self.n_hidden))
        B = rng.standard_normal((self.n_hidden, self.n_classes or self.n_targets))
        Y = np.empty((len(X), B.shape[1]))
        for block in row_blocks(X.shape):  # the hidden units of all rows would be large
            Y[block] = np.tanh(X[block] @ A / math.sqrt(self.n_features)) @ B
        Y /= math.sqrt(self.n_hidden)
        Y += rng.normal(0, self.noise, Y.shape)
        if self.n_classes is None:
            return value_table(X, Y)
        return class_table(X, Y.argmax(1), self.n_classes)
