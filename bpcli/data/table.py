"""A table: the result of every data source, before splitting, scaling and encoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bpcli.data.drawn import Inputs
from bpcli.data.types import Labels, SplitName, Task, number_text, numbered
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

if TYPE_CHECKING:
    from bpcli.data.columns import FeatureEncoder


class Unfitted(Protocol):
    """Inputs of a file that become numbers once the training rows are known."""

    def fit(self, training: Labels, class_names: tuple[str, ...]) -> FeatureEncoder:
        """Fit the encoding of the columns to the training rows."""
        ...

    def encode(self, encoder: FeatureEncoder) -> Array:
        """The inputs of all rows."""
        ...


@dataclass(frozen=True)
class Table:
    """Inputs X (n, d) and their targets: class labels (n,), or values Y (n, k), or nothing.

    `labels` are indices into `class_names`; `weight` (n,) is the weight of each row, if they
    differ. `task` is `reconstruction` for an autoencoder. The X of a text file is empty until
    `fitted` encodes it. `splits` are the rows of splits that the source itself defines.
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
        """Encode the inputs by `encoder`, or by one fitted to the training rows.

        Raises `DataError` naming column and row of a value that cannot be encoded.
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
        """Values as classes: the unique values of one column, or one-hot columns.

        Raises `DataError` if the targets are neither.
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


def value_table(X: Inputs, Y: Array) -> Table:
    """A table of values y, or y1, y2 … if Y (n, k) has several columns."""
    Y = Y.reshape(len(X), -1)
    targets = value_names(Y.shape[1])
    return Table(X, Y, input_names=numbered("x", X.shape[1]), target_names=targets)


def value_names(count: int) -> tuple[str, ...]:
    """The names of target columns that have none: y, or y1, y2 …"""
    return ("y",) if count == 1 else numbered("y", count)


def is_one_hot(Y: Array) -> bool:
    """Whether every row has a single 1 and otherwise 0."""
    return bool(np.isin(Y, (0, 1)).all() and (Y.sum(axis=1) == 1).all())
