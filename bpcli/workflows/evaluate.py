"""Evaluate a run on one of its parts, beside baselines that use no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from bpcli.data.preprocessing import Part, PartName
from bpcli.errors import RunError
from bpcli.experiment import Experiment, stream
from bpcli.metrics.bootstrap import Interval, bootstrap_intervals
from bpcli.metrics.metrics import Predictions
from bpcli.metrics.requirements import Requirement, Verdict, judge
from bpcli.runs.trained import Trained
from bpcli.training.objective import Objective
from bpcli.workflows.scores import (
    Scores,
    baselines,
    part_objective,
    part_predictions,
    part_samples,
    part_scores,
)

MOST_ROWS_WITH_INTERVALS = 20_000
"""Up to so many rows, intervals take half a second at most."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class ClassScores:
    """How one class fared."""

    name: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True)
class ClassReport:
    """Per-class scores; the confusion matrix, true classes as rows; and the area under ROC."""

    classes: list[ClassScores]
    confusion: list[list[int]]
    roc_auc: float | None


@dataclass(frozen=True)
class PartEvaluation:
    """The metrics of a part, of the baselines, and a report where there are classes."""

    part: PartName
    rows: int
    scores: Scores
    baselines: dict[str, Scores]
    intervals: dict[str, Interval | None] | None
    report: ClassReport | None

    def to_json(self) -> dict[str, Any]:
        """The evaluation under metric paths such as `test.accuracy`."""
        document: dict[str, Any] = {
            "part": self.part,
            "rows": self.rows,
            "metrics": self._paths(self.scores),
            "baselines": {label: self._paths(scores) for label, scores in self.baselines.items()},
        }
        if self.intervals is not None:
            document["intervals"] = self._paths(self.intervals)
        if self.report is not None:
            document["classes"] = [vars(scores) for scores in self.report.classes]
            document["confusion"] = self.report.confusion
            document["metrics"][f"{self.part}.roc_auc"] = self.report.roc_auc
        return document

    def _paths(self, scores: Mapping[str, Value]) -> dict[str, Value]:
        return {f"{self.part}.{metric}": value for metric, value in scores.items()}


def default_part(experiment: Experiment) -> PartName:
    """Test, else validation, else training."""
    parts: tuple[PartName, ...] = ("test", "val", "train")
    return next(name for name in parts if len(experiment.parts[name]))


def evaluate(
    trained: Trained, part_name: PartName, with_intervals: bool | None = None
) -> PartEvaluation:
    """Measure a run. Raises `RunError` where the part has no rows.

    Intervals are made where they are asked for, or cost little.
    """
    experiment = trained.experiment
    part = experiment.parts[part_name]
    if not len(part):
        raise RunError(f"{trained.run.run_id} has no {part_name} part: its split leaves it empty.")
    if with_intervals is None:
        with_intervals = len(part) <= MOST_ROWS_WITH_INTERVALS
    objective = part_objective(experiment, part_name)
    predicted = part_predictions(experiment, part_name, trained.params, objective)
    return PartEvaluation(
        part_name,
        len(part),
        part_scores(experiment, part_name, trained.params, objective),
        baselines(experiment, part_name),
        _intervals(trained, part_name, objective) if with_intervals else None,
        _class_report(part, predicted, experiment.preparation.class_names),
    )


def judge_run(
    trained: Trained, evaluation: PartEvaluation, requirements: Sequence[Requirement]
) -> list[Verdict]:
    """Hold a run against what is required: of the part that was evaluated, or of any other.

    Raises `ConfigError` where what is required is not among the metrics.
    """
    metrics = dict(evaluation.to_json()["metrics"])
    named = {requirement.part for requirement in requirements} - {evaluation.part}
    for name, part in trained.experiment.parts.items():
        if name in named and len(part):
            metrics |= evaluate(trained, name, with_intervals=False).to_json()["metrics"]
    return judge(requirements, metrics)


def _intervals(
    trained: Trained, part_name: PartName, objective: Objective
) -> dict[str, Interval | None]:
    """The same ones whenever the run is measured on that part."""
    experiment = trained.experiment
    rng = stream(experiment.spec.seed, "intervals")
    return bootstrap_intervals(part_samples(experiment, part_name, trained.params, objective), rng)


def _class_report(
    part: Part, predicted: Predictions, class_names: tuple[str, ...]
) -> ClassReport | None:
    if predicted.classes is None or part.labels is None:
        return None
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    every = list(range(len(class_names)))
    columns = precision_recall_fscore_support(
        part.labels, predicted.classes, labels=every, zero_division=0.0
    )
    classes = [
        ClassScores(name, float(precision), float(recall), float(f1), int(rows))
        for name, precision, recall, f1, rows in zip(class_names, *columns, strict=True)
    ]
    confusion = confusion_matrix(part.labels, predicted.classes, labels=every).tolist()
    return ClassReport(classes, confusion, _roc_auc(part, predicted, len(class_names)))


def _roc_auc(part: Part, predicted: Predictions, classes: int) -> float | None:
    """Area under the ROC curve; of several classes, the mean over one-against-rest curves.

    Undefined where a class is missing from the part.
    """
    from sklearn.metrics import roc_auc_score

    assert part.labels is not None, "only asked where there are classes"
    if len(np.unique(part.labels)) < classes or classes < 2:
        return None
    if predicted.outputs.shape[1] == 1:
        return float(roc_auc_score(part.labels, predicted.outputs[:, 0]))
    areas = [
        roc_auc_score(part.labels == label, predicted.outputs[:, label]) for label in range(classes)
    ]
    return float(np.mean(areas))
