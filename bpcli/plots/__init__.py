"""Plots of a run: what its training, its weights and its predictions look like.

One class a kind; the registry at the foot of this file names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bpcli.plots.base import Plot, draw, why_not
from bpcli.plots.confusion import Confusion
from bpcli.plots.curves import (
    GradientNorms,
    LossCurves,
    MetricCurves,
    OptimizerFigures,
    UnitFailures,
)
from bpcli.plots.fit import Fit
from bpcli.plots.hidden_regions import HiddenRegions
from bpcli.plots.layers import ActivationHistograms, WeightHistograms
from bpcli.plots.network import NetworkDiagram
from bpcli.plots.path import Path
from bpcli.plots.predicted import Predicted, Residuals
from bpcli.plots.regions import Regions
from bpcli.plots.roc import Roc
from bpcli.plots.sheet import sheet
from bpcli.plots.style import house_style, rendered, rendered_pages
from bpcli.plots.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reasons(subject: Subject) -> dict[str, str | None]:
    """Every kind, with why the run has no such plot, or None."""
    return {kind: why_not(plot, subject) for kind, plot in PLOTS.items()}


def plot_file(kinds: Sequence[str], subject: Subject, suffix: str) -> bytes:
    """One file with all these plots: pages of a pdf, else beside each other."""
    with house_style():
        if suffix == ".pdf":
            return rendered_pages([figure_of(kind, subject) for kind in kinds])
        figure = sheet_of(kinds, subject) if len(kinds) > 1 else figure_of(kinds[0], subject)
        return rendered(figure, suffix)


def figure_of(kind: str, subject: Subject) -> Figure:
    """One plot."""
    from matplotlib.figure import Figure

    plot = PLOTS[kind]
    figure = Figure(figsize=plot.size(subject), layout="constrained")
    draw(plot, figure, subject)
    return figure


def sheet_of(kinds: Sequence[str], subject: Subject) -> Figure:
    """Several plots beside each other."""
    figure, panels = sheet([PLOTS[kind].size(subject) for kind in kinds])
    for kind, panel in zip(kinds, panels, strict=True):
        draw(PLOTS[kind], panel, subject)
    return figure


PLOTS: dict[str, Plot] = {
    "loss": LossCurves(),
    "metrics": MetricCurves(),
    "gradient_norms": GradientNorms(),
    "learning_rate": OptimizerFigures(),
    "weights": WeightHistograms(),
    "activations": ActivationHistograms(),
    "units": UnitFailures(),
    "confusion": Confusion(),
    "roc": Roc(),
    "predicted": Predicted(),
    "residuals": Residuals(),
    "fit": Fit(),
    "regions": Regions(),
    "hidden_regions": HiddenRegions(),
    "path": Path(),
    "network": NetworkDiagram(),
}
