"""A diagram of a small network: its units as circles, its weights as lines between them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bpcli.experiment.output_names import output_names
from bpcli.nn.activations import ACTIVATIONS
from bpcli.plots.base import Axes, Panel, Plot, legend_below, without_axes
from bpcli.plots.style import COLOURS, literal
from bpcli.registry import name_of
from bpcli.runs.subject import Subject

MOST_UNITS = 16
MOST_WEIGHTS = 200

_MOST_NUMBERS = 24
"""The most parameters whose values are written beside their lines."""

_ALONG = (0.3, 0.4, 0.5, 0.6, 0.7, 0.25, 0.75, 0.2, 0.8)
"""Possible positions of a value along its line; the first is preferred."""

_VALUE = (0.2, 0.3)
"""Width and height of a value's text, in units of the diagram."""

_WIDEST = 5.0
"""The width in points of the line of the largest weight."""


class NetworkDiagram(Plot):
    """One line per weight: the width shows its size, colour and dashes show its sign."""

    def why_not(self, subject: Subject) -> str | None:
        layers = subject.network.layers
        if any(layer.activation.rows_per_unit > 1 for layer in layers):
            return "Maxout units have several weights per input: the diagram can show only one."
        widest = max(subject.network.inputs, *(layer.units for layer in layers))
        if widest > MOST_UNITS:
            what = "inputs" if widest == subject.network.inputs else "units in a layer"
            return f"{widest} {what} are too many for a diagram: at most {MOST_UNITS} fit."
        weights = int(subject.network.is_weight.sum())
        if weights > MOST_WEIGHTS:
            return f"{weights} weights are too many for a diagram: at most {MOST_WEIGHTS} fit."
        return None

    def title(self, subject: Subject) -> str:
        return f"network with its weights, {subject.weights} epoch"

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
    """A weight or a bias: from (x, y) in one layer to (x, y) in the next, and its value."""

    start: tuple[float, float]
    end: tuple[float, float]
    value: float


def height(unit: int, units: int) -> float:
    """The y of a unit in a layer of `units`; the bias is below them, as unit number `units`."""
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
        for line, (x, y) in zip(lines, value_positions(lines), strict=True):
            axes.text(
                x, y, f"{line.value:.3g}", fontsize=7, ha="center", va="center", zorder=2,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip


def value_positions(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """The position of each value on its line: as far as possible from those before it."""
    placed: list[tuple[float, float]] = []
    for line in lines:
        (x1, y1), (x2, y2) = line.start, line.end
        points = [((1 - t) * x1 + t * x2, (1 - t) * y1 + t * y2) for t in _ALONG]
        placed.append(max(points, key=lambda point: _room(point, placed)))
    return placed


def _room(point: tuple[float, float], placed: Sequence[tuple[float, float]]) -> float:
    """The distance to the nearest value, in text widths and heights; at most 1.5."""
    x, y = point
    far = [math.hypot((x - x2) / _VALUE[0], (y - y2) / _VALUE[1]) for x2, y2 in placed]
    return min([1.5, *far])


def _draw_units(axes: Axes, subject: Subject) -> None:
    """Draw units as circles, and the constant input +1 of the biases as a square."""
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
    """Write input names on the left, output names on the right, activations above."""
    network, table = subject.network, subject.experiment.table
    outputs = output_names(network, subject.experiment.preprocessor.categories, table.target_names)
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
    """Add legend entries for lines and squares."""
    largest = max(abs(line.value) for line in lines)
    axes.plot([], [], color=COLOURS[0], linewidth=2, label="positive")
    axes.plot([], [], color=COLOURS[1], linestyle="dashed", linewidth=2, label="negative")
    scale = f"|weight| = {largest:.3g}, others in proportion"
    axes.plot([], [], color="0.3", linewidth=_WIDEST, label=scale)
    axes.plot(
        [],
        [],
        "s",
        color="0.85",
        markeredgecolor="black",
        markersize=9,
        label="input of the biases",
    )
