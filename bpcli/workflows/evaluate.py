"""Evaluate a run on one of its splits, with baselines that use no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from bpcli.data.labels import notes_on_constants
from bpcli.data.preprocessing import Split
from bpcli.data.types import Labels, SplitName
from bpcli.engine.rows import Rows
from bpcli.errors import RunError
from bpcli.experiment import Experiment, stream_of
from bpcli.metrics.baselines import constant_of
from bpcli.metrics.bootstrap import Interval, bootstrap_intervals
from bpcli.metrics.confusion import Confusion, class_scores
from bpcli.metrics.measures import Scores
from bpcli.metrics.metrics import Predictions, predictions
from bpcli.metrics.requirements import Requirement, Verdict, judge
from bpcli.metrics.roc import defined_roc_curve
from bpcli.nn.arrays import Array
from bpcli.runs.trained import Trained
from bpcli.training.objective import NetworkObjective
from bpcli.workflows.scores import (
    baselines,
    split_objective,
    split_samples,
    split_scores,
)

MOST_ROWS_WITH_INTERVALS = 20_000
"""Up to this many rows, intervals take at most half a second."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class ClassReport:
    """Scores of each class; the confusion matrix, true classes as rows; the area under ROC."""

    classes: list[dict[str, Any]]
    confusion: list[list[int]]
    roc_auc: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelReport:
    """The two words of each label with their numbers of rows; the areas under ROC, by metric."""

    labels: list[dict[str, Any]]
    roc_auc: Scores
    notes: tuple[str, ...]


class SplitDetail(NamedTuple):
    """The intervals of the scores of a split, and a report of classes or labels, if any."""

    intervals: dict[str, Interval | None] | None
    report: ClassReport | LabelReport | None


@dataclass(frozen=True)
class SplitEvaluation:
    """The metrics of a split, of the baselines, and a report of classes or labels, if any."""

    split: SplitName
    rows: int
    scores: Scores
    baselines: dict[str, Scores]
    intervals: dict[str, Interval | None] | None
    report: ClassReport | LabelReport | None

    def to_json(self) -> dict[str, Any]:
        """The evaluation under metric paths such as `test.accuracy`."""
        document: dict[str, Any] = {
            "split": self.split,
            "rows": self.rows,
            "metrics": self._paths(self.scores),
            "baselines": {label: self._paths(scores) for label, scores in self.baselines.items()},
        }
        if self.intervals is not None:
            document["intervals"] = self._paths(self.intervals)
        if isinstance(self.report, LabelReport):
            document["labels"] = self.report.labels
            document["metrics"] |= self._paths(self.report.roc_auc)
        elif self.report is not None:
            document["classes"] = self.report.classes
            document["confusion"] = self.report.confusion
            document["metrics"][f"{self.split}.roc_auc"] = self.report.roc_auc
        return document

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on undefined metrics."""
        return () if self.report is None else self.report.notes

    def _paths(self, scores: Mapping[str, Value]) -> dict[str, Value]:
        return {f"{self.split}.{metric}": value for metric, value in scores.items()}


def default_split(experiment: Experiment) -> SplitName:
    """Return the first split with rows, in the order test, validation, training."""
    splits: tuple[SplitName, ...] = ("test", "val", "train")
    return next(name for name in splits if len(experiment.splits[name]))


def evaluate(
    trained: Trained, split_name: SplitName, with_intervals: bool | None = None
) -> SplitEvaluation:
    """Score a run on a split. Raises `RunError` if the split has no rows.

    By default, intervals are computed if they take little time.
    """
    objective, detail = _in_detail(trained, split_name, with_intervals)
    experiment = trained.experiment
    return SplitEvaluation(
        split_name,
        len(experiment.splits[split_name]),
        split_scores(experiment, split_name, trained.params, objective),
        baselines(experiment, split_name, trained.record.constant),
        detail.intervals,
        detail.report,
    )


def detail(trained: Trained, split_name: SplitName) -> SplitDetail:
    """What `evaluate` finds on a split besides scores, which the record of a run has already."""
    return _in_detail(trained, split_name, None)[1]


def _in_detail(
    trained: Trained, split_name: SplitName, with_intervals: bool | None
) -> tuple[NetworkObjective, SplitDetail]:
    """The objective of a split, and what is found with it besides scores."""
    experiment = trained.experiment
    split = experiment.splits[split_name]
    if not len(split):
        raise RunError(
            f"The {split_name} split of {trained.run.run_id} is empty: choose another split."
        )
    if with_intervals is None:
        with_intervals = len(split) <= MOST_ROWS_WITH_INTERVALS
    confusion = Confusion(experiment.network, split)
    rows = experiment.loaded_rows(split_name)
    if with_intervals and not isinstance(rows, Rows):
        raise RunError(
            f"Intervals need the outputs of all {len(split):,} rows of the {split_name} split, "
            "which do not fit in memory together: leave out --intervals, or choose another split."
        )
    objective = split_objective(experiment, split_name, rows, [confusion])
    predicted = None
    if isinstance(rows, Rows):
        Z = objective.outputs(trained.params)
        predicted = predictions(experiment.network, Z, experiment.preprocessor)
    report: ClassReport | LabelReport | None = None
    if split.preprocessor.class_names:
        counts = confusion.value(objective.tally(trained.params, confusion))
        report = _class_report(split, predicted, counts)
    elif split.preprocessor.words:
        report = _label_report(split, predicted)
    intervals = _intervals(trained, split_name, objective) if with_intervals else None
    return objective, SplitDetail(intervals, report)


def judge_run(
    trained: Trained, evaluation: SplitEvaluation, requirements: Sequence[Requirement]
) -> list[Verdict]:
    """Check requirements on the evaluated split or any other.

    Raises `ConfigError` if a required metric does not exist.
    """
    metrics = dict(evaluation.to_json()["metrics"])
    named = {requirement.split for requirement in requirements} - {evaluation.split}
    for name, split in trained.experiment.splits.items():
        if name in named and len(split):
            metrics |= evaluate(trained, name, with_intervals=False).to_json()["metrics"]
    return judge(requirements, metrics)


def _intervals(
    trained: Trained, split_name: SplitName, objective: NetworkObjective
) -> dict[str, Interval | None]:
    """Return the intervals; evaluating the run again on that split gives the same ones."""
    experiment = trained.experiment
    rng = stream_of(experiment.spec, "intervals")
    return bootstrap_intervals(
        split_samples(experiment, split_name, trained.params, objective), rng
    )


def _class_report(split: Split, predicted: Predictions | None, counts: Labels) -> ClassReport:
    """The report of classes; without predictions of all rows, there is no ROC curve."""
    names = ("name", "precision", "recall", "f1", "rows")
    columns = (column.tolist() for column in class_scores(counts))
    rows = zip(split.preprocessor.class_names, *columns, strict=True)
    classes = [dict(zip(names, row, strict=True)) for row in rows]
    labels = None if predicted is None else split.labels
    if predicted is None or labels is None:
        return ClassReport(classes, counts.tolist(), None, (_no_roc(split),))
    return ClassReport(classes, counts.tolist(), _roc_auc(labels, predicted))


def _label_report(split: Split, predicted: Predictions | None) -> LabelReport:
    """The report of labels; without predictions of all rows, there are no ROC curves."""
    words = split.table.words
    counts = np.rint(constant_of(split) * len(split)).astype(int).tolist()
    labels = [
        {"name": name, "words": [*pair], "rows": [len(split) - count, count]}
        for (name, pair), count in zip(words.items(), counts, strict=True)
    ]
    Y = split.values if predicted is not None else None
    if predicted is None or Y is None:
        return LabelReport(labels, {"roc_auc": None}, (_no_roc(split),))
    areas = [_area(y == 1, rank) for y, rank in zip(Y.T, predicted.ranks.T, strict=True)]
    known = [area for area in areas if area is not None]
    own = {f"roc_auc.{name}": area for name, area in zip(words, areas, strict=True)}
    roc_auc: Scores = {"roc_auc": float(np.mean(known)) if known else None}
    notes = tuple(notes_on_constants(words, Y, split.name))
    return LabelReport(labels, roc_auc | (own if len(words) > 1 else {}), notes)


def _no_roc(split: Split) -> str:
    return (
        f"the area under the ROC curve is not computed: the outputs of the {len(split):,} rows do "
        "not fit in memory together"
    )


def _area(is_positive: Array, score: Array) -> float | None:
    """The area under the ROC curve; None if all rows are positive, or none is."""
    curve = defined_roc_curve(is_positive, score)
    return None if curve is None else curve.area


def _roc_auc(labels: Labels, predicted: Predictions) -> float | None:
    """Area under the ROC curve; of several classes, the mean over one-against-rest curves.

    None if a class is missing from the split.
    """
    ranks = predicted.ranks
    if ranks.shape[1] == 1:
        return _area(labels == 1, ranks[:, 0])
    areas = [_area(labels == label, score) for label, score in enumerate(ranks.T)]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if len(known) == len(areas) else None
