"""Plots of a run's training, weights and predictions.

One class per plot; the registry at the end of this file names them.
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
    OptimizerDiagnostics,
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
    """For every plot, why the run does not have it, or None."""
    return {name: why_not(plot, subject) for name, plot in PLOTS.items()}


def plot_file(names: Sequence[str], subject: Subject, suffix: str) -> bytes:
    """One file with these plots: as pages of a pdf, else side by side."""
    with house_style():
        if suffix == ".pdf":
            return rendered_pages([figure_of(name, subject) for name in names])
        figure = sheet_of(names, subject) if len(names) > 1 else figure_of(names[0], subject)
        return rendered(figure, suffix)


def figure_of(name: str, subject: Subject) -> Figure:
    """One plot as a figure."""
    from matplotlib.figure import Figure

    plot = PLOTS[name]
    figure = Figure(figsize=plot.size(subject), layout="constrained")
    draw(plot, figure, subject)
    return figure


def sheet_of(names: Sequence[str], subject: Subject) -> Figure:
    """Several plots side by side in one figure."""
    figure, panels = sheet([PLOTS[name].size(subject) for name in names])
    for name, panel in zip(names, panels, strict=True):
        draw(PLOTS[name], panel, subject)
    return figure


PLOTS: dict[str, Plot] = {
    "loss": LossCurves(),
    "metrics": MetricCurves(),
    "gradient_norms": GradientNorms(),
    "learning_rate": OptimizerDiagnostics(),
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
