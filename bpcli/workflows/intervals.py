"""Intervals and sets for the predictions of a run, calibrated on rows it was not trained on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.data.types import SplitName
from bpcli.errors import ConfigError, RunError
from bpcli.intervals.conformal import AbsoluteErrors, AdaptiveSets, fewest_rows
from bpcli.metrics.bootstrap import LEVEL
from bpcli.metrics.metrics import class_probabilities, original_outputs
from bpcli.nn.arrays import Array
from bpcli.runs.subject import SPLIT_NAMES
from bpcli.runs.trained import Trained
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


@dataclass(frozen=True)
class IntervalsOfValues(Columns):
    """An interval of each output, in original units: two columns."""

    promise: ClassVar = "an interval contains the target"
    size: ClassVar = "mean_width"

    method: AbsoluteErrors
    output_names: tuple[str, ...]
    target_names: tuple[str, ...]

    @property
    def number_names(self) -> tuple[str, ...]:
        return tuple(f"{name} {end}" for name in self.output_names for end in ("low", "high"))

    @property
    def targets(self) -> tuple[str, ...]:
        return self.target_names

    def numbers(self, outputs: Array) -> Array:
        return np.stack(self.method.bounds(outputs), axis=2).reshape(len(outputs), -1)

    def documents(self, outputs: Array) -> Iterator[dict[str, Any]]:
        for low, high in zip(*map(np.ndarray.tolist, self.method.bounds(outputs)), strict=True):
            ends = zip(low, high, strict=True)
            yield {"intervals": dict(zip(self.output_names, map(list, ends), strict=True))}

    def arrays(self, outputs: Array) -> dict[str, Array]:
        return self.method.bounds(outputs)._asdict()

    def measured(self, outputs: Array, rows: Split) -> tuple[Array, Array]:
        assert rows.values is not None, "targets that are no classes are values"
        low, high = self.method.bounds(outputs)
        return (low <= rows.values) & (rows.values <= high), high - low


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

    def texts(self, outputs: Array) -> list[list[str]]:
        return [[_BETWEEN.join(names) for names in self._names(outputs)]]

    def documents(self, outputs: Array) -> Iterator[dict[str, Any]]:
        return ({"class_set": names} for names in self._names(outputs))

    def arrays(self, outputs: Array) -> dict[str, Array]:
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


@dataclass(frozen=True)
class Calibrated:
    """What goes beside the predictions of a run, and the calibration rows that it rests on."""

    level: float
    split: SplitName
    rows: int
    columns: Columns

    @property
    def note(self) -> str:
        """What is promised, and where that comes from."""
        return (
            f"{self.columns.promise} with a probability of at least {self.level:g}, for rows from "
            f"the same source as the {plural(self.rows, 'row')} of the {_named(self.split)}"
        )


def calibrated(trained: Trained, level: float) -> Calibrated:
    """Calibrate intervals on the validation set, or without one on the test set.

    Raises `ConfigError` for a level outside (0, 1), and `RunError` if the run has no such rows or
    too few, or if there are no intervals for its predictions.
    """
    if not 0 < level < 1:
        raise ConfigError(f"The level of an interval is {level:g}: give a number between 0 and 1.")
    _require_intervals(trained)
    name = _calibration_split(trained)
    rows = len(trained.experiment.splits[name])
    if rows < fewest_rows(level):
        raise RunError(
            f"Intervals with the level {level:g} need at least {fewest_rows(level):,} calibration "
            f"rows, and the {_named(name)} of {trained.run.run_id} has {rows:,}: use a lower "
            "level, or train with a larger share of validation rows."
        )
    return Calibrated(level, name, rows, _fitted(trained, name, level))


def _require_intervals(trained: Trained) -> None:
    """Raise `RunError` if there are no intervals for the predictions of a run."""
    experiment, run_id = trained.experiment, trained.run.run_id
    if experiment.preprocessor.words:
        raise RunError(f"{run_id} predicts labels: intervals are for values, and sets for classes.")
    top = experiment.network.layers[-1].activation
    if experiment.preprocessor.class_names and not top.gives_probabilities:
        raise RunError(
            f"The outputs of {run_id} are no probabilities, which sets of classes need: use "
            "`softmax` or `sigmoid` in the last layer."
        )
    if experiment.table.is_stored:
        raise RunError(
            f"The rows of {run_id} are streamed: intervals need the calibration rows in memory."
        )


def _calibration_split(trained: Trained) -> SplitName:
    splits: tuple[SplitName, ...] = ("val", "test")
    for name in splits:
        if len(trained.experiment.splits[name]):
            return name
    raise RunError(
        f"{trained.run.run_id} has no validation set on which intervals can be calibrated: train "
        "with `data.split: {val: 0.2}`."
    )


def _fitted(trained: Trained, name: SplitName, level: float) -> Columns:
    experiment = trained.experiment
    split, preprocessor = experiment.splits[name], experiment.preprocessor
    outputs = _outputs(trained, name)
    if split.labels is not None:
        sets = AdaptiveSets.fit(class_probabilities(outputs), split.labels, level)
        return SetsOfClasses(sets, preprocessor.class_names)
    assert split.values is not None, "targets that are no classes are values"
    method = AbsoluteErrors.fit(outputs, split.values, level)
    return IntervalsOfValues(method, experiment.output_names, experiment.table.target_names)


def _named(split: SplitName) -> str:
    return f"{SPLIT_NAMES[split]} set"


def _outputs(trained: Trained, name: SplitName) -> Array:
    """The outputs (n, outputs) for a split, in original units."""
    experiment = trained.experiment
    Z = experiment.output_z(name, trained.params)
    return original_outputs(experiment.network, Z, experiment.preprocessor)


# Measured coverage.


@dataclass(frozen=True)
class Coverage:
    """How often the intervals or sets of a split contain the true targets.

    `covered` (rows, targets) tells so for each target, and `sizes` (rows, targets) are the widths
    of intervals in original units, or the numbers of classes in sets.
    """

    calibrated: Calibrated
    covered: Array
    sizes: Array

    def to_json(self) -> dict[str, Any]:
        """The level, and for each target the coverage, its 95 % interval, and the mean size."""
        calibrated, columns = self.calibrated, self.calibrated.columns
        by_target = zip(columns.targets, self.covered.T, self.sizes.T, strict=True)
        return {
            "level": calibrated.level,
            "calibration_split": calibrated.split,
            "calibration_rows": calibrated.rows,
            "targets": [
                {
                    "name": name,
                    "coverage": float(covered.mean()),
                    "interval": _interval_of_share(covered),
                    columns.size: float(sizes.mean()),
                }
                for name, covered, sizes in by_target
            ],
        }


def _interval_of_share(covered: Array) -> list[float]:
    """The 95 % interval of a share (Clopper & Pearson 1934, Biometrika 26, 404)."""
    from scipy.stats import binomtest

    interval = binomtest(int(covered.sum()), len(covered)).proportion_ci(LEVEL)
    return [float(interval.low), float(interval.high)]


def coverage(trained: Trained, split: SplitName, level: float) -> Coverage:
    """Measure the coverage of a run's intervals on a split. Raises like `calibrated`.

    Also raises `RunError` if the split is that of the calibration rows.
    """
    found = calibrated(trained, level)
    if split == found.split:
        raise RunError(
            f"The intervals of {trained.run.run_id} are calibrated on its {_named(split)}: "
            "measure their coverage on other rows, with --split or --data."
        )
    rows = trained.experiment.splits[split]
    return Coverage(found, *found.columns.measured(_outputs(trained, split), rows))
