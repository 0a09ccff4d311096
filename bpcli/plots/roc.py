"""ROC curves of the classes or the labels of a split."""

from __future__ import annotations

import numpy as np

from bpcli.metrics.roc import roc_curve
from bpcli.plots.base import Panel
from bpcli.plots.scored import MOST_CURVES, Scored, ScoredPlot, prepare_square
from bpcli.plots.style import MUTED, colour, dashes
from bpcli.runs.subject import Subject


class Roc(ScoredPlot):
    """The curve of each label, of the second of two classes, or of each of several."""

    def title(self, subject: Subject) -> str:
        return "ROC curve" + "s" * (len(self.scored(subject)) > 1)

    def mean(self, curves: list[Scored]) -> str:
        areas = [roc_curve(each.is_positive, each.score).area for each in curves]
        return f"mean area {np.mean(areas):.4f}"

    def draw(self, figure: Panel, subject: Subject) -> None:
        axes = figure.subplots()
        axes.plot(
            [0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)),
            label="chance level: area 0.5",
        )  # fmt: skip
        for number, each in enumerate(self.scored(subject)[:MOST_CURVES]):
            curve = roc_curve(each.is_positive, each.score)
            axes.plot(
                curve.false_positive_rate, curve.true_positive_rate, color=colour(number),
                linestyle=dashes(number), linewidth=1.6, clip_on=False,
                label=f"{self.text(subject, each)}: area {curve.area:.4f}",
            )  # fmt: skip
            x, y = each.false_positive_rate, each.true_positive_rate
            self.mark(axes, x, y, number)
        noun = self.noun(subject)
        axes.set_xlabel(f"false positive rate (share of other rows predicted as the {noun})")
        axes.set_ylabel(f"true positive rate (share of the {noun}'s rows predicted as the {noun})")
        prepare_square(axes)
        self.finish(figure, axes, subject)
