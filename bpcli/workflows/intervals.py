"""Intervals and sets for the predictions of a run, calibrated on rows it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from bpcli.data.preprocessing import Split
from bpcli.data.scaler import Scaler
from bpcli.data.types import Labels, SplitName
from bpcli.errors import ConfigError, DataError, RunError
from bpcli.experiment import Experiment
from bpcli.intervals.conformal import (
    AbsoluteErrors,
    AdaptiveSets,
    fewest_rows,
    quantile,
)
from bpcli.intervals.local import Everywhere, LocalErrors, Scale, no_scale
from bpcli.metrics.bootstrap import share_interval
from bpcli.nn.arrays import Array
from bpcli.runs.subject import SPLIT_NAMES
from bpcli.runs.trained import Trained
from bpcli.text import plural
from bpcli.workflows.calibration_scores import calibration_scores, split_outputs
from bpcli.workflows.cross_intervals import OtherRows, cross_columns, scored_by_folds
from bpcli.workflows.interval_categories import by_category, by_class, names_the_classes
from bpcli.workflows.interval_columns import (
    Columns,
    IntervalsByCategory,
    IntervalsOfValues,
    SetsByCategory,
    SetsOfClasses,
)
from bpcli.workflows.interval_scales import network_scale, spread_scale
from bpcli.workflows.linearized_intervals import linearized_columns

Method: TypeAlias = Literal["conformal", "normalized", "ensemble", "cross", "delta", "posterior"]


@dataclass(frozen=True)
class Calibrated:
    """What goes beside the predictions of a run, and the rows that it rests on.

    `basis` says where it comes from, and how far it can be trusted. `split` is None if it rests on
    the rows of all folds.
    """

    method: Method
    level: float
    split: SplitName | None
    rows: int
    columns: Columns
    basis: str

    @property
    def notes(self) -> tuple[str, ...]:
        """What is promised and where that comes from, and what has no promise."""
        return (self.note, *self.columns.unpromised)

    @property
    def note(self) -> str:
        """What is promised, and where that comes from."""
        return f"{self.columns.promise} with a probability of {self.basis}"


def calibrated(
    trained: Trained,
    level: float,
    method: Method = "conformal",
    *,
    by: str | None = None,
) -> Calibrated:
    """Intervals or sets by a method; all but the last two calibrate on rows not trained on.

    `by` is an input, or the target that has the classes: each of its categories has the level by
    itself. The other folds of `cross` have the same weights as `trained`, best or last.

    Raises `ConfigError` for a level outside (0, 1) or a method without categories, and `RunError`
    if there are no intervals for the predictions of the run, or if its rows are too few.
    """
    if not 0 < level < 1:
        raise ConfigError(f"The level of an interval is {level:g}: give a number between 0 and 1.")
    if method not in _NAMES:
        raise ConfigError(f"There is no method `{method}`; allowed: {', '.join(_NAMES)}.")
    _require_intervals(trained)
    if by is not None and method in ("cross", "delta", "posterior"):
        raise ConfigError(
            f"Intervals by {_NAMES[method]} cannot be calibrated by category: leave out `{by}`, "
            "or use --method conformal."
        )
    try:
        if method == "cross":
            fit = cross_columns(trained, level)
            return Calibrated(method, level, None, fit.rows, fit.columns, fit.basis)
        if method in ("delta", "posterior"):
            fit = linearized_columns(trained, level, method)
            return Calibrated(method, level, "train", fit.rows, fit.columns, fit.basis)
        return _conformal(trained, level, method, by)
    except DataError as error:
        raise RunError(
            f"{trained.run.run_id} has no intervals by {_NAMES[method]}: {error}."
        ) from None


_NAMES: Mapping[Method, str] = {
    "conformal": "split conformal prediction",
    "normalized": "normalized conformal prediction",
    "ensemble": "the spread of an ensemble",
    "cross": "cross-validation",
    "delta": "the delta method",
    "posterior": "the posterior",
}


# Conformal.


def _conformal(trained: Trained, level: float, method: Method, by: str | None) -> Calibrated:
    name = _calibration_split(trained)
    rows = len(trained.experiment.splits[name])
    if rows < fewest_rows(level):
        raise RunError(
            f"Intervals with the level {level:g} need at least {fewest_rows(level):,} calibration "
            f"rows, and the {_named(name)} of {trained.run.run_id} has {rows:,}: use a lower "
            "level, or train with a larger share of validation rows."
        )
    columns, said = _fitted(trained, name, level, method, by)
    each = "" if by is None else f" within each category of `{by}`"
    basis = (
        f"at least {level:g}{each}, for rows from the same source as the {plural(rows, 'row')} of "
        f"the {_named(name)}"
    )
    return Calibrated(method, level, name, rows, columns, "; ".join([basis, *said]))


def _require_intervals(trained: Trained) -> None:
    """Raise `RunError` if there are no intervals for the predictions of a run."""
    experiment, run_id = trained.experiment, trained.run.run_id
    if experiment.preprocessor.words:
        raise RunError(f"{run_id} predicts labels: intervals are for values, and sets for classes.")
    top = experiment.network.layers[-1].activation
    if experiment.preprocessor.class_names and not top.gives_probabilities:
        raise RunError(
            f"The outputs of {run_id} are not probabilities, which sets of classes need: use "
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


def _fitted(
    trained: Trained, name: SplitName, level: float, method: Method, by: str | None
) -> tuple[Columns, list[str]]:
    """The columns, and what is said of their widths."""
    split = trained.experiment.splits[name]
    scores = calibration_scores(trained.experiment, trained.params, name)
    if split.labels is not None:
        if method != "conformal":
            raise DataError("it is for values, and the targets are classes: use --method conformal")
        return _sets(trained, split, scores, level, by), []
    names = _names(trained.experiment)
    if method == "conformal" and by is None:
        return IntervalsOfValues(AbsoluteErrors(quantile(scores, level)), *names), []
    scale, said = _SCALES[method](trained)
    scores = scores / scale(split.X)
    if by is None:
        errors = LocalErrors(Everywhere(quantile(scores, level)), scale)
        return IntervalsOfValues(errors, *names), said
    quantiles = by_category(trained, split, by, scores, level)
    return IntervalsByCategory(LocalErrors(quantiles.by, scale), *names, quantiles), said


def _unscaled(trained: Trained) -> tuple[Scale, list[str]]:
    return no_scale, []


_SCALES: Mapping[Method, Callable[[Trained], tuple[Scale, list[str]]]] = {
    "conformal": _unscaled,
    "normalized": network_scale,
    "ensemble": spread_scale,
}


def _sets(trained: Trained, split: Split, scores: Array, level: float, by: str | None) -> Columns:
    """Sets for the scores (n, 1) of the true classes."""
    names = trained.experiment.preprocessor.class_names
    pooled = AdaptiveSets(float(quantile(scores, level)[0]))
    if by is None:
        return SetsOfClasses(pooled, names)
    if names_the_classes(trained, by):
        assert split.labels is not None, "there are classes"
        return by_class(names, split.labels, scores, level)
    return SetsByCategory(pooled, names, by_category(trained, split, by, scores, level))


def _names(experiment: Experiment) -> tuple[Scaler, tuple[str, ...], tuple[str, ...]]:
    """What the columns of values need beside their method."""
    inputs = experiment.preprocessor.inputs
    return inputs, experiment.output_names, experiment.table.target_names


def _named(split: SplitName) -> str:
    return f"{SPLIT_NAMES[split]} set"


# Measured coverage.


@dataclass(frozen=True)
class Coverage:
    """How often the intervals or sets of a split contain the true targets.

    `covered` (rows, targets) tells so for each target, and `sizes` (rows, targets) are the widths
    of intervals in original units, or the numbers of classes in sets. `codes` (rows,) number the
    categories that have the level by themselves; -1 is none of them.
    """

    calibrated: Calibrated
    covered: Array
    sizes: Array
    codes: Labels

    def to_json(self) -> dict[str, Any]:
        """The level, and for each target the coverage, its 95 % interval, and the mean size."""
        calibrated, categories = self.calibrated, self.calibrated.columns.categories
        document = {
            "level": calibrated.level,
            "method": calibrated.method,
            "calibration_split": calibrated.split,
            "calibration_rows": calibrated.rows,
            "targets": self._targets(slice(None)),
        }
        if categories:
            document["categories"] = [
                {"name": name, "rows": int(rows.sum()), "targets": self._targets(rows)}
                for name, rows in ((name, self.codes == k) for k, name in enumerate(categories))
                if rows.any()
            ]
        return document

    def _targets(self, rows: slice | Array) -> list[dict[str, Any]]:
        columns = self.calibrated.columns
        numbers = self.covered[rows].T, self.sizes[rows].T
        by_target = zip(columns.targets, *numbers, strict=True)
        return [
            {
                "name": name,
                "coverage": float(covered.mean()),
                "interval": [*share_interval(covered)],
                columns.size: float(sizes.mean()),
            }
            for name, covered, sizes in by_target
        ]


def coverage(
    trained: Trained,
    split: SplitName,
    level: float,
    method: Method = "conformal",
    *,
    by: str | None = None,
) -> Coverage:
    """Measure the coverage of a run's intervals on a split. Raises like `calibrated`.

    Also raises `RunError` if the split has calibration rows, as all splits of folds have.
    """
    if method == "cross" and trained.record.fold is not None:
        raise RunError(
            f"All rows of the folds of {trained.run.run_id} are calibration rows: measure the "
            "coverage on other rows, with --data."
        )
    intervals = calibrated(trained, level, method, by=by)
    if split == intervals.split:
        raise RunError(
            f"The intervals of {trained.run.run_id} are calibrated on its {_named(split)}: "
            "measure their coverage on other rows, with --split or --data."
        )
    return _measured(intervals, trained, split)


def cross_coverage(
    trained: Trained, level: float, by: str | None, other_rows: OtherRows
) -> Coverage:
    """Measure the coverage of `cross` on the split `data`, which `other_rows` gives each fold."""
    intervals = calibrated(trained, level, "cross", by=by)
    scored = scored_by_folds(intervals.columns, trained, other_rows)
    return _measured(replace(intervals, columns=scored), trained, "data")


def _measured(intervals: Calibrated, trained: Trained, split: SplitName) -> Coverage:
    rows, columns = trained.experiment.splits[split], intervals.columns
    measured = columns.measured(split_outputs(trained, split), rows)
    return Coverage(intervals, *measured, columns.codes(rows))
