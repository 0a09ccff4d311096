"""Pictures of a run: what its training, its weights and its predictions look like.

One class a kind; the registry at the foot of this file names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from bpcli.plots.sheet import SHEETS, Placed
from bpcli.plots.style import document, house_style, picture
from bpcli.plots.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHEET_WIDTH = 24.0
"""How wide several pictures in one may be, in inches."""


def reasons(subject: Subject) -> dict[str, str | None]:
    """Every kind, with why the run has no such picture, or None."""
    return {kind: why_not(plot, subject) for kind, plot in PLOTS.items()}


def plot_file(kinds: Sequence[str], subject: Subject, suffix: str) -> bytes:
    """One file with all these pictures: pages of a pdf, else beside each other."""
    with house_style():
        if suffix == ".pdf":
            return document([figure_of(kind, subject) for kind in kinds])
        if len(kinds) == 1:
            return picture(figure_of(kinds[0], subject), suffix)
        return SHEETS[suffix](_sheet(kinds, subject))


def figure_of(kind: str, subject: Subject) -> Figure:
    """One picture."""
    from matplotlib.figure import Figure

    plot = PLOTS[kind]
    figure = Figure(figsize=plot.size(subject), layout="constrained")
    draw(plot, figure, subject)
    return figure


def _sheet(kinds: Sequence[str], subject: Subject) -> list[Placed]:
    """Several pictures beside each other, in rows as high as their highest.

    Each is laid out by itself: one layout of all of them took minutes where it went wrong.
    """
    sizes = {kind: PLOTS[kind].size(subject) for kind in kinds}
    placed, top = [], 0.0
    for shelf in _shelves(sizes):
        left = 0.0
        for kind in shelf:
            placed.append(Placed(figure_of(kind, subject), left, top))
            left += sizes[kind][0]
        top += max(sizes[kind][1] for kind in shelf)
    return placed


def _shelves(sizes: Mapping[str, tuple[float, float]]) -> list[list[str]]:
    """The kinds in order, as many in a row as fit beside each other."""
    shelves: list[list[str]] = []
    room = 0.0
    for kind, (width, _) in sizes.items():
        if width > room:
            shelves.append([])
            room = _SHEET_WIDTH
        shelves[-1].append(kind)
        room -= width
    return shelves


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
