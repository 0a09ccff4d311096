"""What plots of ranked rows share: which classes or labels have a curve, and its wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, Plot, legend_below
from bpcli.plots.outcome import is_one_score, left_out, no_classes, note
from bpcli.plots.style import INK, colour, literal
from bpcli.runs.subject import Subject

MOST_CURVES = 10


@dataclass(frozen=True)
class Scored:
    """A class or label with a curve.

    For each row (n,): whether it has the class or label, its score, and whether the network
    predicts the class or label for it.
    """

    name: str
    is_positive: Array
    score: Array
    is_predicted: Array

    @property
    def true_positive_rate(self) -> float:
        return float(self.is_predicted[self.is_positive].mean())

    @property
    def false_positive_rate(self) -> float:
        return float(self.is_predicted[~self.is_positive].mean())

    @property
    def precision(self) -> float:
        """The share of the predicted rows that is positive; NaN if none is predicted."""
        return (
            float(self.is_positive[self.is_predicted].mean()) if self.is_predicted.any() else np.nan
        )


class ScoredPlot(Plot):
    """A plot with a curve for each class or label, over the thresholds of its score."""

    meaning: ClassVar[str] = ""
    """What the number beside a curve is, if its name does not say it."""

    def why_not(self, subject: Subject) -> str | None:
        words = subject.experiment.preprocessor.words
        reason = None if words else no_classes(subject)
        if reason is None and not self.scored(subject):
            one = "have the same labels" if words else "are of one class"
            return f"All rows of the {subject.split_name} set {one}."
        return reason

    def details(self, subject: Subject) -> Sequence[str]:
        curves = self.scored(subject)
        several = len(subject.experiment.preprocessor.class_names) > 2
        mean = self.mean(curves) if len(curves) > 1 else self.meaning
        return f"{subject.split_name} set", "each class against the rest" * several, mean

    def size(self, subject: Subject) -> tuple[float, float]:
        drawn = min(len(self.scored(subject)), MOST_CURVES)
        return (6.4, 6.8 + 0.2 * -(-drawn // 2))

    def mean(self, curves: list[Scored]) -> str:
        """What is said of the curves together."""
        raise NotImplementedError

    def scored(self, subject: Subject) -> list[Scored]:
        """The classes or labels that some but not all rows of the split have."""
        every = _labels(subject) if subject.experiment.preprocessor.words else _classes(subject)
        return [each for each in every if 0 < each.is_positive.sum() < len(each.is_positive)]

    def noun(self, subject: Subject) -> str:
        return "label" if subject.experiment.preprocessor.words else "class"

    def text(self, subject: Subject, each: Scored) -> str:
        return f"{self.noun(subject)} {literal(each.name, 24)}"

    def mark(self, axes: Axes, x: float, y: float, number: int) -> None:
        """Mark the point of the network's own decisions on a curve."""
        axes.plot(
            x, y, marker="o", markersize=6, color=colour(number), markeredgecolor="white",
            markeredgewidth=0.9, linestyle="none", clip_on=False, zorder=4,
        )  # fmt: skip

    def finish(self, figure: Panel, axes: Axes, subject: Subject) -> None:
        """The legend, and remarks on what is not drawn."""
        axes.plot([], [], marker="o", color=INK, markersize=5, linestyle="none",
                  label="as the network decides")  # fmt: skip
        legend_below(figure, axes)
        words = subject.experiment.preprocessor.words
        curves = self.scored(subject)
        nouns = "labels" if words else "classes"
        drawn, count = min(len(curves), MOST_CURVES), len(words or curves)
        note(figure, left_out(drawn, count, f"{nouns} drawn"))


def prepare_square(axes: Axes) -> None:
    """Both axes from 0 to 1, in equal units."""
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")


def _labels(subject: Subject) -> list[Scored]:
    words, values = subject.experiment.preprocessor.words, subject.rows.values
    predicted, ranks = subject.predictions.labels, subject.predictions.ranks
    assert values is not None, "labels are numbers"
    assert predicted is not None, "there are labels"
    return [
        Scored(name, values[:, k] == 1, ranks[:, k], predicted[:, k] == 1)
        for k, name in enumerate(words)
    ]


def _classes(subject: Subject) -> list[Scored]:
    labels, names = subject.rows.labels, subject.experiment.preprocessor.class_names
    predicted, ranks = subject.predictions.classes, subject.predictions.ranks
    assert labels is not None, "there are classes"
    assert predicted is not None, "there are classes"
    return [
        Scored(names[label], labels == label, ranks[:, output], predicted == label)
        for label, output in _scores(subject)
    ]


def _scores(subject: Subject) -> list[tuple[int, int]]:
    """The classes, each with the index of the output that scores it.

    If a single score decides between two classes, only the second has a curve.
    """
    outputs = subject.network.outputs
    if is_one_score(subject):
        return [(1, outputs - 1)]
    return [(label, label) for label in range(outputs)]
