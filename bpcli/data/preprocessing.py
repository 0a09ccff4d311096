"""From a table to network inputs: splits, scalers fitted on training rows, encoded targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.drawn import Inputs, rows_per_block
from bpcli.data.table import Table
from bpcli.data.types import Labels, SplitName, Words
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

FittedRule: TypeAlias = Literal["standard", "minmax", "robust"]
FITTED_RULES: tuple[FittedRule, ...] = ("standard", "minmax", "robust")
ScaleRule: TypeAlias = Literal["none"] | FittedRule


# Scale.


@dataclass(frozen=True)
class Scaler:
    """x' = (x - shift) / factor, column by column."""

    shift: Array
    factor: Array

    @classmethod
    def fit(cls, rule: ScaleRule | float, columns: Array, weight: Array | None = None) -> Scaler:
        """Fit to training rows (n, d). A number is a divisor; a constant column is only shifted.

        A row of weight k counts as k equal rows.

        `standard`: mean 0 and standard deviation 1. `minmax`: range [-1, 1]. `robust`: (x - median)
        / (third quartile - first quartile), insensitive to outliers; the quartiles are interpolated
        linearly between sorted rows (Hyndman & Fan 1996, Am. Statistician 50, 361, definition 7).
        """
        if not len(columns):
            return cls.fixed("none", columns.shape[1])
        if columns.dtype.kind == "f":  # the scale of float32 has double precision too
            columns = columns.astype(np.float64, copy=False)
        if rule == "standard":
            mean, deviation = _mean_and_deviation(columns, weight)
            return cls(mean, _spread(columns, deviation))
        if rule == "minmax":
            low, high = columns.min(axis=0), columns.max(axis=0)
            return cls(low / 2 + high / 2, _spread(columns, high / 2 - low / 2))
        if rule == "robust":
            quartiles = _quartiles(columns, weight)
            return cls(quartiles[1], _spread(quartiles, quartiles[2] - quartiles[0]))
        return cls.fixed(rule, columns.shape[1])

    @classmethod
    def fixed(cls, rule: Literal["none"] | float, width: int) -> Scaler:
        """Return a scaler with a fixed divisor; nothing is fitted."""
        return cls(np.zeros(width), np.full(width, 1.0 if rule == "none" else float(rule)))

    @property
    def changes_nothing(self) -> bool:
        return not self.shift.any() and not self.changes_units

    @property
    def changes_units(self) -> bool:
        return bool((self.factor != 1).any())

    def apply(self, columns: Array) -> Array:
        return (columns - self.shift) / self.factor

    def invert(self, columns: Array) -> Array:
        return columns * self.factor + self.shift


def _mean_and_deviation(columns: Array, weight: Array | None) -> tuple[Array, Array]:
    """The mean and the standard deviation of each column."""
    if weight is None:
        return columns.mean(axis=0), columns.std(axis=0)
    mean = np.average(columns, axis=0, weights=weight)
    return mean, np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=weight))


def _quartiles(columns: Array, weight: Array | None) -> Array:
    """The quartiles (3, d) of each column.

    With n = Σ weight, the value at position (n - 1) p lies between the two sorted rows whose
    cumulative weights contain the whole positions around it.
    """
    shares = np.array([0.25, 0.5, 0.75])
    if weight is None:
        quartiles: Array = np.quantile(columns, shares, axis=0)
        return quartiles
    order = np.argsort(columns, axis=0, kind="stable")
    ends = np.cumsum(weight[order], axis=0)
    position = (weight.sum() - 1).clip(min=0) * shares
    below = np.floor(position)
    values = np.take_along_axis(columns, order, axis=0)
    found = [
        [
            values[np.searchsorted(ends[:, j], whole, "right").clip(max=len(values) - 1), j]
            for j in range(columns.shape[1])
        ]
        for whole in (below, below + 1)
    ]
    low, high = np.transpose(found, (0, 2, 1))
    between: Array = low + (high - low) * (position - below)[:, np.newaxis]
    return between


def _spread(columns: Array, spread: Array) -> Array:
    """The spread of each column; 1 if it is 0, or only rounding error."""
    rounding = 10 * np.finfo(np.float64).eps * np.abs(columns).max(axis=0)
    return np.where(spread > rounding, spread, 1.0)


# Encode.


@dataclass(frozen=True)
class Split:
    """Some rows of a table: prepared for the network, and their targets in original units.

    Only the table stores numbers. Everything else is computed on access, so that large data exist
    once here and once in the kernel.
    """

    name: SplitName
    index: Labels
    table: Table
    preprocessor: Preprocessor

    def __len__(self) -> int:
        return len(self.index)

    @property
    def X(self) -> Array:  # noqa: N802  # a matrix
        """The prepared inputs (n, inputs)."""
        return self.preprocessor.inputs.apply(taken(self.table.X, self.index))

    @property
    def Y(self) -> Array:  # noqa: N802  # a matrix
        """The prepared targets (n, outputs)."""
        encoded = encode(self.table, self.index, self.preprocessor.outputs)
        return self.preprocessor.targets.apply(encoded)

    @property
    def labels(self) -> Labels | None:
        """The classes (n,)."""
        return None if self.table.labels is None else taken(self.table.labels, self.index)

    @property
    def values(self) -> Array | None:
        """The targets (n, k) as in the table; None for classes."""
        return None if self.table.Y is None else taken(self.table.Y, self.index)

    @property
    def weight(self) -> Array | None:
        """The weight of each row in the loss (n,); None if all are equal."""
        return None if self.table.weight is None else taken(self.table.weight, self.index)

    def piece(self, start: int, stop: int) -> Split:
        """The rows at the positions from `start` to `stop` of this split."""
        if stop - start == len(self) and isinstance(self.index, np.ndarray):
            return self
        return replace(self, index=self.index[start:stop])

    def between(self, start: int, stop: int) -> tuple[Array, Array]:
        """X and Y of the rows at these positions; each row of the table is read once."""
        rows = self.piece(start, stop)
        if self.table.Y is not self.table.X:
            return rows.X, rows.Y
        values = taken(self.table.X, rows.index)  # an autoencoder's targets are its inputs
        targets = _as_wide_as(self.preprocessor.outputs, values)
        return self.preprocessor.inputs.apply(values), self.preprocessor.targets.apply(targets)

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        """X and Y, some megabytes of rows at a time."""
        return (self.between(start, stop) for start, stop in self._bounds())

    def target_blocks(self) -> Iterator[tuple[int, Array]]:
        """Y, some megabytes of rows at a time, with the position of its first row."""
        return ((start, self.piece(start, stop).Y) for start, stop in self._bounds())

    def _bounds(self) -> Iterator[tuple[int, int]]:
        rows = rows_per_block(max(self.table.X.shape[1], self.preprocessor.outputs))
        return ((start, min(start + rows, len(self))) for start in range(0, len(self), rows))


def taken(array: Inputs, index: Labels) -> Array:
    """array[index] for a strictly ascending index; no copy of an array if it has no gap."""
    if isinstance(array, np.ndarray) and len(index) == len(array):
        return array
    if isinstance(array, np.ndarray) and not array.flags.c_contiguous:
        return array[index]  # contiguous, as below
    if len(index) and index[-1] - index[0] + 1 == len(index):
        return array[index[0] : index[-1] + 1]
    if isinstance(array, np.ndarray):
        return array.take(index, axis=0)  # a quarter of the time of `array[index]` for 5 columns
    return array[index]


@dataclass(frozen=True)
class Preprocessor:
    """Converts rows to network inputs and targets, and network outputs back to original units."""

    inputs: Scaler
    targets: Scaler
    class_names: tuple[str, ...]
    outputs: int
    words: Mapping[str, Words] = field(default_factory=dict)
    """The two texts of each label by its name, if the targets are labels."""

    @classmethod
    def fit(
        cls,
        table: Table,
        training: Labels,
        outputs: int,
        input_rule: ScaleRule | float,
        target_rule: ScaleRule | float,
        weight: Array | None = None,
    ) -> Preprocessor:
        """Fit both scalers to the training rows; an autoencoder's targets share that of inputs.

        `weight` (n,) are the rows' own weights, without those of their classes.
        """
        weight = None if weight is None else weight[training]
        if input_rule == "none" or not isinstance(input_rule, str):
            inputs = Scaler.fixed(input_rule, table.X.shape[1])
        else:
            inputs = Scaler.fit(input_rule, taken(table.X, training), weight)
        if table.is_autoencoder:
            return cls(inputs, inputs, (), outputs)
        targets = Scaler.fit(target_rule, encode(table, training, outputs), weight)
        return cls(inputs, targets, table.class_names, outputs, table.words)

    def split(self, name: SplitName, table: Table, index: Labels) -> Split:
        """The rows at `index`."""
        return Split(name, index, table, self)

    def original(self, outputs: Array) -> Array:
        """Network outputs (n, K) in original units; for classes, in their encoding."""
        return self.targets.invert(outputs.astype(np.float64, copy=False))

    def classes(self, outputs: Array) -> Labels | None:
        """The predicted class of each row of network outputs; None if there are no classes."""
        return self.labels(self.original(outputs))

    def labels(self, original: Array) -> Labels | None:
        """The predicted class for each row of outputs (n, K) in original units.

        A single output of at least ½ means class 1; of several outputs, the largest decides.
        """
        if not self.class_names:
            return None
        if original.shape[1] == 1:
            return (original[:, 0] >= 0.5).astype(np.intp)
        winners: Labels = original.argmax(axis=1)
        return winners

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of the classes or of the labels; empty for values."""
        return self.class_names or tuple(self.words)

    @property
    def answers(self) -> Mapping[str, tuple[str, ...]]:
        """What is predicted as text: the `class`, or every label, each with its possible texts."""
        return {"class": self.class_names} if self.class_names else self.words

    def answered(self, original: Array) -> Labels:
        """The index (n, answers) of each predicted text, for outputs (n, K) in original units.

        A label is predicted if its output is at least ½.
        """
        labels = self.labels(original)
        if labels is not None:
            return labels[:, np.newaxis]
        return (original[:, : len(self.words)] >= 0.5).astype(np.intp)

    def in_words(self, original: Array) -> dict[str, list[str]]:
        """The predicted text of each row, for each of the `answers`."""
        indices = self.answered(original).T.tolist()
        return {
            name: [words[index] for index in chosen]
            for (name, words), chosen in zip(self.answers.items(), indices, strict=True)
        }

    def to_arrays(self) -> dict[str, Array]:
        """The scalers as plain arrays, by name."""
        return {
            "inputs.shift": self.inputs.shift,
            "inputs.factor": self.inputs.factor,
            "targets.shift": self.targets.shift,
            "targets.factor": self.targets.factor,
        }

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, Array],
        class_names: tuple[str, ...],
        outputs: int,
        words: Mapping[str, Words],
    ) -> Preprocessor:
        """The inverse of `to_arrays`."""
        return cls(
            Scaler(arrays["inputs.shift"], arrays["inputs.factor"]),
            Scaler(arrays["targets.shift"], arrays["targets.factor"]),
            class_names,
            outputs,
            words,
        )


def outputs_needed(table: Table, one_hot: bool) -> int:
    """The number of outputs for the targets: one per column or class, one for two classes.

    With `one_hot`, two classes need two outputs.
    """
    if table.labels is None:
        return 0 if table.Y is None else table.Y.shape[1]
    classes = len(table.class_names)
    return classes if one_hot or classes > 2 else 1


def encode(table: Table, index: Labels, outputs: int) -> Array:
    """Targets (n, outputs) of the rows at `index`.

    Values are unchanged; classes are one-hot, or 0/1 in a single column. Raises `DataError` if the
    targets do not match the number of outputs.
    """
    if table.labels is None:
        if table.Y is None:
            return np.zeros((len(index), outputs))
        return _as_wide_as(outputs, taken(table.Y, index))
    classes, labels = len(table.class_names), taken(table.labels, index)
    if outputs == 1 and classes == 2:
        return labels[:, np.newaxis].astype(np.float64)
    if outputs != classes:
        raise DataError(f"the data has {classes} classes, but the network has {outputs} outputs")
    return np.eye(classes)[labels]


def _as_wide_as(outputs: int, Y: Array) -> Array:
    """Targets Y (n, k) as they are. Raises `DataError` if k is not the number of outputs."""
    if Y.shape[1] != outputs:
        raise DataError(
            f"the data has {Y.shape[1]} target columns, but the network has {outputs} outputs"
        )
    return Y
