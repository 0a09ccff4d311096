"""Effect curves of the most important inputs: lines with bands, or dots for categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.plots.base import Axes, Panel, legend_below, panels
from bpcli.plots.outcome import note
from bpcli.plots.style import INK, MUTED, REFERENCE, line_style, literal
from bpcli.text import plural

_MOST_PANELS = 6
_MOST_OUTPUTS, _MOST_LEVELS = 4, 10


class _Line(NamedTuple):
    output: str
    values: Vector
    low: Vector
    high: Vector


def effects_shown(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The effects that are drawn: those of the most important inputs."""
    effects: Sequence[Mapping[str, Any]] = document["effects"][:_MOST_PANELS]
    return effects


def effects_size(document: Mapping[str, Any]) -> tuple[float, float]:
    """Width and height in inches."""
    count = len(effects_shown(document))
    columns = min(count, _across(count))
    return (0.6 + 3.4 * max(columns, 1.6), 1.5 + 2.9 * -(-count // columns))


def _across(count: int) -> int:
    """The panels beside each other: four are two rows of two."""
    return 2 if count == 4 else 3


def draw_effects(figure: Panel, document: Mapping[str, Any]) -> None:
    """Draw a panel for each input; effects have the same scale in all of them."""
    shown = effects_shown(document)
    outputs = _outputs(shown)
    grid = panels(figure, len(shown), _across(len(shown)))
    ends = _ends(shown, outputs)
    for axes, each in zip(grid, shown, strict=True):
        lines = [_line(each, at) for at in outputs]
        if each["kind"] in ("category", "boolean"):
            _draw_levels(axes, each, lines, ends)
        else:
            _draw_curve(axes, each, lines, ends)
    if len(outputs) > 1:
        legend_below(figure, grid[0])
    note(figure, _left_out(document, shown, outputs))


def _left_out(
    document: Mapping[str, Any], shown: Sequence[Mapping[str, Any]], outputs: Sequence[int]
) -> str:
    """What is not drawn; empty if all is."""
    said = []
    if len(shown) < len(document["effects"]):
        said.append(f"{len(shown)} of {plural(len(document['effects']), 'input')}")
    if len(outputs) < len(document["outputs"]):
        said.append(f"{len(outputs)} of {plural(len(document['outputs']), 'output')}")
    return f"drawn: {', '.join(said)}" if said else ""


def _outputs(shown: Sequence[Mapping[str, Any]]) -> list[int]:
    """The outputs that the inputs move most."""
    spans = [[np.ptp(line["effect"]) for line in each["outputs"]] for each in shown]
    order = np.argsort(-np.max(spans, axis=0), kind="stable")
    return sorted(order[:_MOST_OUTPUTS].tolist())


def _line(each: Mapping[str, Any], at: int) -> _Line:
    line = each["outputs"][at]
    return _Line(line["output"], *(np.array(line[key]) for key in ("effect", "low", "high")))


def _ends(shown: Sequence[Mapping[str, Any]], outputs: Sequence[int]) -> tuple[float, float]:
    """The common limits of all effects, with a margin."""
    lines = [_line(each, at) for each in shown for at in outputs]
    low = min(min(line.low.min(), line.values.min()) for line in lines)
    high = max(max(line.high.max(), line.values.max()) for line in lines)
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _draw_curve(
    axes: Axes, each: Mapping[str, Any], lines: Sequence[_Line], ends: tuple[float, float]
) -> None:
    """Draw the curves with their bands, and a tick for each edge of the bins."""
    at = _positions(axes, each)
    axes.axhline(0, **REFERENCE)
    for number, line in enumerate(lines):
        style = line_style(number)
        axes.fill_between(at, line.low, line.high, color=style.colour, alpha=0.22, linewidth=0)
        axes.plot(
            at, line.values, color=style.colour, linestyle=style.dashes,
            label=literal(line.output, 30),
        )  # fmt: skip
    axes.plot(
        at, np.full(len(at), 0.015), "|", color=MUTED, markersize=5, markeredgewidth=0.7,
        transform=axes.get_xaxis_transform(), label="_",
    )  # fmt: skip
    axes.set_ylim(ends)
    axes.set_xlabel(literal(each["input"], 30))
    axes.set_ylabel(_effect_label(lines))


def _positions(axes: Axes, each: Mapping[str, Any]) -> Array:
    """Numbers are at themselves; dates, whose bins have equally many rows, at equal distances."""
    from matplotlib.ticker import MaxNLocator

    if each["kind"] != "date":
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        return np.array(each["at"])
    count = len(each["at"])
    labelled = sorted({0, count // 2, count - 1})
    axes.set_xticks(labelled, [each["at"][index] for index in labelled], fontsize="small")
    return np.arange(count)


def _draw_levels(
    axes: Axes, each: Mapping[str, Any], lines: Sequence[_Line], ends: tuple[float, float]
) -> None:
    """Draw a dot and a band for each level, sorted by the effect on the first output."""
    order = np.argsort(lines[0].values, kind="stable")
    if len(order) > _MOST_LEVELS:  # those of most rows
        rows = np.array(each["rows"])[order]
        order = order[np.sort(np.argsort(-rows, kind="stable")[:_MOST_LEVELS])]
    places = np.arange(len(order))
    axes.axvline(0, **REFERENCE)
    for number, line in enumerate(lines):
        style = line_style(number)
        axes.hlines(
            places, line.low[order], line.high[order], color=style.colour, linewidth=2, alpha=0.4
        )
        axes.plot(
            line.values[order], places, color=style.colour, linestyle="none", marker=style.marker,
            label=literal(line.output, 30),
        )  # fmt: skip
    names = [literal(each["at"][index], 16) for index in order]
    axes.set_yticks(places, names, fontsize="small", color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(ends)
    axes.set_xlabel(_effect_label(lines))
    left = len(each["at"]) - len(order)
    axes.set_ylabel(literal(each["input"], 26) + f" ({left} more)" * bool(left))


def _effect_label(lines: Sequence[_Line]) -> str:
    return f"effect on {literal(lines[0].output, 24)}" if len(lines) == 1 else "effect"
