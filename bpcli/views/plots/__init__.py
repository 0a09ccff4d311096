"""Pictures of a run: what its training, its weights and its predictions look like.

One class a kind; the registry at the foot of this file names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bpcli.views.plots.base import Plot, draw, why_not
from bpcli.views.plots.curves import (
    GradientNorms,
    LossCurves,
    MetricCurves,
    OptimizerFigures,
    UnitFailures,
)
from bpcli.views.plots.layers import ActivationHistograms, WeightHistograms
from bpcli.views.plots.style import document, house_style, picture
from bpcli.views.plots.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS_ACROSS = 3


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

    rows = [kinds[at : at + _PANELS_ACROSS] for at in range(0, len(kinds), _PANELS_ACROSS)]
    sizes = [[PLOTS[kind].size(subject) for kind in row] for row in rows]
    widths = [sum(width for width, _ in row) for row in sizes]
    heights = [max(height for _, height in row) for row in sizes]
    figure = Figure(figsize=(max(widths), sum(heights)), layout="constrained")
    bands = figure.subfigures(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
    for band, row, size in zip(bands, rows, sizes, strict=True):
        ratios = [width for width, _ in size]
        for panel, kind in zip(
            band.subfigures(1, len(row), squeeze=False, width_ratios=ratios)[0], row, strict=True
        ):
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
}
