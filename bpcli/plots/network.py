"""A diagram of a network: its units as circles, its weights as lines between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bpcli.nn.activations import ACTIVATIONS
from bpcli.plots.base import Axes, Panel, Plot, legend_below, without_axes
from bpcli.plots.layers import epoch_text
from bpcli.plots.network_layout import MOST_NUMBERS, Layout, layout_of
from bpcli.plots.outcome import left_out
from bpcli.plots.style import COLOURS, INK, MUTED, literal, with_minus
from bpcli.registry import name_of
from bpcli.runs.subject import Subject
from bpcli.text import rounded, text_width

_MOST_LAYERS = 12

_WIDEST, _THINNEST = 4.5, 0.35
"""The widths in points of the lines of the largest weight and of weights near 0."""

_LETTER = 0.078
"""The approximate width of a letter of a name in inches."""

_GAP, _NARROW_GAP = 2.3, 1.6
"""The distance of two columns in inches, in networks of few and of many layers."""

_ROW, _HIGH_ROW = 0.42, 0.66
"""The distance of two units in inches; with numbers on the lines, they are further apart."""

_NEGATIVE = (0, (3, 1.5))
"""The dashes of negative weights."""

_ON_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
"""The box of a text over lines."""

_BIAS = "#E8E8E8"

_ABOVE, _BELOW = 0.9, 0.25
"""The room in inches for headings above the highest column, and below it."""


class NetworkDiagram(Plot):
    """One line per weight: the width shows its size, colour and dashes show its sign."""

    needs = ("weights",)
    shows_training = True

    def why_not(self, subject: Subject) -> str | None:
        layers = subject.network.layers
        if any(layer.activation.rows_per_unit > 1 for layer in layers):
            return "Maxout units have several weights per input: the diagram can show only one."
        if len(layers) > _MOST_LAYERS:
            return f"{len(layers)} layers are too many for a diagram: at most {_MOST_LAYERS} fit."
        return None

    def title(self, subject: Subject) -> str:
        return "Network with its weights"

    def details(self, subject: Subject) -> Sequence[str]:
        layout = _layout(subject)
        return (
            epoch_text(subject),
            left_out(
                layout.drawn,
                sum(layout.counts),
                "weights and biases drawn, the largest of each layer",
            ),
            "hidden units ordered so that few lines cross" if layout.is_ordered else "",
        )

    def size(self, subject: Subject) -> tuple[float, float]:
        paper = Paper.of(subject)
        return paper.left + paper.right + paper.width + 0.2, paper.rows + _ABOVE + _BELOW + 1.5

    def draw(self, figure: Panel, subject: Subject) -> None:
        layout, paper, axes = _layout(subject), Paper.of(subject), figure.subplots()
        without_axes(axes)
        axes.set_xlim(-paper.left, paper.width + paper.right)
        axes.set_ylim(-paper.rows / 2 - _BELOW, paper.rows / 2 + _ABOVE)
        lines = placed_lines(layout, paper)
        _draw_lines(axes, lines)
        _draw_units(axes, layout, paper)
        _write_names(axes, subject, layout, paper)
        _write_headings(axes, subject, layout, paper)
        _explain(axes, layout)
        legend_below(figure, axes)


def _layout(subject: Subject) -> Layout:
    return layout_of(subject.network, subject.params)


def _names(subject: Subject) -> tuple[list[str], list[str]]:
    """The names of inputs and outputs, as they are drawn."""
    names = subject.experiment.table.input_names, subject.experiment.output_names
    inputs, outputs = ([literal(name, 30) for name in each] for each in names)
    return inputs, outputs


@dataclass(frozen=True)
class Paper:
    """Lengths in inches: left and right of the columns, between two of them, and between units."""

    left: float
    right: float
    gap: float
    row: float
    width: float
    rows: float
    """The height of the highest column, from the middle of its first to that of its last row."""

    @classmethod
    def of(cls, subject: Subject) -> Paper:
        layout = _layout(subject)
        first, last = layout.columns[0], layout.columns[-1]
        inputs, outputs = _names(subject)
        is_small = subject.network.n_params <= MOST_NUMBERS
        layers = len(layout.lines)
        gap, row = _GAP if layers <= 4 else _NARROW_GAP, _HIGH_ROW if is_small else _ROW
        rows = max(column.rows for column in layout.columns)
        return cls(
            left=_room_for([inputs[unit] for unit in first.units]),
            right=_room_for([outputs[unit] for unit in last.units]),
            gap=gap,
            row=row,
            width=gap * layers,
            rows=(rows - 1) * row,
        )

    def at(self, number: int, height: float) -> tuple[float, float]:
        """The position of a row of a column."""
        return number * self.gap, height * self.row


def _room_for(names: Sequence[str]) -> float:
    return max(0.4 + _LETTER * max(map(text_width, names)), 0.8)


@dataclass(frozen=True)
class PlacedLine:
    """A weight or a bias: from (x, y) in one column to (x, y) in the next, in inches."""

    start: tuple[float, float]
    end: tuple[float, float]
    value: float

    def at(self, t: float) -> tuple[float, float]:
        """The point at the fraction t of the line."""
        (x1, y1), (x2, y2) = self.start, self.end
        return (1 - t) * x1 + t * x2, (1 - t) * y1 + t * y2

    def height_at(self, x: float) -> float:
        return self.at((x - self.start[0]) / (self.end[0] - self.start[0]))[1]


def placed_lines(layout: Layout, paper: Paper) -> list[PlacedLine]:
    """The lines of all layers, in the order of the parameters."""
    placed = []
    for number, lines in enumerate(layout.lines):
        starts, ends = (layout.columns[number + side].heights() for side in (0, 1))
        for line in lines:
            start = paper.at(number, starts[line.start])
            placed.append(PlacedLine(start, paper.at(number + 1, ends[line.end]), line.value))
    return placed


def _draw_lines(axes: Axes, lines: Sequence[PlacedLine]) -> None:
    """Draw the lines, large weights over small ones, and of few lines the values."""
    largest = max(abs(line.value) for line in lines) or 1.0
    for line in lines:
        size = abs(line.value) / largest
        axes.plot(
            *zip(line.start, line.end, strict=True), color=COLOURS[line.value < 0],
            linestyle=_NEGATIVE if line.value < 0 else "solid",
            linewidth=max(_THINNEST, _WIDEST * size), zorder=1 + size,
        )  # fmt: skip
    if len(lines) <= MOST_NUMBERS:
        for line, (x, y) in zip(lines, value_positions(lines), strict=True):
            axes.text(
                x, y, _value_text(line), fontsize=8, ha="center", va="center", zorder=2.5,
                bbox=_ON_WHITE,
            )  # fmt: skip


def _value_text(line: PlacedLine) -> str:
    return with_minus(f"{line.value:.3g}")


_VALUE = (0.5, 0.17)
"""Width and height in inches of a value's text."""

_ALONG = np.linspace(0.24, 0.76, 27)
"""Possible positions of a value along its line."""


def value_positions(lines: Sequence[PlacedLine]) -> list[tuple[float, float]]:
    """The position of each value on its line: over no other value, and few other lines."""
    placed: list[tuple[float, float]] = []
    for line in lines:
        others = [other for other in lines if other is not line and other.start[0] == line.start[0]]
        placed.append(min(map(line.at, _ALONG), key=lambda point: _cost(point, placed, others)))
    return placed


def _cost(
    point: tuple[float, float],
    placed: Sequence[tuple[float, float]],
    others: Sequence[PlacedLine],
) -> tuple[float, float]:
    """The values that are covered, then how near other lines and values are."""
    x, y = point
    apart = [max(abs(x - x2) / _VALUE[0], abs(y - y2) / _VALUE[1]) for x2, y2 in placed]
    lines = [abs(y - other.height_at(x)) / _VALUE[1] for other in others]
    near = [math.exp(-3 * distance) for distance in (*apart, *lines)]
    return sum(distance < 1 for distance in apart), sum(near)


def _draw_units(axes: Axes, layout: Layout, paper: Paper) -> None:
    """Draw units as circles, and the constant input +1 of the biases as a square."""
    for number, column in enumerate(layout.columns):
        for unit, height in column.heights().items():
            is_bias = unit == column.count
            x, y = paper.at(number, height)
            axes.scatter(
                x, y, s=250 if is_bias else 330, marker="s" if is_bias else "o", zorder=3,
                color=_BIAS if is_bias else "white", edgecolor=INK, linewidth=1,
            )  # fmt: skip
            text = "+1" if is_bias else str(unit + 1)
            axes.text(x, y, text, ha="center", va="center", fontsize=8.5, zorder=4)


def _write_names(axes: Axes, subject: Subject, layout: Layout, paper: Paper) -> None:
    """Write input names on the left, output names on the right, and how many are left out."""
    inputs, outputs = _names(subject)
    last = len(layout.columns) - 1
    for number, names, side, shift in ((0, inputs, "right", -0.24), (last, outputs, "left", 0.24)):
        column = layout.columns[number]
        for row, unit in enumerate(column.units):
            x, y = paper.at(number, column.height(row))
            axes.text(x + shift, y, names[unit], ha=side, va="center", fontsize=9)
    for number, column in enumerate(layout.columns):
        if column.left_out:
            x, y = paper.at(number, column.height(len(column.units)))
            axes.text(
                x, y, f"{column.left_out:,} more", ha="center", va="center", fontsize=8,
                color=MUTED, zorder=4,
                bbox=_ON_WHITE,
            )  # fmt: skip


def _write_headings(axes: Axes, subject: Subject, layout: Layout, paper: Paper) -> None:
    """Write what each column is, and between columns which weights are left out."""
    top = max(column.height(0) for column in layout.columns) * paper.row
    names = [name_of(ACTIVATIONS, layer.activation) for layer in subject.network.layers]
    headings = ["inputs", *(f"layer {number}\n{name}" for number, name in enumerate(names, 1))]
    for number, heading in enumerate(headings):
        axes.text(
            number * paper.gap, top + 0.42, heading, ha="center", va="bottom", fontsize=9.5,
            linespacing=1.3,
        )  # fmt: skip
    for number, (lines, count) in enumerate(zip(layout.lines, layout.counts, strict=True)):
        if len(lines) < count:
            least = rounded(min(abs(line.value) for line in lines), 2)
            axes.text(
                (number + 0.5) * paper.gap, top + 0.24, f"{len(lines)} of {count:,}\n|w| ≥ {least}",
                ha="center", va="bottom", fontsize=8, color=MUTED, linespacing=1.3,
            )  # fmt: skip


def _explain(axes: Axes, layout: Layout) -> None:
    """Add legend entries for lines and squares."""
    largest = max(abs(line.value) for lines in layout.lines for line in lines)
    axes.plot([], [], color=COLOURS[0], linewidth=2, label="positive")
    axes.plot([], [], color=COLOURS[1], linestyle=_NEGATIVE, linewidth=2, label="negative")
    axes.plot(
        [], [], color=MUTED, linewidth=_WIDEST,
        label=f"line of |w| = {largest:.3g}",
    )  # fmt: skip
    if any(column.has_bias for column in layout.columns):
        axes.plot(
            [], [], "s", color=_BIAS, markeredgecolor=INK, markersize=9,
            label="bias input",
        )  # fmt: skip
