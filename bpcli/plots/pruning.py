"""The plot of a pruning: the validation loss of ever smaller networks.

matplotlib is imported when a plot is drawn; it draws into a file, without a display.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bpcli.plots.base import legend_below
from bpcli.plots.curves import scale_by_size
from bpcli.plots.fonts import set_fonts
from bpcli.plots.heading import heading
from bpcli.plots.style import COLOURS, house_style, literal, rendered
from bpcli.text import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INPUT, _BEST, _KEPT, _UNIT = COLOURS[:4]
_MOST_NAMED = 30


def pruning_plot(document: Mapping[str, Any], path: Path) -> bytes:
    """The plot in the format of a path's suffix; equal documents give equal bytes."""
    with house_style():
        return rendered(pruning_figure(document), path.suffix.lower())


def pruning_figure(document: Mapping[str, Any]) -> Figure:
    """The validation loss ± one standard error against the parameters, fewer to the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.8), layout="constrained")
    kept = document["steps"][document["kept"]]
    heading(
        figure,
        "Validation loss as the network is pruned",
        literal(document["name"]),
        f"kept: {plural(kept['inputs'], 'input')}, {plural(kept['n_params'], 'parameter')}",
        f"{document['rows']['val']:,} validation rows",
    )
    axes = figure.subplots()
    _draw_path(axes, document)
    _mark(axes, document)
    axes.invert_xaxis()
    axes.set_xlabel("parameters")
    axes.set_ylabel("validation loss")
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    legend_below(figure, axes)
    set_fonts(figure)
    return figure


def _draw_path(axes: Axes, document: Mapping[str, Any]) -> None:
    """Draw a line, and for each network its standard error and what was removed last."""
    steps = document["steps"]
    x, y = [each["n_params"] for each in steps], [each["val_loss"] for each in steps]
    axes.plot(x, y, color="0.6", linewidth=1.0, zorder=1)
    scale_by_size(axes, np.array(y))
    for kind, colour, label in (
        ("input", _INPUT, "an input was removed"),
        ("unit", _UNIT, "a hidden unit was removed"),
    ):
        own = [each for each in steps if each["removed"] and each["removed"]["kind"] == kind]
        if own:
            axes.errorbar(
                [each["n_params"] for each in own],
                [each["val_loss"] for each in own],
                yerr=[each["se"] for each in own],
                fmt="o", color=colour, markersize=5, elinewidth=1.2, label=label, zorder=3,
            )  # fmt: skip
    first = steps[0]
    axes.errorbar(
        first["n_params"], first["val_loss"], yerr=first["se"], fmt="D", color="0.25",
        markersize=5, elinewidth=1.2, label="the run", zorder=3,
    )  # fmt: skip
    if len(steps) <= _MOST_NAMED:
        _name_inputs(axes, document)


def _name_inputs(axes: Axes, document: Mapping[str, Any]) -> None:
    for each in document["steps"]:
        if each["removed"] and each["removed"]["kind"] == "input":
            axes.annotate(
                literal(each["removed"]["name"], 16),
                (each["n_params"], each["val_loss"] + each["se"]),
                xytext=(0, 4), textcoords="offset points", rotation=60, ha="left", va="bottom",
                fontsize=8.5,
            )  # fmt: skip


def _mark(axes: Axes, document: Mapping[str, Any]) -> None:
    """Draw the limit, a star at the best network, and a square at the one that is kept."""
    steps, best, kept = document["steps"], document["best"], document["kept"]
    axes.axhline(
        document["limit"], color="0.25", linestyle="dashed", linewidth=1.1,
        label="lowest loss + standard error",
    )  # fmt: skip
    style: dict[str, Any] = {
        "linestyle": "none", "markeredgecolor": "white", "markeredgewidth": 0.8, "zorder": 5
    }  # fmt: skip
    for number, shape, colour, size, label in (
        (kept, "s", _KEPT, 10, "kept"),
        (best, "*", _BEST, 15, "lowest loss"),
    ):
        axes.plot(
            steps[number]["n_params"], steps[number]["val_loss"], shape, color=colour,
            markersize=size, label=label, **style,
        )  # fmt: skip
