"""ROC curves of the classes or the labels of a split."""

from __future__ import annotations

from collections.abc import Sequence

from bpcli.metrics.roc import RocCurve, roc_curve
from bpcli.plots.base import Axes
from bpcli.plots.scored import Scored, ScoredPlot
from bpcli.plots.style import REFERENCE
from bpcli.runs.subject import Subject


class Roc(ScoredPlot):
    """The curve of each label, of the second of two classes, or of each of several."""

    measure = mean_of = "area"

    def title(self, subject: Subject) -> str:
        return "ROC curve" + "s" * (len(self.scored(subject)) > 1)

    def curve(self, each: Scored) -> RocCurve:
        return roc_curve(each.is_positive, each.score)

    def decided(self, each: Scored) -> tuple[float, float]:
        return each.false_positive_rate, each.true_positive_rate

    def draw_chance(self, axes: Axes, curves: Sequence[Scored]) -> None:
        axes.plot([0, 1], [0, 1], **REFERENCE, label="chance level: area 0.5")

    def labels(self, noun: str) -> tuple[str, str]:
        return (
            f"false positive rate (share of other rows predicted as the {noun})",
            f"true positive rate (share of the {noun}'s rows predicted as the {noun})",
        )
