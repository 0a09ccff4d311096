"""Error histograms: how often which error occurs, in all splits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, legend_below, panels
from bpcli.plots.outcome import left_out, note
from bpcli.plots.predicted import TargetRows, ValuesPlot, rows_by_target, signed
from bpcli.plots.style import INK, MINUS, literal, split_style
from bpcli.runs.subject import SPLIT_NAMES, Subject

_BINS = 20


class Errors(ValuesPlot):
    """Histograms of the errors in all splits, stacked, with a line at an error of zero."""

    def title(self, subject: Subject) -> str:
        return "Error histogram: predicted minus true value"

    def size(self, subject: Subject) -> tuple[float, float]:
        width, height = super().size(subject)
        return (7.0, 4.8) if subject.network.outputs == 1 else (width, 0.85 * height)

    def draw(self, figure: Panel, subject: Subject) -> None:
        targets = rows_by_target(subject)
        grid = panels(figure, len(targets), 3)
        for axes, splits in zip(grid, targets, strict=True):
            _draw_errors(axes, splits)
        legend_below(figure, grid[0])
        count = subject.network.outputs
        note(figure, left_out(len(targets), count, "targets drawn: those that vary most"))


def _draw_errors(axes: Axes, splits: Sequence[TargetRows]) -> None:
    """Draw the errors of one target as bars, those of one split on top of those of another."""
    from matplotlib.ticker import MaxNLocator

    edges = error_edges(splits)
    below = np.zeros(len(edges) - 1)
    for rows in splits:
        counts = np.histogram(rows.residuals, edges)[0]
        axes.bar(
            edges[:-1], counts, np.diff(edges), below, align="edge", edgecolor="white",
            linewidth=0.6, color=split_style(rows.split).colour,
            label=f"{SPLIT_NAMES[rows.split]} rows",
        )  # fmt: skip
        below += counts
    axes.axvline(0, color=INK, linewidth=1.4, linestyle=(0, (4, 2)), label="zero error")
    errors = np.concatenate([rows.residuals for rows in splits])
    mean, sd = signed(float(errors.mean())), signed(float(errors.std()))
    axes.set_title(f"{literal(splits[0].name, 24)}: mean {mean}, sd {sd}")
    axes.set_xlabel(f"predicted {MINUS} true")
    axes.set_ylabel("number of rows")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.grid(visible=False, axis="x")


def error_edges(splits: Sequence[TargetRows]) -> Array:
    """The edges of 20 bins over the errors of all splits, one of which has 0 in its middle."""
    errors = np.concatenate([rows.residuals for rows in splits])
    low, high = min(0.0, float(errors.min())), max(0.0, float(errors.max()))
    width = (high - low) / (_BINS - 1) or 1e-6 * max(1.0, float(np.abs(splits[0].true).max()))
    first = int(np.floor(low / width + 0.5))
    edges: Array = (np.arange(first, first + _BINS + 1) - 0.5) * width
    return edges
