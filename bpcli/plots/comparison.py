"""The plot of a comparison: loss against gradient evaluations, and against time.

matplotlib is imported when a plot is drawn; it draws into a file, without a display.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpcli.plots.base import legend_below
from bpcli.plots.fonts import set_fonts
from bpcli.plots.heading import heading
from bpcli.plots.style import colour, dashes, house_style, literal, rendered
from bpcli.terminal.training import loss_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROOM = 100.0
"""Losses are clipped at this multiple of the initial loss, as a divergent one hides the others."""


def comparison_plot(document: Mapping[str, Any], path: Path) -> bytes:
    """The plot in the format of a path's suffix; equal documents give equal bytes."""
    with house_style():
        return rendered(comparison_figure(document), path.suffix.lower())


def comparison_figure(document: Mapping[str, Any]) -> Figure:
    """Two panels with one legend; one line per training, one style per optimizer."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.8), layout="constrained")
    seeds = document["seeds"]
    which = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    heading(figure, "Comparison of optimizers", literal(document["name"]), which)
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, key, label in (
        (left, "gradient_evaluations", "gradient evaluations (each over all training rows)"),
        (right, "seconds", "time of the training steps (s)"),
    ):
        _draw(axes, document, key)
        axes.set_xlabel(label)
    left.set_ylabel(f"loss: {loss_text(document['loss'], document['reduction'], document['l2'])}")
    legend_below(figure, left)
    set_fonts(figure)
    return figure


def _draw(axes: Axes, document: Mapping[str, Any], key: str) -> None:
    trainings = [each for each in document["trainings"] if each["curve"]["epochs"]]
    start = max((each["curve"]["loss"][0] for each in trainings), default=0.0)
    highest = _ROOM * start if start > 0 else math.inf
    for number, row in enumerate(document["optimizers"]):
        own = [each for each in trainings if each["optimizer"] == row["label"]]
        for index, training in enumerate(own):
            curve = training["curve"]
            axes.plot(
                curve[key],
                [min(loss, highest) for loss in curve["loss"]],
                color=colour(number),
                linestyle=dashes(number),
                linewidth=1.8 if len(own) == 1 else 1.1,
                marker="X" if training["stop_reason"] == "diverged" else "o",
                markersize=6,
                markevery=[-1],
                label="_" if index else literal(row["label"], 60),
            )
    _scale(axes, trainings, key)


def _scale(axes: Axes, trainings: Sequence[Mapping[str, Any]], key: str) -> None:
    """Logarithmic axes; the horizontal one is linear from 0 to the first step."""
    steps = [x for each in trainings for x in each["curve"][key] if x > 0]
    if steps:
        power = math.floor(math.log10(min(steps)))  # the axis has ticks at 0 and from there on
        axes.set_xscale("symlog", linthresh=10.0**power, linscale=0.5)
    axes.set_xlim(left=0)
    if any(loss > 0 for each in trainings for loss in each["curve"]["loss"]):
        axes.set_yscale("log", nonpositive="mask")
