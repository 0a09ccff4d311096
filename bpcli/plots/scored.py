"""What plots of ranked rows share: which classes or labels have a curve, and its wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, Plot, legend_below
from bpcli.plots.outcome import is_one_score, left_out, no_classes, note
from bpcli.plots.style import CURVE_WIDTH, INK, colour, dashes, literal
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

    measure: ClassVar[str]
    """The short name of the number beside a curve."""
    mean_of: ClassVar[str]
    """Its name where the mean of several curves is given."""
    meaning: ClassVar[str] = ""
    """What it is, if its name does not say it."""
    drawstyle: ClassVar[str] = "default"

    def curve(self, each: Scored) -> tuple[Array, Array, float]:
        """The points x (n,) and y (n,) over all thresholds, and the number beside the curve."""
        raise NotImplementedError

    def decided(self, each: Scored) -> tuple[float, float]:
        """The point of the network's own decisions."""
        raise NotImplementedError

    def draw_chance(self, axes: Axes, curves: Sequence[Scored]) -> None:
        """Draw the curve of the chance level."""
        raise NotImplementedError

    def labels(self, noun: str) -> tuple[str, str]:
        """The labels of the axes."""
        raise NotImplementedError

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
        mean = self._mean(curves) if len(curves) > 1 else self.meaning
        return f"{subject.split_name} set", "each class against the rest" * several, mean

    def size(self, subject: Subject) -> tuple[float, float]:
        drawn = min(len(self.scored(subject)), MOST_CURVES)
        return (6.4, 6.8 + 0.2 * -(-drawn // 2))

    def scored(self, subject: Subject) -> list[Scored]:
        """The classes or labels that some but not all rows of the split have."""
        every = _labels(subject) if subject.experiment.preprocessor.words else _classes(subject)
        return [each for each in every if 0 < each.is_positive.sum() < len(each.is_positive)]

    def draw(self, figure: Panel, subject: Subject) -> None:
        axes, curves = figure.subplots(), self.scored(subject)
        words = subject.experiment.preprocessor.words
        noun, nouns = ("label", "labels") if words else ("class", "classes")
        self.draw_chance(axes, curves)
        for number, each in enumerate(curves[:MOST_CURVES]):
            self._draw_curve(axes, each, f"{noun} {literal(each.name, 24)}", number)
        axes.plot([], [], marker="o", color=INK, markersize=5, linestyle="none",
                  label="at the network's own threshold")  # fmt: skip
        x_label, y_label = self.labels(noun)
        axes.set(xlabel=x_label, ylabel=y_label, xlim=(0, 1), ylim=(0, 1), aspect="equal")
        legend_below(figure, axes)
        drawn, count = min(len(curves), MOST_CURVES), len(words or curves)
        note(figure, left_out(drawn, count, f"{nouns} drawn"))

    def _mean(self, curves: Sequence[Scored]) -> str:
        mean = np.mean([self.curve(each)[2] for each in curves])
        return f"mean {self.mean_of} {mean:.4f}"

    def _draw_curve(self, axes: Axes, each: Scored, name: str, number: int) -> None:
        """Draw a curve, and mark the point of the network's own decisions on it."""
        (x, y, value), own = self.curve(each), self.decided(each)
        axes.plot(
            x, y, color=colour(number), linestyle=dashes(number), linewidth=CURVE_WIDTH,
            drawstyle=self.drawstyle, clip_on=False, label=f"{name}: {self.measure} {value:.4f}",
        )  # fmt: skip
        axes.plot(
            *own, marker="o", markersize=6, color=colour(number), markeredgecolor="white",
            markeredgewidth=0.9, linestyle="none", clip_on=False, zorder=4,
        )  # fmt: skip


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
