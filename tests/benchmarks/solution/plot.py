"""Performance profiles as a figure: a row for each optimizer, evaluations and processor time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.profiles import Profiles
from benchmarks.solution.registry import SOLVERS
from benchmarks.solution.results import TOLERANCES, Results
from benchmarks.solution.workloads import LBFGS, LM

_ROWS = {LM: "Levenberg-Marquardt", LBFGS: "L-BFGS"}
_COSTS = {"evaluations": "evaluations", "seconds": "processor time"}
_LIMIT = 64.0
_TICKS = (1, 2, 4, 8, 16, 32, 64)
_LEAST_GAP = 0.075
"""Between two labels, as a part of the axis."""


def draw(results: Results, path: Path) -> None:
    """All profiles of a session; an optimizer without two solvers has none."""
    from bpcli.plots.style import rendered

    path.write_bytes(rendered(figure_of(results), path.suffix))


def figure_of(results: Results) -> Any:
    """The figure, in the style of bpnet's plots."""
    from matplotlib.figure import Figure

    from bpcli.plots.style import house_style

    found = {
        title: {cost: results.profiles(optimizer, cost, TOLERANCES) for cost in _COSTS}
        for optimizer, title in _ROWS.items()
    }
    rows = {title: costs for title, costs in found.items() if all(costs.values())}
    with house_style():
        figure = Figure(figsize=(9.6, 0.4 + 3.4 * max(1, len(rows))), layout="constrained")
        panels = figure.subplots(max(1, len(rows)), len(_COSTS), squeeze=False, sharey=True)
        for line, (title, costs) in zip(panels, rows.items(), strict=False):
            for panel, (cost, profiles) in zip(line, costs.items(), strict=True):
                _draw_panel(panel, profiles)
                panel.set_title(f"{title}: {_COSTS[cost]}", loc="left", fontsize=10)
            line[0].set_ylabel("fraction of problems solved")
        for panel in panels[-1]:
            panel.set_xlabel("within this factor of the best solver")
    return figure


def _draw_panel(panel: Any, profiles: Profiles) -> None:
    from bpcli.plots.style import line_style

    ends = {}
    for name in profiles.ratios:
        factors, fractions = profiles.steps(name, _LIMIT)
        style = line_style(_number(name))
        panel.step(
            factors,
            fractions,
            where="post",
            color=style.colour,
            linestyle=style.dashes,
            linewidth=2.4 if name == "bpnet" else 1.5,
            clip_on=False,
        )
        ends[name] = (fractions[-1], style.colour)
    panel.set_xscale("log", base=2)
    panel.set(xlim=(1, _LIMIT), ylim=(0, 1))
    panel.set_xticks(_TICKS, [str(tick) for tick in _TICKS])
    panel.grid(axis="y", color="0.9")
    panel.spines[["top", "right"]].set_visible(False)
    _label(panel, ends)


def _number(name: str) -> int:
    """A style for each peer of an optimizer; bpnet has the first."""
    if name == "bpnet":
        return 0
    peers = [other for other in SOLVERS if SOLVERS[other].optimizers == SOLVERS[name].optimizers]
    return 1 + peers.index(name)


def _label(panel: Any, ends: dict[str, tuple[float, str]]) -> None:
    """Names at the ends of the lines, moved apart where lines end close together."""
    heights = spread([height for height, _ in ends.values()], _LEAST_GAP)
    for (name, (_, colour)), height in zip(ends.items(), heights, strict=True):
        panel.annotate(
            SOLVERS[name].title,
            (1, height),
            xytext=(6, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=9,
            fontweight="bold" if name == "bpnet" else "normal",
        )


def spread(heights: list[float], gap: float) -> list[float]:
    """The heights in the same order, at least `gap` apart, and moved down from 1 if necessary."""
    order = sorted(range(len(heights)), key=lambda index: -heights[index])
    moved, above = list(heights), 1 + gap
    for index in order:
        moved[index] = above = min(heights[index], above - gap)
    below = -gap
    for index in reversed(order):
        moved[index] = below = max(moved[index], below + gap)
    return moved
