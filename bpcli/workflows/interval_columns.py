"""Columns of intervals and sets beside the predictions of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.data.scaler import Scaler
from bpcli.intervals.bounds import Bounds
from bpcli.intervals.conformal import AbsoluteErrors, AdaptiveSets
from bpcli.intervals.linearized import Linearized
from bpcli.metrics.metrics import class_probabilities
from bpcli.nn.arrays import Array
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


@dataclass(frozen=True)
class IntervalsOfValues(Columns):
    """An interval of each output, in original units: two columns."""

    promise: ClassVar = "an interval contains the target"
    size: ClassVar = "mean_width"

    method: AbsoluteErrors | Linearized
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
        return np.stack(self._bounds(inputs, outputs), axis=2).reshape(len(outputs), -1)

    def documents(self, inputs: Array, outputs: Array) -> Iterator[dict[str, Any]]:
        bounds = self._bounds(inputs, outputs)
        for low, high in zip(*map(np.ndarray.tolist, bounds), strict=True):
            ends = zip(low, high, strict=True)
            yield {"intervals": dict(zip(self.output_names, map(list, ends), strict=True))}

    def arrays(self, inputs: Array, outputs: Array) -> dict[str, Array]:
        return self._bounds(inputs, outputs)._asdict()

    def measured(self, outputs: Array, rows: Split) -> tuple[Array, Array]:
        assert rows.values is not None, "targets that are no classes are values"
        low, high = self.method.bounds(rows.X, outputs)
        return (low <= rows.values) & (rows.values <= high), high - low

    def _bounds(self, inputs: Array, outputs: Array) -> Bounds:
        return self.method.bounds(self.inputs.apply(inputs), outputs)


@dataclass(frozen=True)
class IntervalsAndParts(IntervalsOfValues):
    """The same, and the standard deviations by the parameters and by the noise: four columns."""

    @property
    def number_names(self) -> tuple[str, ...]:
        names = ("low", "high", "sd of parameters", "sd of noise")
        return tuple(f"{output} {name}" for output in self.output_names for name in names)

    def numbers(self, inputs: Array, outputs: Array) -> Array:
        found = self.arrays(inputs, outputs)
        return np.stack([*found.values()], axis=2).reshape(len(outputs), -1)

    def documents(self, inputs: Array, outputs: Array) -> Iterator[dict[str, Any]]:
        found = self.arrays(inputs, outputs)
        by_row = np.stack([*found.values()], axis=2).tolist()
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

    method: AdaptiveSets
    class_names: tuple[str, ...]

    @property
    def text_names(self) -> tuple[str, ...]:
        return ("class set",)

    @property
    def targets(self) -> tuple[str, ...]:
        return ("class",)

    def texts(self, inputs: Array, outputs: Array) -> list[list[str]]:
        return [[_BETWEEN.join(names) for names in self._names(outputs)]]

    def documents(self, inputs: Array, outputs: Array) -> Iterator[dict[str, Any]]:
        return ({"class_set": names} for names in self._names(outputs))

    def arrays(self, inputs: Array, outputs: Array) -> dict[str, Array]:
        return {"class_sets": self._sets(outputs)}

    def measured(self, outputs: Array, rows: Split) -> tuple[Array, Array]:
        assert rows.labels is not None, "there are classes"
        sets = self._sets(outputs)
        is_inside = np.take_along_axis(sets, rows.labels[:, np.newaxis], axis=1)
        return is_inside, sets.sum(axis=1, keepdims=True)

    def _names(self, outputs: Array) -> Iterator[list[str]]:
        for row in self._sets(outputs):
            yield [self.class_names[k] for k in np.flatnonzero(row)]

    def _sets(self, outputs: Array) -> Array:
        return self.method.sets(class_probabilities(outputs))
