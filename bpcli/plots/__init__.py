"""Plots of a run's training, weights and predictions.

One class per plot; the registry at the end of this file names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bpcli.plots.base import Plot, draw, size, why_not
from bpcli.plots.sheet import sheet
from bpcli.plots.style import house_style, rendered, rendered_pages
from bpcli.registry import LazyRegistry
from bpcli.runs.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reasons(subject: Subject, kinds: Iterable[str] | None = None) -> dict[str, str | None]:
    """For some kinds of plot, by default all, why the run does not have it, or None."""
    return {kind: why_not(PLOTS[kind](), subject) for kind in (PLOTS if kinds is None else kinds)}


def plot_file(names: Sequence[str], subject: Subject, suffix: str) -> bytes:
    """One file with these plots: as pages of a pdf, else side by side."""
    with house_style():
        if suffix == ".pdf":
            return rendered_pages([figure_of(name, subject) for name in names])
        figure = sheet_of(names, subject) if len(names) > 1 else figure_of(names[0], subject)
        return rendered(figure, suffix)


def figure_of(name: str, subject: Subject) -> Figure:
    """One plot as a figure."""
    from bpcli.plots.notebook import NotebookFigure

    plot = PLOTS[name]()
    figure = NotebookFigure(figsize=size(plot, subject), layout="constrained")
    draw(plot, figure, subject)
    return figure


def sheet_of(names: Sequence[str], subject: Subject) -> Figure:
    """Several plots side by side in one figure."""
    figure, panels = sheet([size(PLOTS[name](), subject) for name in names])
    for name, panel in zip(names, panels, strict=True):
        draw(PLOTS[name](), panel, subject)
    return figure


PLOTS: LazyRegistry[Plot] = LazyRegistry(
    __name__,
    {
        "loss": ".loss:LossCurves",
        "metrics": ".loss:MetricCurves",
        "gradient_norms": ".curves:GradientNorms",
        "learning_rate": ".curves:OptimizerDiagnostics",
        "weights": ".layers:WeightHistograms",
        "activations": ".layers:ActivationHistograms",
        "units": ".units:UnitFailures",
        "confusion": ".confusion:Confusion",
        "roc": ".roc:Roc",
        "precision_recall": ".precision_recall:PrecisionRecall",
        "calibration": ".calibration:Calibration",
        "predicted": ".predicted:Predicted",
        "residuals": ".predicted:Residuals",
        "errors": ".errors:Errors",
        "fit": ".fit:Fit",
        "regions": ".regions:Regions",
        "hidden_regions": ".hidden_regions:HiddenRegions",
        "path": ".path:Path",
        "network": ".network:NetworkDiagram",
    },
)
