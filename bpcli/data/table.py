"""A table: what every source of data gives, before anything is split, scaled or encoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bpcli.data.drawn import Inputs
from bpcli.data.types import Labels, SplitName, Task, number_text
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

if TYPE_CHECKING:
    from bpcli.data.columns import FeatureEncoder


class Unfitted(Protocol):
    """Inputs of a file that become numbers once the training rows are known."""

    def fit(self, training: Labels, class_names: tuple[str, ...]) -> FeatureEncoder:
        """What the training rows say of the columns."""
        ...

    def encode(self, encoder: FeatureEncoder) -> Array:
        """The inputs of all rows."""
        ...


@dataclass(frozen=True)
class Table:
    """Inputs X (n, d) and their targets: class labels (n,), or values Y (n, k), or nothing.

    `labels` count into `class_names`; `weight` (n,) is how much each row counts, where they differ.
    `task` is `reconstruction` where the targets are the inputs.
    X of a file is empty before `fitted`, and made by `encoder` then, unless it is an array.
    `splits` are the rows of splits that the file itself tells apart.
    """

    X: Inputs
    Y: Array | None = None
    labels: Labels | None = None
    class_names: tuple[str, ...] = ()
    input_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    is_autoencoder: bool = False
    encoder: FeatureEncoder | None = None
    unfitted: Unfitted | None = None
    splits: Mapping[SplitName, Labels] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    weight: Array | None = None

    def __len__(self) -> int:
        return len(self.X)

    @property
    def has_targets(self) -> bool:
        return self.Y is not None or self.labels is not None

    @property
    def task(self) -> Task:
        if self.labels is not None:
            return "classification"
        return "reconstruction" if self.is_autoencoder else "regression"

    def fitted(self, training: Labels, encoder: FeatureEncoder | None = None) -> Table:
        """The table with its inputs encoded as its training rows, or `encoder`, say.

        Raises `DataError` naming column and row of what cannot be encoded.
        """
        if self.unfitted is None:
            return self
        encoder = encoder or self.unfitted.fit(training, self.class_names)
        X = self.unfitted.encode(encoder)
        table = replace(self, X=X, input_names=encoder.names, encoder=encoder, unfitted=None)
        return table.with_inputs_as_targets() if self.is_autoencoder else table

    def with_inputs_as_targets(self) -> Table:
        """The table of an autoencoder."""
        if self.unfitted is not None:
            return replace(self, Y=None, is_autoencoder=True)
        X = self.X[:].astype(np.float64, copy=False)
        return replace(
            self,
            X=X,
            Y=X,
            labels=None,
            class_names=(),
            target_names=self.input_names,
            is_autoencoder=True,
        )

    def with_values_as_targets(self) -> Table:
        """Class labels 0, 1, 2 … as numbers to fit."""
        if self.labels is None:
            return self
        Y = self.labels[:, np.newaxis].astype(np.float64)
        return replace(self, Y=Y, labels=None, class_names=(), target_names=("class",))

    def with_classes_as_targets(self) -> Table:
        """One column of values as classes, a class a distinct value; or one-hot columns.

        Raises `DataError` where the targets are neither.
        """
        if self.labels is not None or self.Y is None:
            return self
        if self.Y.shape[1] == 1:
            values, labels = np.unique(self.Y[:, 0], return_inverse=True)
            names = tuple(map(number_text, values))
        elif is_one_hot(self.Y):
            labels, names = self.Y.argmax(axis=1), self.target_names
        else:
            raise DataError(
                "targets cannot be read as classes: they are neither one column nor one-hot"
            )
        return replace(self, Y=None, labels=labels, class_names=names, target_names=())


def is_one_hot(Y: Array) -> bool:
    """Every row has a single 1, all else 0."""
    return bool(np.isin(Y, (0, 1)).all() and (Y.sum(axis=1) == 1).all())
