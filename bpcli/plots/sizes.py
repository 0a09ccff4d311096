"""The plot of a search for the size of the hidden layers: its metrics over the sizes.

matplotlib is imported when a plot is drawn; it draws into a file, without a display.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bpcli.plots.base import legend_below, panels
from bpcli.plots.curves import scale_by_size
from bpcli.plots.fonts import set_fonts
from bpcli.plots.heading import heading
from bpcli.plots.style import COLOURS, house_style, literal, rendered
from bpcli.plots.sweep import draw_failed, has_failed
from bpcli.plots.values_axis import ValuesAxis
from bpcli.terminal.cells import is_finite
from bpcli.text import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MEAN, _BEST, _ENOUGH = COLOURS[0], COLOURS[1], COLOURS[2]
_MARGIN = 0.06


def sizes_plot(document: Mapping[str, Any], path: Path) -> bytes:
    """The plot in the format of a path's suffix; equal documents give equal bytes."""
    with house_style():
        return rendered(sizes_figure(document), path.suffix.lower())


def sizes_figure(document: Mapping[str, Any]) -> Figure:
    """A panel of the metric that ranks the sizes, then one of the test metric and of the evidence.

    Bands are ± one standard error of the mean: the standard deviation / √(number of trainings).
    """
    from matplotlib.figure import Figure

    sizes = document["sizes"]
    others = [key for key in ("test", "evidence") if any(each[key] for each in sizes)]
    figure = Figure(figsize=(10, 4.8), layout="constrained")
    heading(figure, "Metrics by number of hidden units", *_details(document))
    first, *rest = panels(figure, 1 + len(others), 3)
    _draw_metric(first, document)
    for axes, key in zip(rest, others, strict=True):
        _draw_other(axes, document, key)
    for axes in (first, *rest):
        _label_sizes(axes, document)
    legend_below(figure, first)
    set_fonts(figure)
    return figure


def _details(document: Mapping[str, Any]) -> list[str]:
    sizes = document["sizes"]
    failed = sum(each["failed"] for each in sizes)
    splits = plural(document["splits"], "split")
    return [
        literal(document["name"]),
        f"{plural(len(sizes), 'hidden size')}, each on {splits}",
        f"from {plural(document['restarts'], 'initialisation')}",
        f"{failed:,} failed" if failed else "",
        "interrupted" if document["interrupted"] else "",
    ]


def _draw_metric(axes: Axes, document: Mapping[str, Any]) -> None:
    """Draw every training, mean and standard error, the limit, and the sizes that are named."""
    sizes = document["sizes"]
    known = [each for each in sizes if is_finite(each["mean"])]
    axes.set_ylabel(literal(document["metric"]))
    if known:
        _draw_trainings(axes, document)
        _draw_means(axes, [(each["hidden"], each["mean"], each["se"]) for each in known])
        _mark(axes, document)
    else:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no size has a result", transform=axes.transAxes, ha="center")
    failed = [each["hidden"] for each in sizes if has_failed(each)]
    draw_failed(axes, failed, greater_is_better=False)


def _draw_trainings(axes: Axes, document: Mapping[str, Any]) -> None:
    """Draw the trainings as faint points, on a logarithmic axis if they differ much."""
    points = [(each["hidden"], value) for each in document["sizes"] for value in each["values"]
              if is_finite(value)]  # fmt: skip
    x, y = np.array(points, dtype=np.float64).T
    if document["repetitions"] > 1:
        label = "one split" if document["splits"] > 1 else "one training"
        axes.plot(x, y, "o", color=_MEAN, alpha=0.3, markersize=4, markeredgewidth=0, label=label)
    scale_by_size(axes, y)
    axes.margins(y=0.1)


def _mark(axes: Axes, document: Mapping[str, Any]) -> None:
    """Draw the limit, a square at the size that is enough, and a star at the best one."""
    if document["limit"] is not None and document["repetitions"] > 1:
        axes.axhline(
            document["limit"], color="0.25", linestyle="dashed", linewidth=1.1,
            label="best mean + standard error",
        )  # fmt: skip
    _mark_sizes(axes, document, {each["hidden"]: each["mean"] for each in document["sizes"]})


def _mark_sizes(axes: Axes, document: Mapping[str, Any], means: Mapping[int, float]) -> None:
    best, enough = document["best"], document["enough"]
    style: dict[str, Any] = {
        "linestyle": "none", "markeredgecolor": "white", "markeredgewidth": 0.8, "zorder": 5
    }  # fmt: skip
    if enough in means and enough != best:
        label = f"enough: {enough}"
        axes.plot(
            enough, means[enough], "s", color=_ENOUGH, markersize=10, label=label, **style
        )  # fmt: skip
    if best in means:
        label = f"best{' and enough' * (enough == best)}: {best}"
        axes.plot(best, means[best], "*", color=_BEST, markersize=15, label=label, **style)


def _draw_means(axes: Axes, rows: Sequence[tuple[int, float, float | None]]) -> None:
    """Draw means over the sizes, with a band of ± one standard error if there is one."""
    x = [hidden for hidden, _, _ in rows]
    axes.plot(
        x, [mean for _, mean, _ in rows], color=_MEAN, marker="o", markersize=5,
        zorder=3, label="mean",
    )  # fmt: skip
    if any(is_finite(error) for _, _, error in rows):
        errors = [error if is_finite(error) else 0.0 for _, _, error in rows]
        low = [mean - error for (_, mean, _), error in zip(rows, errors, strict=True)]
        high = [mean + error for (_, mean, _), error in zip(rows, errors, strict=True)]
        axes.fill_between(
            x, low, high, color=_MEAN, alpha=0.18, linewidth=0, label="± standard error"
        )
        axes.vlines(x, low, high, color=_MEAN, linewidth=1.2, alpha=0.7)


def _draw_other(axes: Axes, document: Mapping[str, Any], key: str) -> None:
    """Draw the test metric or the evidence of the sizes that have it."""
    known = [each for each in document["sizes"] if each[key] and is_finite(each[key]["mean"])]
    rows = [(each["hidden"], each[key]["mean"], _error(each, each[key]["sd"])) for each in known]
    _draw_means(axes, rows)
    _mark_sizes(axes, document, {hidden: mean for hidden, mean, _ in rows})
    names = {each[key]["metric"] for each in known} if key == "test" else {"log evidence"}
    axes.set_ylabel(", ".join(map(literal, sorted(names))))
    axes.margins(y=0.08)


def _error(size: Mapping[str, Any], sd: float | None) -> float | None:
    """The standard error of a mean over the trainings of a size."""
    count = sum(map(is_finite, size["values"]))
    return sd / math.sqrt(count) if is_finite(sd) and count else None


def _label_sizes(axes: Axes, document: Mapping[str, Any]) -> None:
    axis = ValuesAxis.of(each["hidden"] for each in document["sizes"])
    axis.set_up(axes, _MARGIN * axis.span or 0.5)
    layers = document["hidden_layers"]
    axes.set_xlabel(f"hidden units{f' in each of {layers} layers' * (layers > 1)}")
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
