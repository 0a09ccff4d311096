"""The plot of a sweep: what each swept key does to the metric that ranks the settings.

matplotlib is imported when a plot is drawn; it draws into a file, without a display.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bpcli.plots.base import legend_below, panels
from bpcli.plots.fonts import set_fonts
from bpcli.plots.heading import heading
from bpcli.plots.style import COLOURS, house_style, literal, rendered
from bpcli.plots.values_axis import ValuesAxis
from bpcli.terminal.cells import is_finite
from bpcli.text import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_PANELS = 6
_ROW_HEIGHTS = (4.8, 7.6)
"""The height of a plot with one and with two rows of panels, in inches."""

_DECADES = 2
"""Positive metrics that span more decades have a logarithmic axis."""

_FEW_VALUES, _FEW_PER_VALUE = 8, 5
"""A number with more values and fewer settings per value has a running median."""

_SPREAD = 0.32
"""Settings with equal values are side by side, over this share of the way to the next value."""

_MARGIN = 0.07
_NEUTRAL, _SETTING, _BEST = "0.25", COLOURS[0], COLOURS[1]


@dataclass(frozen=True)
class _Effect:
    """A swept key: its axis, and the median of the metric over the values."""

    key: str
    axis: ValuesAxis
    known: int
    """The number of settings with a result."""
    line: list[tuple[float, float]]
    """Positions on the axis and medians; empty if no setting has a result."""

    def size(self, is_log: bool) -> float:
        """The difference of the highest and the lowest median, in decades on a log axis."""
        medians = [math.log10(value) if is_log else value for _, value in self.line]
        return max(medians, default=0.0) - min(medians, default=0.0)


def sweep_plot(document: Mapping[str, Any], path: Path) -> bytes:
    """The plot in the format of a path's suffix; equal documents give equal bytes."""
    with house_style():
        return rendered(sweep_figure(document), path.suffix.lower())


def sweep_figure(document: Mapping[str, Any]) -> Figure:
    """One panel per swept key, the largest effect first; one point per setting in each."""
    from matplotlib.figure import Figure

    known = [each for each in document["settings"] if is_finite(each["mean"])]
    is_log = _has_log_axis([each["mean"] for each in known])
    keys = _keys(document)
    effects = [_effect(key, document["settings"], known, len(keys)) for key in keys]
    effects.sort(key=lambda effect: -effect.size(is_log))  # equal ones stay in the order of keys
    shown = effects[:_MOST_PANELS]
    across = len(shown) if len(shown) <= 3 else 2 if len(shown) == 4 else 3
    height = _ROW_HEIGHTS[len(shown) > across]
    figure = Figure(figsize=(10, height), layout="constrained")
    heading(figure, "Effect of each swept key", *_details(document, len(shown), len(effects)))
    grid = panels(figure, len(shown), across)
    for number, (axes, effect) in enumerate(zip(grid, shown, strict=True)):
        axes.sharey(grid[0]) if number else None
        _draw(axes, document, effect)
        axes.set_xlabel(literal(effect.key))
        axes.tick_params(labelleft=number % across == 0)
    _scale(grid[0], known, is_log)
    for axes in grid[::across]:
        axes.set_ylabel(_metric_label(document))
    legend_below(figure, grid[0])
    set_fonts(figure)
    return figure


def _keys(document: Mapping[str, Any]) -> list[str]:
    """The swept keys, or only the number of the setting if just the seeds differ."""
    return document["keys"] or ["setting"]


def value_of(setting: Mapping[str, Any], key: str) -> object:
    """The value of a key in a setting."""
    return setting["setting"] if key == "setting" else setting["values"].get(key)


def _has_log_axis(values: Sequence[float]) -> bool:
    """Whether values of a metric are all positive and span more than two decades."""
    return bool(values) and min(values) > 0 and max(values) > 10**_DECADES * min(values)


def _details(document: Mapping[str, Any], shown: int, keys: int) -> list[str]:
    counts = document["counts"]
    states = {"failed": "failed", "stopped": "stopped by halving", "missing": "missing"}
    left_out = f"the {shown} of {keys} keys with the largest effect" * (shown < keys)
    return [
        literal(document["name"]),
        plural(counts["settings"], "setting"),
        plural(counts["trainings"], "training"),
        *(f"{counts[key]:,} {text}" for key, text in states.items() if counts[key]),
        left_out,
    ]


def _metric_label(document: Mapping[str, Any]) -> str:
    better = "higher" if document["greater_is_better"] else "lower"
    return f"{literal(document['metric'])} ({better} is better)"


def _effect(
    key: str, settings: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]], keys: int
) -> _Effect:
    """The axis of a key, and the median of the metric over it."""
    numbered = sorted(settings, key=lambda each: int(each["setting"]))
    axis = ValuesAxis.of(value_of(each, key) for each in numbered)
    points = sorted((axis.place(value_of(each, key)), float(each["mean"])) for each in known)
    is_continuous = axis.is_numeric and _are_drawn(len(axis.values), len(settings), keys)
    line = _running_medians(points) if is_continuous else _medians(points)
    return _Effect(key, axis, len(known), line)


def _are_drawn(values: int, settings: int, keys: int) -> bool:
    """Whether values seem to be drawn at random, so that few settings have the same one."""
    if values > _FEW_VALUES:
        return settings < _FEW_PER_VALUE * values
    return keys > 1 and settings < 2 * values


def _medians(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The median at each position."""
    places = dict.fromkeys(position for position, _ in points)
    return [(position, median(y for x, y in points if x == position)) for position in places]


def _running_medians(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The medians of position and metric in windows of a fifth of the points, at least 3.

    Neighbouring windows share half of their points.
    """
    width = max(3, len(points) // 5)
    last = max(0, len(points) - width)
    starts = sorted({*range(0, last, max(1, width // 2)), last}) if points else []
    windows = [points[start : start + width] for start in starts]
    return [(median(x for x, _ in window), median(y for _, y in window)) for window in windows]


def _draw(axes: Axes, document: Mapping[str, Any], effect: _Effect) -> None:
    """Draw the settings of each kind as points, and the medians."""
    settings, axis = document["settings"], effect.axis
    places = {number: axis.at(position) for number, position in _places(effect, settings).items()}
    known = [each for each in settings if is_finite(each["mean"])]
    stopped = [each for each in known[1:] if each["stopped"] is not None]
    finished = [each for each in known[1:] if each["stopped"] is None]
    points = {"marker": "o", "linestyle": "none", "color": _SETTING, "zorder": 3}
    _draw_points(axes, places, finished, "setting", **points, markersize=5.5, alpha=0.75,
                 markeredgewidth=0)  # fmt: skip
    _draw_points(axes, places, stopped, "stopped by halving", **points, markersize=5,
                 markerfacecolor="white", markeredgewidth=1.1)  # fmt: skip
    failed = [each for each in settings if has_failed(each)]
    draw_failed(axes, [places[each["setting"]] for each in failed], document["greater_is_better"])
    best = known[:1]
    _draw_points(axes, places, best, "".join(_best_label(each) for each in best), marker="*",
                 linestyle="none", color=_BEST, markersize=15, markeredgecolor="white",
                 markeredgewidth=0.8, zorder=5)  # fmt: skip
    _draw_medians(axes, effect)
    _draw_spreads(axes, places, known)
    axis.set_up(axes, _margin(axis))


def _best_label(setting: Mapping[str, Any]) -> str:
    halved = ", stopped by halving" if setting["stopped"] is not None else ""
    return f"best: setting {setting['setting']}{halved}"


def _draw_points(
    axes: Axes,
    places: Mapping[int, float],
    settings: Sequence[Mapping[str, Any]],
    label: str,
    **style: Any,
) -> None:
    if settings:
        x = [places[each["setting"]] for each in settings]
        axes.plot(x, [each["mean"] for each in settings], label=label, **style)


def _draw_spreads(
    axes: Axes, places: Mapping[int, float], settings: Sequence[Mapping[str, Any]]
) -> None:
    """Draw mean ± standard deviation as thin lines."""
    several = [each for each in settings if is_finite(each["sd"])]
    if several:
        axes.vlines(
            [places[each["setting"]] for each in several],
            [each["mean"] - each["sd"] for each in several],
            [each["mean"] + each["sd"] for each in several],
            color=_SETTING, linewidth=0.9, alpha=0.55, zorder=2, label="± standard deviation",
        )  # fmt: skip


def has_failed(row: Mapping[str, Any]) -> bool:
    """Whether a setting or size has no result though trainings have ended: it is not missing."""
    return not is_finite(row["mean"]) and bool(row["failed"] or row["mean"] is not None)


def draw_failed(axes: Axes, x: Sequence[float], greater_is_better: bool) -> None:
    """Draw what has no result as crosses at the edge of the worst values."""
    if x:
        edge = 0.035 if greater_is_better else 0.965
        axes.plot(
            x, [edge] * len(x), transform=axes.get_xaxis_transform(), marker="x", linestyle="none",
            color="black", markersize=6, markeredgewidth=1.4, label="failed", zorder=4,
        )  # fmt: skip


def _draw_medians(axes: Axes, effect: _Effect) -> None:
    """Draw medians as a line over numbers, and as one dash per category."""
    is_line = len(effect.line) > 1 and effect.axis.is_numeric
    if not is_line and effect.known == len(effect.line):
        return  # each is of one setting
    style: dict[str, Any] = {"color": _NEUTRAL, "zorder": 4}
    x, y = [effect.axis.at(centre) for centre, _ in effect.line], [y for _, y in effect.line]
    if is_line:
        axes.plot(x, y, label=MEDIAN, **style)
    else:
        half = _SPREAD / 2 + 0.08
        left, right = [centre - half for centre in x], [centre + half for centre in x]
        axes.hlines(y, left, right, label=MEDIAN, **style)


MEDIAN = "median of the settings"


def _places(effect: _Effect, settings: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """The position of each setting: those with equal values are side by side, by number."""
    axis = effect.axis
    groups: dict[float, list[int]] = {}
    for each in sorted(settings, key=lambda each: int(each["setting"])):
        groups.setdefault(axis.place(value_of(each, effect.key)), []).append(each["setting"])
    room = min(axis.gap, _MARGIN * axis.span or 1.0) if axis.is_numeric else axis.gap
    return {
        number: centre + room * _SPREAD * ((index + 0.5) / len(group) - 0.5)
        for centre, group in groups.items()
        for index, number in enumerate(group)
    }


def _margin(axis: ValuesAxis) -> float:
    """The room at both ends of the axis."""
    return max(0.6 if not axis.is_numeric else _MARGIN * axis.span, 0.5 if not axis.span else 0.0)


def _scale(axes: Axes, known: Sequence[Mapping[str, Any]], is_log: bool) -> None:
    """Set the scale and limits of the metric; a long ± line is cut, as it would hide the rest."""
    means = [float(each["mean"]) for each in known]
    if not means:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no setting has a result", transform=axes.transAxes, ha="center")
        return
    low, high = min(means), max(means)
    ends = [each["mean"] + sign * each["sd"] for each in known if is_finite(each["sd"])
            for sign in (-1, 1)]  # fmt: skip
    if is_log:
        axes.set_yscale("log", nonpositive="clip")
        decades = math.log10(high / low)
        axes.set_ylim(low / 10 ** (0.08 * decades), high * 10 ** (0.12 * decades))
        return
    apart = high - low or abs(high) or 1.0
    low = max(min([low, *ends]), low - apart / 2)
    high = min(max([high, *ends]), high + apart / 2)
    room = (high - low or apart) * 0.08
    axes.set_ylim(low - room, high + 1.4 * room)
