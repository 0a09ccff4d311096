"""A diagram of a small network: its units as circles, its weights as lines between them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bpcli.experiment.output_names import output_names
from bpcli.nn.activations import ACTIVATIONS
from bpcli.plots.base import Plot, legend_below, without_axes
from bpcli.plots.style import COLOURS, literal
from bpcli.plots.subject import Subject
from bpcli.registry import name_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bpcli.plots.base import Panel

MOST_UNITS = 16
MOST_WEIGHTS = 200

_MOST_NUMBERS = 24
"""Up to so many parameters, each has its value beside its line."""

_ALONG = (0.3, 0.4, 0.5, 0.6, 0.7, 0.25, 0.75, 0.2, 0.8)
"""How far along its line a value may stand; the first is the best."""

_VALUE = (0.2, 0.3)
"""Width and height that a value takes, in units of the diagram."""

_WIDEST = 5.0
"""The width in points of the line of the largest weight."""


class NetworkDiagram(Plot):
    """A line a weight: its width says how large it is, colour and dashes its sign."""

    def why_not(self, subject: Subject) -> str | None:
        layers = subject.network.layers
        if any(layer.activation.rows_per_unit > 1 for layer in layers):
            return "Its maxout units have several weights for each line of a diagram."
        widest = max(subject.network.inputs, *(layer.units for layer in layers))
        if widest > MOST_UNITS:
            return f"A layer of {widest} units is too wide for a diagram: at most {MOST_UNITS}."
        weights = int(subject.network.is_weight.sum())
        if weights > MOST_WEIGHTS:
            return f"Its {weights} weights are too many for a diagram: at most {MOST_WEIGHTS}."
        return None

    def title(self, subject: Subject) -> str:
        return f"network with its weights ({subject.weights})"

    def size(self, subject: Subject) -> tuple[float, float]:
        tallest = max(layer.inputs + layer.has_bias for layer in subject.network.layers)
        tallest = max(tallest, subject.network.outputs)
        return 2.6 * len(subject.network.layers) + 3.4, max(0.5 * tallest + 2.0, 4.0)

    def draw(self, figure: Panel, subject: Subject) -> None:
        axes = figure.subplots()
        without_axes(axes)
        lines = list(lines_of(subject))
        _draw_lines(axes, lines)
        _draw_units(axes, subject)
        _write_names(axes, subject)
        axes.set_xlim(-0.3, len(subject.network.layers) + 0.3)
        _explain(axes, lines)
        legend_below(figure, axes)


@dataclass(frozen=True)
class Line:
    """A weight or a bias: from (x, y) below to (x, y) above, and its value."""

    start: tuple[float, float]
    end: tuple[float, float]
    value: float


def height(unit: int, units: int) -> float:
    """Where a unit stands in its layer of so many; the bias stands below them, as unit `units`."""
    return (units - 1) / 2 - unit


def lines_of(subject: Subject) -> Iterator[Line]:
    """Every entry of the parameter vector, layer by layer and row by row."""
    network = subject.network
    for number, (layer, matrix) in enumerate(
        zip(network.layers, network.matrices(subject.params), strict=True)
    ):
        for (unit, below), value in np.ndenumerate(matrix):
            start = (float(number), height(below, layer.inputs))
            yield Line(start, (number + 1.0, height(unit, layer.units)), float(value))


def _draw_lines(axes: Axes, lines: Sequence[Line]) -> None:
    largest = max(abs(line.value) for line in lines) or 1.0
    for line in lines:
        axes.plot(
            *zip(line.start, line.end, strict=True),
            color=COLOURS[line.value < 0],
            linestyle="dashed" if line.value < 0 else "solid",
            linewidth=_WIDEST * abs(line.value) / largest,
            zorder=1,
        )
    if len(lines) <= _MOST_NUMBERS:
        for line, (x, y) in zip(lines, places_of_values(lines), strict=True):
            axes.text(
                x, y, f"{line.value:.3g}", fontsize=7, ha="center", va="center", zorder=2,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip


def places_of_values(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """Where on its line each value stands: each as far as can be from those before it."""
    placed: list[tuple[float, float]] = []
    for line in lines:
        (x1, y1), (x2, y2) = line.start, line.end
        places = [((1 - t) * x1 + t * x2, (1 - t) * y1 + t * y2) for t in _ALONG]
        placed.append(max(places, key=lambda place: _room(place, placed)))
    return placed


def _room(place: tuple[float, float], placed: Sequence[tuple[float, float]]) -> float:
    """The distance to the nearest value, in its widths and heights; enough is enough."""
    x, y = place
    far = [math.hypot((x - x2) / _VALUE[0], (y - y2) / _VALUE[1]) for x2, y2 in placed]
    return min([1.5, *far])


def _draw_units(axes: Axes, subject: Subject) -> None:
    """Circles, and a square that is always 1 where a layer has biases."""
    layers = subject.network.layers
    for number, units in enumerate((subject.network.inputs, *(layer.units for layer in layers))):
        heights = [height(unit, units) for unit in range(units)]
        axes.scatter([number] * units, heights, s=420, color="white", edgecolor="black", zorder=3)
        for unit, y in enumerate(heights, start=1):
            axes.text(number, y, str(unit), ha="center", va="center", fontsize=9, zorder=4)
        if number < len(layers) and layers[number].has_bias:
            y = height(units, units)
            axes.scatter(number, y, s=300, marker="s", color="0.85", edgecolor="black", zorder=3)
            axes.text(number, y, "+1", ha="center", va="center", fontsize=9, zorder=4)


def _write_names(axes: Axes, subject: Subject) -> None:
    """Inputs on the left, outputs on the right, activations above."""
    network, table = subject.network, subject.experiment.table
    outputs = output_names(network, table.class_names, table.target_names)
    last = len(network.layers)
    for unit, name in enumerate(table.input_names):
        y = height(unit, network.inputs)
        axes.text(-0.12, y, literal(name, 18), ha="right", va="center", fontsize=9)
    for unit, name in enumerate(outputs):
        y = height(unit, network.outputs)
        axes.text(last + 0.12, y, literal(name, 24), ha="left", va="center", fontsize=9)
    top = height(0, max(network.inputs, *(layer.units for layer in network.layers)))
    axes.set_ylim(-top - 1.6, top + 1.4)
    axes.text(0, top + 0.8, "inputs", ha="center", fontsize=9)
    for number, layer in enumerate(network.layers, start=1):
        name = name_of(ACTIVATIONS, layer.activation)
        axes.text(number, top + 0.8, f"layer {number}: {name}", ha="center", fontsize=9)


def _explain(axes: Axes, lines: Sequence[Line]) -> None:
    """Entries of the legend: what lines and squares mean."""
    largest = max(abs(line.value) for line in lines)
    axes.plot([], [], color=COLOURS[0], linewidth=2, label="positive")
    axes.plot([], [], color=COLOURS[1], linestyle="dashed", linewidth=2, label="negative")
    scale = f"|weight| {largest:.3g}, others in proportion"
    axes.plot([], [], color="0.3", linewidth=_WIDEST, label=scale)
    axes.plot(
        [],
        [],
        "s",
        color="0.85",
        markeredgecolor="black",
        markersize=9,
        label="bias, of +1",
    )
