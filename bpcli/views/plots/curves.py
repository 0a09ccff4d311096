"""Pictures of the log, along the epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.views.plots.base import Plot, legend_below
from bpcli.views.plots.style import colour, dashes, literal
from bpcli.views.plots.subject import Need, Subject
from bpcli.views.tables import loss_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bpcli.views.plots.base import Panel


PART_NAMES = {"train": "training", "val": "validation", "test": "test", "data": "new"}
"""The parts as texts call them."""


class Curve(Plot):
    """A picture of the log alone."""

    needs: ClassVar[tuple[Need, ...]] = ("log",)


class LossCurves(Curve):
    """Training and validation loss over the epochs."""

    def title(self, subject: Subject) -> str:
        reason = subject.record.get("stop_reason")
        ended = f", ended by {literal(reason)}" if reason else ""
        return f"loss by epoch{ended}"

    def draw(self, figure: Panel, subject: Subject) -> None:
        axes = figure.subplots()
        for number, part in enumerate(("train", "val")):
            if f"{part}.loss" in subject.keys:
                epochs, losses = subject.series(f"{part}.loss")
                draw_line(axes, epochs, losses, number, PART_NAMES[part])
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"mean loss: {literal(loss_text(subject.record))}")
        axes.grid(alpha=0.3)
        legend_below(figure, *axes.get_legend_handles_labels())


def draw_line(axes: Axes, epochs: Array, values: Array, number: int, label: str) -> None:
    """A curve in the colour and dashes of its number."""
    axes.plot(
        epochs,
        np.where(np.isfinite(values), values, np.nan),
        color=colour(number),
        linestyle=dashes(number),
        linewidth=1.8,
        label=label,
    )
