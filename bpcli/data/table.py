"""Tables: the rows of a data source, before splitting and scaling.

Columns of a file become inputs by `fit`, once the training rows are known: kinds, fills and
categories are decided there and nowhere else. Arrays are inputs as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from bpcli.data.drawn import Inputs
from bpcli.data.labels import label_words
from bpcli.data.row_index import RowIndex
from bpcli.data.spellings import PLAIN, Spelling
from bpcli.data.stored_rows import StoredRows
from bpcli.data.types import Labels, SplitName, Task, Words, number_text, numbered
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

if TYPE_CHECKING:
    from bpcli.data.columns import FeatureEncoder


@dataclass(frozen=True)
class Classes:
    """Targets that are classes: `labels` (n,) are indices into `names`."""

    labels: Labels
    names: tuple[str, ...]

    def as_values(self) -> Values:
        """The labels 0, 1, 2 … as numbers to fit."""
        return Values(self.labels[:, np.newaxis].astype(np.float64), ("class",))


@dataclass(frozen=True)
class Values:
    """Targets that are numbers: Y (n, k)."""

    Y: Array
    names: tuple[str, ...] = ()

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest target."""
        return float(self.Y.min()), float(self.Y.max())

    @property
    def are_whole(self) -> bool:
        """Whether all targets are whole numbers."""
        return not (self.Y % 1).any()

    @property
    def are_flags(self) -> bool:
        """Whether every target is 0 or 1."""
        return bool(np.isin(self.Y, (0, 1)).all())

    @property
    def are_one_hot(self) -> bool:
        """Whether every row has a single 1 and otherwise 0."""
        return is_one_hot(self.Y)

    @property
    def are_two_classes(self) -> bool:
        """Whether there is one column, which has the values 0 and 1 and no other."""
        return self.Y.shape[1] == 1 and bool(np.unique(self.Y).tolist() == [0, 1])

    def as_classes(self) -> Classes:
        """The unique values of one column, or one-hot columns, as classes.

        Raises `DataError` if the targets are neither.
        """
        if self.Y.shape[1] == 1:
            values, labels = np.unique(self.Y[:, 0], return_inverse=True)
            return Classes(labels, tuple(map(number_text, values)))
        if not is_one_hot(self.Y):
            raise DataError(
                "targets cannot be read as classes: they are neither one column nor one-hot"
            )
        return Classes(self.Y.argmax(axis=1), self.names)

    def as_labels(self) -> MultiLabels:
        """Columns of two values as labels: 1 is the larger value.

        Raises `DataError` naming a column with any other number of values.
        """
        pairs = zip(self.names, map(np.unique, self.Y.T), strict=True)
        words = [label_words([*map(number_text, values)], name) for name, values in pairs]
        has_label = np.equal(self.Y, [float(one) for _, one in words])
        return MultiLabels(has_label.astype(np.float64), self.names, tuple(words))


@dataclass(frozen=True)
class MultiLabels(Values):
    """Targets that are labels, of which a row may have any number: Y (n, k) is 1 where it has one.

    `words` are the two texts of each label in the data.
    """

    words: tuple[Words, ...] = ()


@dataclass(frozen=True)
class InputsAsTargets(Values):
    """The targets of an autoencoder: its inputs. Empty until these are fitted."""


Targets: TypeAlias = Classes | Values | None
"""What is to be predicted; None where a source has inputs only."""


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """Rows with their targets; `fit` makes their inputs.

    `splits` are the rows of splits that the source itself defines. `weight` (n,) is the weight of
    each row, if they differ. `order` (n,) sorts the rows for splits in order; None if they are
    sorted already. `row_numbers` (n,) are the rows' numbers in their file, from 1, if they are not
    1 to n.
    """

    targets: Targets = None
    splits: Mapping[SplitName, Labels] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    weight: Array | None = None
    order: Array | None = None
    row_numbers: Labels | None = None

    def __len__(self) -> int:
        raise NotImplementedError

    def fit(
        self,
        training: RowIndex,
        encoder: FeatureEncoder | None = None,
        *,
        keeps_constants: bool = True,
    ) -> Table:
        """The table with inputs from `encoder`, or from one fitted to the training rows.

        Without `keeps_constants`, a fitted encoder leaves out columns of a file that have the same
        value in all training rows.

        Raises `DataError` naming column and row of a value that cannot be encoded.
        """
        raise NotImplementedError

    def with_inputs_as_targets(self) -> RawTable:
        """The table of an autoencoder."""
        return replace(self, targets=InputsAsTargets(np.empty((len(self), 0))))

    @property
    def labels(self) -> Labels | None:
        """The class of each row (n,); None if the targets are not classes."""
        return self.targets.labels if isinstance(self.targets, Classes) else None

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.targets.names if isinstance(self.targets, Classes) else ()

    @property
    def Y(self) -> Array | None:  # noqa: N802  # a matrix
        """The target values (n, k); None if the targets are not values."""
        return self.targets.Y if isinstance(self.targets, Values) else None

    @property
    def target_names(self) -> tuple[str, ...]:
        return self.targets.names if isinstance(self.targets, Values) else ()

    @property
    def words(self) -> dict[str, Words]:
        """The two texts of each label by its name; empty if the targets are not labels."""
        targets = self.targets
        if not isinstance(targets, MultiLabels):
            return {}
        return dict(zip(targets.names, targets.words, strict=True))

    @property
    def has_targets(self) -> bool:
        return self.targets is not None

    @property
    def is_autoencoder(self) -> bool:
        return isinstance(self.targets, InputsAsTargets)

    @property
    def is_stored(self) -> bool:
        """Whether the rows stay in their file, and are read whenever they are used."""
        return False

    @property
    def task(self) -> Task:
        if isinstance(self.targets, Classes):
            return "classification"
        if isinstance(self.targets, MultiLabels):
            return "multilabel"
        return "reconstruction" if self.is_autoencoder else "regression"


@dataclass(frozen=True)
class Table(RawTable):
    """Rows with inputs X (n, d). `encoder` made them from a file's columns."""

    X: Inputs
    input_names: tuple[str, ...] = ()
    encoder: FeatureEncoder | None = None

    def __len__(self) -> int:
        return len(self.X)

    @property
    def is_stored(self) -> bool:
        return isinstance(self.X, StoredRows)

    @property
    def buffer_bytes(self) -> int | None:
        """What each process needs to read some rows of a file; None if they are in memory."""
        return self.X.source.buffer_bytes if isinstance(self.X, StoredRows) else None

    def fit(
        self,
        training: RowIndex,
        encoder: FeatureEncoder | None = None,
        *,
        keeps_constants: bool = True,
    ) -> Table:
        """The table itself: arrays need no fitting."""
        return self

    def at(self, index: Labels) -> Table:
        """The rows at `index`, in memory and in no split."""
        targets = self.targets
        if isinstance(targets, Classes):
            targets = Classes(targets.labels[index], targets.names)
        elif isinstance(targets, MultiLabels):
            targets = MultiLabels(targets.Y[index], targets.names, targets.words)
        elif targets is not None:
            targets = Values(targets.Y[index], targets.names)
        weight = None if self.weight is None else self.weight[index]
        return replace(
            self,
            X=self.X[index],
            targets=targets,
            weight=weight,
            splits={},
            row_numbers=self.numbers_of(index),
        )

    def with_inputs_as_targets(self) -> Table:
        X = self.X[:].astype(np.float64, copy=False)
        return replace(self, X=X, targets=InputsAsTargets(X, self.input_names))

    @property
    def class_spelling(self) -> Spelling:
        """The spelling rules of the classes of the target."""
        return PLAIN if self.encoder is None else self.encoder.class_spelling

    def numbers_of(self, index: Labels) -> Labels:
        """The numbers, from 1, of the rows at `index` in their file."""
        return index + 1 if self.row_numbers is None else self.row_numbers[index]


def value_table(X: Inputs, Y: Array) -> Table:
    """A table of values y, or y1, y2 … if Y (n, k) has several columns."""
    Y = Y.reshape(len(X), -1)
    targets = Values(Y, value_names(Y.shape[1]))
    return Table(X, targets=targets, input_names=numbered("x", X.shape[1]))


def table_without_rows(
    input_names: tuple[str, ...],
    encoder: FeatureEncoder | None,
    class_names: tuple[str, ...],
    target_names: tuple[str, ...],
    words: Mapping[str, Words],
) -> Table:
    """A table of the inputs and targets that a network was trained on, with no row."""
    none = np.empty((0, len(target_names)))
    targets: Targets = Values(none, target_names)
    if class_names:
        targets = Classes(np.empty(0, np.intp), class_names)
    elif words:
        targets = MultiLabels(none, target_names, tuple(words.values()))
    return Table(np.empty((0, len(input_names))), input_names, encoder, targets=targets)


def value_names(count: int) -> tuple[str, ...]:
    """The names of target columns that have none: y, or y1, y2 …"""
    return ("y",) if count == 1 else numbered("y", count)


def constant_columns(X: Array | StoredRows, rows: RowIndex) -> Labels:
    """The columns of X (n, d) that are constant in some rows; all columns for a single row."""
    constant: Labels = np.arange(X.shape[1])
    first = X[rows[:1]]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        if not len(constant):  # most columns vary within the first rows
            break
        index = rows[start : start + _ROWS_AT_ONCE]
        # A file is read as rows; in memory, only the columns that may be constant are copied.
        some = X[index][:, constant] if isinstance(X, StoredRows) else X[np.ix_(index, constant)]
        constant = constant[(some == first[:, constant]).all(axis=0)]
    return constant


_ROWS_AT_ONCE = 1000


def is_one_hot(Y: Array) -> bool:
    """Whether every row has a single 1 and otherwise 0."""
    return bool(np.isin(Y, (0, 1)).all() and (Y.sum(axis=1) == 1).all())
