"""Columns of intervals and sets beside the predictions of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from bpcli.data.preprocessing import Split, taken
from bpcli.data.scaler import Scaler
from bpcli.data.types import DataFrame, Labels
from bpcli.export.model import Model
from bpcli.intervals.bounds import Bounds
from bpcli.intervals.conformal import AbsoluteErrors, AdaptiveSets
from bpcli.intervals.cross import CrossErrors, CrossSets
from bpcli.intervals.linearized import Linearized
from bpcli.intervals.local import ByCategory, LocalErrors
from bpcli.metrics.metrics import class_probabilities
from bpcli.nn.arrays import Array
from bpcli.text import plural
from bpcli.workflows.predicted_blocks import Beside

_BETWEEN = " | "
"""Between the classes of a set in a table."""


class Columns(Beside, ABC):
    """Columns of intervals or sets. `promise` says what they do, and `size` names their size."""

    promise: ClassVar[str]
    size: ClassVar[str]

    @property
    @abstractmethod
    def targets(self) -> tuple[str, ...]:
        """The names of what they contain."""

    @abstractmethod
    def measured(self, outputs: Array, rows: Split) -> tuple[Array, Array]:
        """Whether each target of some rows is inside (n, targets), and the sizes (n, targets)."""

    @property
    def unpromised(self) -> tuple[str, ...]:
        """Notes on rows for which nothing is promised."""
        return ()

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of the categories that have the level by themselves, if any."""
        return ()

    def afresh(self) -> Self:
        """The same columns before any rows were prepared."""
        return self

    def codes(self, rows: Split) -> Labels:
        """The number of each row's category (n,); -1 for another."""
        return np.full(len(rows), -1)

    def _seen(self, rows: Split) -> Array:
        """What `prepare` gives for the rows of a split."""
        return taken(rows.table.X, rows.index[:])


class FittedColumns(NamedTuple):
    """The columns of a method, the number of rows that it is fitted to, and what it promises."""

    columns: Columns
    rows: int
    basis: str


def _in_turn(columns: Sequence[Array]) -> Array:
    """The columns (n, targets) of each target in turn (n, targets · columns)."""
    stacked: Array = np.stack(columns, axis=2)
    return stacked.reshape(len(stacked), stacked.shape[1] * stacked.shape[2])


@dataclass(frozen=True)
class IntervalsOfValues(Columns):
    """An interval of each output, in original units: two columns."""

    promise: ClassVar = "an interval contains the target"
    size: ClassVar = "mean_width"

    method: AbsoluteErrors | LocalErrors | CrossErrors | Linearized
    inputs: Scaler
    output_names: tuple[str, ...]
    target_names: tuple[str, ...]

    @property
    def number_names(self) -> tuple[str, ...]:
        return tuple(f"{name} {end}" for name in self.output_names for end in ("low", "high"))

    @property
    def targets(self) -> tuple[str, ...]:
        return self.target_names

    def numbers(self, inputs: Array, outputs: Array) -> Array:
        return _in_turn(self._bounds(inputs, outputs))

    def documents(self, inputs: Array, outputs: Array) -> Iterator[dict[str, Any]]:
        bounds = self._bounds(inputs, outputs)
        for low, high in zip(*map(np.ndarray.tolist, bounds), strict=True):
            ends = zip(low, high, strict=True)
            yield {"intervals": dict(zip(self.output_names, map(list, ends), strict=True))}

    def arrays(self, inputs: Array, outputs: Array) -> dict[str, Array]:
        return self._bounds(inputs, outputs)._asdict()

    def measured(self, outputs: Array, rows: Split) -> tuple[Array, Array]:
        assert rows.values is not None, "targets that are no classes are values"
        low, high = self._bounds(self._seen(rows), outputs)
        return (low <= rows.values) & (rows.values <= high), high - low

    def _bounds(self, inputs: Array, outputs: Array) -> Bounds:
        if isinstance(self.method, AbsoluteErrors):
            return self.method.bounds(inputs, outputs)  # scaling them takes longer than the rest
        return self.method.bounds(self.inputs.apply(inputs), outputs)


@dataclass(frozen=True)
class IntervalsAndParts(IntervalsOfValues):
    """The same, and the standard deviations by the parameters and by the noise: four columns."""

    @property
    def number_names(self) -> tuple[str, ...]:
        names = ("low", "high", "sd of parameters", "sd of noise")
        return tuple(f"{output} {name}" for output in self.output_names for name in names)

    def numbers(self, inputs: Array, outputs: Array) -> Array:
        return _in_turn([*self.arrays(inputs, outputs).values()])

    def documents(self, inputs: Array, outputs: Array) -> Iterator[dict[str, Any]]:
        arrays = self.arrays(inputs, outputs)
        by_row = np.stack([*arrays.values()], axis=2).tolist()
        for row in by_row:
            named = dict(zip(self.output_names, row, strict=True))
            yield {
                "intervals": {name: [low, high] for name, (low, high, _, _) in named.items()},
                "sd": {
                    name: {"parameters": by_parameters, "noise": by_noise}
                    for name, (_, _, by_parameters, by_noise) in named.items()
                },
            }

    def arrays(self, inputs: Array, outputs: Array) -> dict[str, Array]:
        assert isinstance(self.method, Linearized), "others have no parts"
        by_parameters, by_noise = self.method.parts(self.inputs.apply(inputs))
        bounds = self.method.around(outputs, by_parameters, by_noise)
        return {**bounds._asdict(), "sd_of_parameters": by_parameters, "sd_of_noise": by_noise}


@dataclass(frozen=True)
class SetsOfClasses(Columns):
    """A set of classes, in the order of the classes: a column of text."""

    promise: ClassVar = "a set contains the class"
    size: ClassVar = "mean_classes"

    method: AdaptiveSets | CrossSets
    class_names: tuple[str, ...]

    @property
    def text_names(self) -> tuple[str, ...]:
        return ("class set",)

    @property
    def targets(self) -> tuple[str, ...]:
        return ("class",)

    def texts(self, inputs: Array, outputs: Array) -> list[list[str]]:
        return [[_BETWEEN.join(names) for names in self._names(inputs, outputs)]]

    def documents(self, inputs: Array, outputs: Array) -> Iterator[dict[str, Any]]:
        return ({"class_set": names} for names in self._names(inputs, outputs))

    def arrays(self, inputs: Array, outputs: Array) -> dict[str, Array]:
        return {"class_sets": self._sets(inputs, outputs)}

    def measured(self, outputs: Array, rows: Split) -> tuple[Array, Array]:
        assert rows.labels is not None, "there are classes"
        sets = self._sets(self._seen(rows), outputs)
        is_inside = np.take_along_axis(sets, rows.labels[:, np.newaxis], axis=1)
        return is_inside, sets.sum(axis=1, keepdims=True)

    def _names(self, inputs: Array, outputs: Array) -> Iterator[list[str]]:
        for row in self._sets(inputs, outputs):
            yield [self.class_names[k] for k in np.flatnonzero(row)]

    def _sets(self, inputs: Array, outputs: Array) -> Array:
        return self.method.sets(class_probabilities(outputs))


# By the categories of an input.


@dataclass(frozen=True)
class QuantilesOfInput:
    """A quantile for each category of an input, and the number of new rows with another one."""

    column: str
    by: ByCategory
    names: tuple[str, ...]
    scaler: Scaler
    unpromised: tuple[str, ...]
    others: Counter[str] = field(default_factory=Counter)

    def at(self, inputs: Array) -> Array:
        """The quantiles (n, targets) for inputs in original units."""
        return self.by.at(self.scaler.apply(inputs))

    def count(self, inputs: Array) -> None:
        codes = self.by.categories.codes(self.scaler.apply(inputs))
        self.others[self.column] += int(np.count_nonzero(codes < 0))

    @property
    def notes(self) -> tuple[str, ...]:
        rows = self.others[self.column]
        note = (
            f"{plural(rows, 'row')} with a category of `{self.column}` that no calibration row "
            "has: the quantile of all rows is used, without a guarantee for this category"
        )
        return (note,) if rows else ()


class _ByCategory(Columns):
    """Columns with a quantile for each category of an input."""

    own: QuantilesOfInput

    def prepare(self, frame: DataFrame, inputs: Array) -> Array:
        self.own.count(inputs)
        return inputs

    @property
    def notes(self) -> tuple[str, ...]:
        return self.own.notes

    @property
    def unpromised(self) -> tuple[str, ...]:
        return self.own.unpromised

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(f"{self.own.column}={name}" for name in self.own.names)

    def codes(self, rows: Split) -> Labels:
        return self.own.by.categories.codes(rows.X)

    def afresh(self) -> Self:
        return replace(self, own=replace(self.own, others=Counter()))  # type: ignore[type-var]  # both below are dataclasses


@dataclass(frozen=True)
class IntervalsByCategory(_ByCategory, IntervalsOfValues):
    """Intervals with a quantile for each category of an input."""

    own: QuantilesOfInput


@dataclass(frozen=True)
class SetsByCategory(_ByCategory, SetsOfClasses):
    """Sets with a threshold for each category of an input."""

    own: QuantilesOfInput

    def _sets(self, inputs: Array, outputs: Array) -> Array:
        return AdaptiveSets(self.own.at(inputs)).sets(class_probabilities(outputs))


@dataclass(frozen=True)
class SetsByClass(SetsOfClasses):
    """Sets with a threshold for each class, in which the rows of each class have the level."""

    unpromised: tuple[str, ...] = ()

    @property
    def categories(self) -> tuple[str, ...]:
        return self.class_names

    def codes(self, rows: Split) -> Labels:
        assert rows.labels is not None, "there are classes"
        return rows.labels


# By the networks of all folds.


@dataclass(frozen=True)
class FoldOutputs:
    """The networks of all folds, and their outputs (n, folds · outputs) for rows that are scored.

    Each network has its own encoder, as replacements and categories are those of its training rows.
    """

    models: tuple[Model, ...]
    scored: Array | None = None

    def of(self, frame: DataFrame) -> Array:
        return np.hstack([model.predict(frame) for model in self.models])


class _ByFolds(Columns):
    """What the columns are computed from are the outputs of the networks of all folds."""

    folds: FoldOutputs

    def prepare(self, frame: DataFrame, inputs: Array) -> Array:
        return self.folds.of(frame)

    def _seen(self, rows: Split) -> Array:
        assert self.folds.scored is not None, "these rows are scored"
        return self.folds.scored


@dataclass(frozen=True)
class CrossIntervals(_ByFolds, IntervalsOfValues):
    """Intervals by the networks of all folds."""

    folds: FoldOutputs

    def _bounds(self, inputs: Array, outputs: Array) -> Bounds:
        return self.method.bounds(inputs, outputs)


@dataclass(frozen=True)
class CrossSetsOfClasses(_ByFolds, SetsOfClasses):
    """Sets by the networks of all folds."""

    folds: FoldOutputs

    def _sets(self, inputs: Array, outputs: Array) -> Array:
        if not len(outputs):  # the inputs of no rows need not be prepared
            return np.empty((0, len(self.class_names)), bool)
        return self.method.sets(inputs)
