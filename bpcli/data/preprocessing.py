"""From a table to network inputs: splits, scalers fitted on training rows, encoded targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from bpcli.data.column_statistics import Pieces
from bpcli.data.drawn import Inputs
from bpcli.data.row_blocks import row_blocks
from bpcli.data.row_index import RowIndex, Span
from bpcli.data.scaler import Scaler, ScaleRule
from bpcli.data.stored_rows import StoredColumns, read_together
from bpcli.data.table import Table
from bpcli.data.types import Labels, SplitName, Words
from bpcli.errors import DataError
from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class Split:
    """Some rows of a table: prepared for the network, and their targets in original units.

    Only the table stores numbers. Everything else is computed on access, so that large data exist
    once here and once in the kernel. Of a table that stays in its file, use pieces: `between`,
    `read` and `blocks`.
    """

    name: SplitName
    index: RowIndex
    table: Table
    preprocessor: Preprocessor

    def __len__(self) -> int:
        return len(self.index)

    @property
    def X(self) -> Array:  # noqa: N802  # a matrix
        """The prepared inputs (n, inputs)."""
        return self.preprocessor.inputs.apply(taken(self.table.X, self.index[:]))

    @property
    def Y(self) -> Array:  # noqa: N802  # a matrix
        """The prepared targets (n, outputs)."""
        encoded = encode(self.table, self.index[:], self.preprocessor.outputs)
        return self.preprocessor.targets.apply(encoded)

    @property
    def labels(self) -> Labels | None:
        """The classes (n,)."""
        return None if self.table.labels is None else taken(self.table.labels, self.index[:])

    @property
    def values(self) -> Array | None:
        """The targets (n, k) as in the table; None for classes."""
        return None if self.table.Y is None else taken(self.table.Y, self.index[:])

    @property
    def weight(self) -> Array | None:
        """The weight of each row in the loss (n,); None if all are equal."""
        return None if self.table.weight is None else taken(self.table.weight, self.index[:])

    def piece(self, start: int, stop: int) -> Split:
        """The rows at the positions from `start` to `stop` of this split."""
        if stop - start == len(self) and isinstance(self.index, np.ndarray):
            return self
        return replace(self, index=self.index[start:stop])

    def between(self, start: int, stop: int) -> tuple[Array, Array]:
        """X and Y of the rows at these positions; each row of the table is read once."""
        if self.table.is_stored:
            return self._prepared(*self.read(start, stop))
        rows = self.piece(start, stop)
        if self.table.Y is not self.table.X:
            return rows.X, rows.Y
        values = taken(self.table.X, rows.index[:])  # an autoencoder's targets are its inputs
        return self._prepared(values, _as_wide_as(self.preprocessor.outputs, values))

    def read(self, start: int, stop: int) -> tuple[Array, Array]:
        """Inputs and encoded targets at these positions, not scaled, of a table in a file."""
        if isinstance(self.index, Span):
            return self._read(slice(self.index.start + start, self.index.start + stop))
        index = self.index[start:stop]
        has_gaps = not len(index) or index[-1] - index[0] + 1 > len(index)
        return self._read(index if has_gaps else slice(int(index[0]), int(index[-1]) + 1))

    def read_at(self, where: Array) -> tuple[Array, Array]:
        """Like `read`, at ascending positions."""
        return self._read(self.index[where])

    def prepare(self, inputs: Array, targets: Array, X: Array, Y: Array) -> None:
        """Write scaled rows as columns of X (inputs, n) and Y (outputs, n)."""
        self.preprocessor.inputs.write(inputs, X)
        self.preprocessor.targets.write(targets, Y)

    def _read(self, rows: slice | Labels) -> tuple[Array, Array]:
        table, outputs = self.table, self.preprocessor.outputs
        targets = table.Y if table.labels is None else table.labels
        X, target_rows = read_together(table.X, table.X if targets is None else targets, rows)
        return X, np.zeros((len(X), outputs)) if targets is None else encoded(
            table, target_rows, outputs
        )

    def _prepared(self, inputs: Array, targets: Array) -> tuple[Array, Array]:
        return self.preprocessor.inputs.prepare(inputs), self.preprocessor.targets.prepare(targets)

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        """X and Y, some megabytes of rows at a time."""
        return (self.between(start, stop) for start, stop in self._bounds())

    def target_blocks(self) -> Iterator[tuple[int, Array]]:
        """Y, some megabytes of rows at a time, with the position of its first row."""
        return ((start, self.piece(start, stop).Y) for start, stop in self._bounds())

    def _bounds(self) -> Iterator[tuple[int, int]]:
        width = max(self.table.X.shape[1], self.preprocessor.outputs)
        return ((rows.start, rows.stop) for rows in row_blocks((len(self), width)))


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
        training: RowIndex,
        outputs: int,
        input_rule: ScaleRule | float,
        target_rule: ScaleRule | float,
        weight: Array | None = None,
    ) -> Preprocessor:
        """Fit both scalers to the training rows; an autoencoder's targets share that of inputs.

        `weight` (n,) are the rows' own weights, without those of their classes.
        """
        weight = None if weight is None else weight[training[:]]

        def pieces(width: int, of: Callable[[Labels], Array]) -> Pieces:
            def read(where: slice) -> Array:
                return of(training[where])

            return Pieces((len(training), width), read, weight, table.is_stored)

        if input_rule == "none" or not isinstance(input_rule, str):
            inputs = Scaler.fixed(input_rule, table.X.shape[1])
        else:
            of_inputs = pieces(table.X.shape[1], lambda index: taken(table.X, index))
            is_whole = len(training) == len(table)
            is_by_column = is_whole and isinstance(table.X, StoredColumns) and table.X.is_by_column
            of_inputs = replace(of_inputs, is_by_column=is_by_column)
            inputs = Scaler.fit(input_rule, of_inputs, weight)
        if table.is_autoencoder:
            return cls(inputs, inputs, (), outputs)
        of_targets = pieces(outputs, lambda index: encode(table, index, outputs))
        targets = Scaler.fit(target_rule, of_targets, weight)
        return cls(inputs, targets, table.class_names, outputs, table.words)

    def split(self, name: SplitName, table: Table, index: RowIndex) -> Split:
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
        """Texts of the predictions: the `class`, or every label, each with its possible texts."""
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
    """Targets (n, outputs) of the rows at `index`; zeros if there are none. See `encoded`."""
    targets = table.Y if table.labels is None else table.labels
    if targets is None:
        return np.zeros((len(index), outputs))
    return encoded(table, taken(targets, index), outputs)


def encoded(table: Table, targets: Array, outputs: int) -> Array:
    """Targets (n, outputs), from values (n, k) or classes (n,) of the table.

    Values are unchanged; classes are one-hot, or 0/1 in a single column. Raises `DataError` if the
    targets do not match the number of outputs.
    """
    if table.labels is None:
        return _as_wide_as(outputs, targets)
    classes = len(table.class_names)
    if outputs == 1 and classes == 2:
        return targets[:, np.newaxis].astype(np.float64)
    if outputs != classes:
        raise DataError(f"the data has {classes} classes, but the network has {outputs} outputs")
    return np.eye(classes)[targets]


def _as_wide_as(outputs: int, Y: Array) -> Array:
    """Targets Y (n, k) as they are. Raises `DataError` if k is not the number of outputs."""
    if Y.shape[1] != outputs:
        raise DataError(
            f"the data has {Y.shape[1]} target columns, but the network has {outputs} outputs"
        )
    return Y
