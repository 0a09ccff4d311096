"""Precision against recall of the classes or the labels of a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.metrics.precision_recall import PrecisionRecallCurve, precision_recall_curve
from bpcli.plots.base import Axes
from bpcli.plots.scored import Scored, ScoredPlot
from bpcli.plots.style import REFERENCE
from bpcli.runs.subject import Subject


class PrecisionRecall(ScoredPlot):
    """Precision against recall, for each label, the second of two classes, or each of several."""

    measure, mean_of, meaning = "AP", "AP (average precision)", "AP: average precision"
    drawstyle = "steps-pre"

    def title(self, subject: Subject) -> str:
        return "Precision and recall"

    def curve(self, each: Scored) -> PrecisionRecallCurve:
        return precision_recall_curve(each.is_positive, each.score)

    def decided(self, each: Scored) -> tuple[float, float]:
        return each.true_positive_rate, each.precision

    def draw_chance(self, axes: Axes, curves: Sequence[Scored]) -> None:
        """Draw the chance level, which is the share of positive rows, if there is one."""
        shares = [float(each.is_positive.mean()) for each in curves]
        if max(shares) - min(shares) < 0.02:
            share = float(np.mean(shares))
            axes.axhline(share, **REFERENCE, label=f"chance level: {share:.2f}")

    def labels(self, noun: str) -> tuple[str, str]:
        return (
            f"recall (share of the {noun}'s rows predicted as the {noun})",
            f"precision (share of rows predicted as the {noun} that are right)",
        )
