"""Pictures of a run: what its training, its weights and its predictions look like.

One class a kind; the registry at the foot of this file names them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bpcli.views.plots.base import Plot, draw, why_not
from bpcli.views.plots.confusion import Confusion
from bpcli.views.plots.curves import (
    GradientNorms,
    LossCurves,
    MetricCurves,
    OptimizerFigures,
    UnitFailures,
)
from bpcli.views.plots.fit import Fit
from bpcli.views.plots.hidden_regions import HiddenRegions
from bpcli.views.plots.layers import ActivationHistograms, WeightHistograms
from bpcli.views.plots.network import NetworkDiagram
from bpcli.views.plots.path import Path
from bpcli.views.plots.predicted import Predicted, Residuals
from bpcli.views.plots.regions import Regions
from bpcli.views.plots.roc import Roc
from bpcli.views.plots.style import document, house_style, picture
from bpcli.views.plots.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

_SHEET_WIDTH = 24.0
"""How wide several pictures in one may be, in inches."""


def reasons(subject: Subject) -> dict[str, str | None]:
    """Every kind, with why the run has no such picture, or None."""
    return {kind: why_not(plot, subject) for kind, plot in PLOTS.items()}


def plot_file(kinds: Sequence[str], subject: Subject, suffix: str) -> bytes:
    """One file with all these pictures: pages of a pdf, else panels."""
    with house_style():
        if suffix == ".pdf":
            return document([figure_of(kind, subject) for kind in kinds])
        one = figure_of(kinds[0], subject) if len(kinds) == 1 else sheet_of(kinds, subject)
        return picture(one, suffix)


def figure_of(kind: str, subject: Subject) -> Figure:
    """One picture."""
    from matplotlib.figure import Figure

    plot = PLOTS[kind]
    figure = Figure(figsize=plot.size(subject), layout="constrained")
    draw(plot, figure, subject)
    return figure


def sheet_of(kinds: Sequence[str], subject: Subject) -> Figure:
    """Several pictures side by side, in rows as high as their highest."""
    from matplotlib.figure import Figure

    sizes = {kind: PLOTS[kind].size(subject) for kind in kinds}
    shelves = _shelves(sizes)
    heights = [max(sizes[kind][1] for kind in shelf) for shelf in shelves]
    widths = [sum(sizes[kind][0] for kind in shelf) for shelf in shelves]
    figure = Figure(figsize=(max(widths), sum(heights)), layout="constrained")
    bands = figure.subfigures(len(shelves), 1, squeeze=False, height_ratios=heights)[:, 0]
    for band, shelf, height in zip(bands, shelves, heights, strict=True):
        every = [sizes[kind] for kind in shelf]
        for panel, kind in zip(_places(band, every, max(widths), height), shelf, strict=True):
            draw(PLOTS[kind], panel, subject)
    return figure


def _places(
    band: SubFigure, sizes: Sequence[tuple[float, float]], width: float, height: float
) -> Iterator[SubFigure]:
    """A place of each size side by side, at the upper edge of a band; the rest stays empty."""
    widths = [size[0] for size in sizes]
    ratios = [*widths, width - sum(widths) + 0.01]
    columns = band.subfigures(1, len(ratios), squeeze=False, width_ratios=ratios)[0]
    for column, (_, own) in zip(columns[:-1], sizes, strict=True):
        rows = column.subfigures(2, 1, squeeze=False, height_ratios=[own, height - own + 0.01])
        yield rows[0, 0]


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
