"""A plot of the log along the epochs: dead and saturated units of each layer."""

from __future__ import annotations

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, legend_below, panels
from bpcli.plots.curves import (
    ACROSS,
    Curves,
    draw_layers,
    is_missing,
    of_layers,
    row_size,
    with_legend,
)
from bpcli.runs.subject import Subject


class UnitFailures(Curves):
    """Dead and saturated units of each layer over the epochs."""

    def why_not(self, subject: Subject) -> str | None:
        has_both = all(subject.has_numbers(f"{kind}_units") for kind in _FAILURES)
        return None if has_both else is_missing("dead and saturated units")

    def title(self, subject: Subject) -> str:
        layers = of_layers(subject)
        return f"dead and saturated units by layer; overlapping lines are offset{layers}"

    def size(self, subject: Subject) -> tuple[float, float]:
        return with_legend(row_size(2), subject)

    def draw(self, figure: Panel, subject: Subject) -> None:
        both = panels(figure, 2, ACROSS)
        for axes, (kind, meaning) in zip(both, _FAILURES.items(), strict=True):
            epochs, counts = subject.layer_series(f"{kind}_units")
            axes.set_title(f"{kind}: {meaning}", fontsize="medium")
            axes.set_ylabel(f"{kind} units")
            _draw_counts(axes, subject, epochs, counts)
        legend_below(figure, both[0])


_FAILURES = {"dead": "f'(z) = 0 on all rows", "saturated": "f'(z) near 0 on almost all rows"}


def _draw_counts(axes: Axes, subject: Subject, epochs: Array, counts: Array) -> None:
    """Draw counts of units; overlapping lines are offset, so that all are visible."""
    from matplotlib.ticker import MaxNLocator

    most = max(1.0, np.nanmax(counts, initial=0))
    layers = counts.shape[1]
    apart = min(0.015 * most, 0.5 / layers) * (np.arange(layers) - (layers - 1) / 2)
    draw_layers(axes, subject, epochs, counts + apart)
    axes.set_ylim(apart[0] - 0.04 * most, most + apart[-1] + 0.04 * most)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
