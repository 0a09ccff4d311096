"""Intervals and sets for the predictions of a run, calibrated on rows it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bpcli.data.types import SplitName
from bpcli.errors import ConfigError, RunError
from bpcli.experiment.output_names import output_names
from bpcli.intervals.conformal import AbsoluteErrors, AdaptiveSets, fewest_rows
from bpcli.nn.arrays import Array
from bpcli.runs.trained import Trained
from bpcli.text import plural
from bpcli.training.objective import NetworkObjective
from bpcli.workflows.scores import split_predictions

SET_NAMES = {"train": "training set", "val": "validation set", "test": "test set"}

_BETWEEN = " | "
"""Between the classes of a set in a table."""


@dataclass(frozen=True)
class IntervalsOfValues:
    """An interval of each output, in original units: two columns."""

    method: AbsoluteErrors
    output_names: tuple[str, ...]
    text_names: tuple[str, ...] = ()

    @property
    def number_names(self) -> tuple[str, ...]:
        return tuple(f"{name} {end}" for name in self.output_names for end in ("low", "high"))

    def numbers(self, outputs: Array) -> Array:
        return np.stack(self.method.bounds(outputs), axis=2).reshape(len(outputs), -1)

    def texts(self, outputs: Array) -> list[list[str]]:
        return []

    def documents(self, outputs: Array) -> Iterator[dict[str, Any]]:
        for low, high in zip(*map(np.ndarray.tolist, self.method.bounds(outputs)), strict=True):
            ends = zip(low, high, strict=True)
            yield {"intervals": dict(zip(self.output_names, map(list, ends), strict=True))}

    def arrays(self, outputs: Array) -> dict[str, Array]:
        return self.method.bounds(outputs)._asdict()


@dataclass(frozen=True)
class SetsOfClasses:
    """A set of classes, in the order of the classes: a column of text."""

    method: AdaptiveSets
    class_names: tuple[str, ...]
    number_names: tuple[str, ...] = ()
    text_names: tuple[str, ...] = ("class set",)

    def numbers(self, outputs: Array) -> Array:
        return np.empty((len(outputs), 0))

    def texts(self, outputs: Array) -> list[list[str]]:
        return [[_BETWEEN.join(names) for names in self._names(outputs)]]

    def documents(self, outputs: Array) -> Iterator[dict[str, Any]]:
        return ({"class_set": names} for names in self._names(outputs))

    def arrays(self, outputs: Array) -> dict[str, Array]:
        return {"class_sets": self._sets(outputs)}

    def _names(self, outputs: Array) -> Iterator[list[str]]:
        for row in self._sets(outputs):
            yield [self.class_names[k] for k in np.flatnonzero(row)]

    def _sets(self, outputs: Array) -> Array:
        return self.method.sets(probabilities_of(outputs))


Columns: TypeAlias = IntervalsOfValues | SetsOfClasses


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
        what = "a set contains the class"
        if isinstance(self.columns, IntervalsOfValues):
            what = "an interval contains the target"
        return (
            f"{what} with a probability of at least {self.level:g}, for rows from the same source "
            f"as the {plural(self.rows, 'row')} of the {SET_NAMES[self.split]}"
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
            f"rows, and the {SET_NAMES[name]} of {trained.run.run_id} has {rows:,}: use a lower "
            "level, or train with a larger share of validation rows."
        )
    return Calibrated(level, name, rows, _fitted(trained, name, level))


def probabilities_of(outputs: Array) -> Array:
    """The probability (n, classes) of each class; a single output is that of the second class."""
    return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs


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
        sets = AdaptiveSets.fit(probabilities_of(outputs), split.labels, level)
        return SetsOfClasses(sets, preprocessor.class_names)
    assert split.values is not None, "targets that are no classes are values"
    names = output_names(experiment.network, (), experiment.table.target_names)
    return IntervalsOfValues(AbsoluteErrors.fit(outputs, split.values, level), names)


def _outputs(trained: Trained, name: SplitName) -> Array:
    """The outputs (n, outputs) for a split, in original units."""
    experiment = trained.experiment
    objective = NetworkObjective(experiment.network, experiment.rows(name))
    return split_predictions(experiment, trained.params, objective).outputs


# Measured coverage.


@dataclass(frozen=True)
class Coverage:
    """How often the intervals or sets of a split contain the true targets.

    `covered` (rows, targets) tells so for each target, and `sizes` (rows, targets) are the widths
    of intervals in original units, or the numbers of classes in sets.
    """

    calibrated: Calibrated
    split: SplitName
    names: tuple[str, ...]
    covered: Array
    sizes: Array

    def to_json(self) -> dict[str, Any]:
        """The level, and for each target the coverage, its 95 % interval, and the mean size."""
        size = (
            "mean_classes" if isinstance(self.calibrated.columns, SetsOfClasses) else "mean_width"
        )
        shares, sizes = self.covered.mean(axis=0), self.sizes.mean(axis=0)
        return {
            "level": self.calibrated.level,
            "calibration_split": self.calibrated.split,
            "calibration_rows": self.calibrated.rows,
            "targets": [
                {
                    "name": name,
                    "coverage": float(shares[k]),
                    "interval": list(_share_interval(int(self.covered[:, k].sum()), self.rows)),
                    size: float(sizes[k]),
                }
                for k, name in enumerate(self.names)
            ],
        }

    @property
    def rows(self) -> int:
        return len(self.covered)


def _share_interval(count: int, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share (Clopper & Pearson 1934, Biometrika 26, 404)."""
    from scipy.stats import beta

    low = float(beta.ppf(0.025, count, rows - count + 1)) if count else 0.0
    high = float(beta.ppf(0.975, count + 1, rows - count)) if count < rows else 1.0
    return low, high


def coverage(trained: Trained, split: SplitName, level: float) -> Coverage:
    """Measure the coverage of a run's intervals on a split. Raises like `calibrated`.

    Also raises `RunError` if the split is that of the calibration rows.
    """
    found = calibrated(trained, level)
    if split == found.split:
        raise RunError(
            f"The intervals of {trained.run.run_id} are calibrated on its {SET_NAMES[split]}: "
            "measure their coverage on other rows, with --split or --data."
        )
    experiment = trained.experiment
    rows, outputs = experiment.splits[split], _outputs(trained, split)
    if isinstance(found.columns, SetsOfClasses):
        assert rows.labels is not None, "there are classes"
        sets = found.columns.method.sets(probabilities_of(outputs))
        covered = np.take_along_axis(sets, rows.labels[:, np.newaxis], axis=1)
        return Coverage(found, split, ("class",), covered, sets.sum(axis=1, keepdims=True))
    assert rows.values is not None, "targets that are no classes are values"
    low, high = found.columns.method.bounds(outputs)
    covered = (low <= rows.values) & (rows.values <= high)
    return Coverage(found, split, experiment.table.target_names, covered, high - low)
