"""Precision against recall of the classes or the labels of a split."""

from __future__ import annotations

import numpy as np

from bpcli.metrics.precision_recall import precision_recall_curve
from bpcli.plots.base import Axes, Panel
from bpcli.plots.scored import MOST_CURVES, Scored, ScoredPlot, prepare_square
from bpcli.plots.style import MUTED, colour, dashes
from bpcli.runs.subject import Subject


class PrecisionRecall(ScoredPlot):
    """Precision against recall, for each label, the second of two classes, or each of several."""

    meaning = "AP: average precision"

    def title(self, subject: Subject) -> str:
        return "Precision and recall"

    def mean(self, curves: list[Scored]) -> str:
        averages = [precision_recall_curve(each.is_positive, each.score).average for each in curves]
        return f"mean AP (average precision) {np.mean(averages):.4f}"

    def draw(self, figure: Panel, subject: Subject) -> None:
        axes = figure.subplots()
        curves = self.scored(subject)
        _draw_chance(axes, curves)
        for number, each in enumerate(curves[:MOST_CURVES]):
            curve = precision_recall_curve(each.is_positive, each.score)
            axes.plot(
                curve.recall, curve.precision, color=colour(number), linestyle=dashes(number),
                linewidth=1.6, drawstyle="steps-pre", clip_on=False,
                label=f"{self.text(subject, each)}: AP {curve.average:.4f}",
            )  # fmt: skip
            self.mark(axes, each.true_positive_rate, each.precision, number)
        noun = self.noun(subject)
        axes.set_xlabel(f"recall (share of the {noun}'s rows predicted as the {noun})")
        axes.set_ylabel(f"precision (share of rows predicted as the {noun} that are right)")
        prepare_square(axes)
        self.finish(figure, axes, subject)


def _draw_chance(axes: Axes, curves: list[Scored]) -> None:
    """Draw the precision of guessing, which is the share of positive rows, if there is one."""
    shares = [float(each.is_positive.mean()) for each in curves]
    if max(shares) - min(shares) < 0.02:
        share = float(np.mean(shares))
        axes.axhline(
            share, color=MUTED, linewidth=1, linestyle=(0, (4, 3)),
            label=f"chance level: {share:.2f}",
        )  # fmt: skip
