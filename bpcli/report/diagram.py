"""A diagram of a network as SVG: units as circles, weights as lines between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.report.charts import figure
from bpcli.report.figures import text_of
from bpcli.report.html import Child, Html, joined, tag
from bpcli.report.phrases import activation_of, cut
from bpcli.report.words import Words
from bpcli.runs.subject import Subject
from bpcli.text import text_width

MOST_SHOWN = 12
"""The most units of a layer that are drawn; of more, the first and the last."""

MOST_EDGES = 600
"""The most lines; of more weights, the largest are drawn."""

_FIRST = 8
_STEP, _GAP, _RADIUS = 34.0, 120.0, 11.0
_TOP, _LEAST_SIDE, _SIGN = 48.0, 52.0, 7.0
"""The margins have the names; a letter is `_SIGN` wide."""

_MOST_SIGNS = 18
_BROAD = 660.0
"""A wider diagram is not scaled to a narrow page, where its texts would be too small."""

_WIDEST = 4.5


@dataclass(frozen=True)
class Units:
    """The units of a layer that are drawn, by their numbers, and their y; `count` are all."""

    x: float
    count: int
    y: dict[int, float]

    @property
    def gap(self) -> float | None:
        """The y of the dots that stand for the units left out."""
        return None if len(self.y) == self.count else self.y[_FIRST - 1] + _STEP


def diagram(subject: Subject, words: Words) -> Html:
    """The network with its weights, and a legend in the caption."""
    network = subject.network
    sizes = [network.inputs, *(layer.units for layer in network.layers)]
    places = max(_places(size) for size in sizes)
    height = _TOP + places * _STEP + 44
    left, right = map(_side, _names_of(subject))
    columns = [_units(left + number * _GAP, size, places) for number, size in enumerate(sizes)]
    width = left + (len(sizes) - 1) * _GAP + right
    body: list[Child] = [
        tag("g", _edges(subject, columns, words), class_="edges"),
        [_circles(units, number, words) for number, units in enumerate(columns)],
        _names(subject, columns),
        _heads(subject, columns, words, height),
    ]
    caption = words("network.caption", largest=text_of(_largest(subject)))
    picture = tag(
        "svg",
        body,
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        role="img",
        aria_label=caption,
        class_="chart diagram broad" if width > _BROAD else "chart diagram",
    )
    scrolls = tag("div", picture, class_="scroll", tabindex=0, role="region", aria_label=caption)
    return figure("diagram", scrolls, caption, words, class_="wide")


def about_diagram(subject: Subject, words: Words) -> str:
    """How to read the diagram, and what is left out of it, if anything."""
    network = subject.network
    sizes = [network.inputs, *(layer.units for layer in network.layers)]
    drawn = [size if size <= MOST_SHOWN else _FIRST + 1 for size in sizes]
    parts = [words("network.how")]
    if drawn != sizes:
        parts.append(words("network.some_units", most=MOST_SHOWN, first=_FIRST))
    if sum(one * other for one, other in pairwise(drawn)) > MOST_EDGES:
        parts.append(words("network.some_weights", edges=MOST_EDGES))
    return words("page.space").join(parts)


def _places(size: int) -> int:
    return size if size <= MOST_SHOWN else _FIRST + 3


def _names_of(subject: Subject) -> tuple[list[str], list[str]]:
    """The names of the inputs and of the outputs, cut to what fits."""
    names = subject.experiment.table.input_names, subject.experiment.output_names
    inputs, outputs = ([cut(name, _MOST_SIGNS) for name in each] for each in names)
    return inputs, outputs


def _side(names: list[str]) -> float:
    """The margin for these names."""
    return max(_LEAST_SIDE, 24 + _SIGN * max(map(text_width, names)))


def _units(x: float, size: int, places: int) -> Units:
    shown = range(size) if size <= MOST_SHOWN else [*range(_FIRST), size - 1]
    first = _TOP + 10 + (places - _places(size)) * _STEP / 2 + _STEP / 2
    y = {unit: first + position * _STEP for position, unit in enumerate(shown)}
    if size > MOST_SHOWN:
        y[size - 1] = first + (_FIRST + 1.5) * _STEP
    return Units(x, size, y)


def _largest(subject: Subject) -> float:
    return float(np.abs(subject.params).max())


def _edges(subject: Subject, columns: list[Units], words: Words) -> list[Html]:
    """A line per weight between shown units, the largest on top; bias is in a unit's words."""
    largest = _largest(subject) or 1.0
    edges = [
        (float(value), number, unit, below)
        for number, (matrix, (left, right)) in enumerate(
            zip(_weights(subject), pairwise(columns), strict=True)
        )
        for unit in right.y
        for below in left.y
        for value in [matrix[unit, below]]
    ]
    edges.sort(key=lambda edge: abs(edge[0]))
    return [
        _edge(value, number + 1, (unit, below), (columns[number], columns[number + 1]), largest)
        for value, number, unit, below in edges[-MOST_EDGES:]
    ]


def _weights(subject: Subject) -> list[Array]:
    """W (units, inputs) of each layer; of maxout, the row that is largest in each unit."""
    weights = []
    matrices = subject.network.matrices(subject.params)
    for layer, matrix in zip(subject.network.layers, matrices, strict=True):
        W = matrix[:, : layer.inputs]
        if layer.activation.rows_per_unit > 1:
            rows = W.reshape(layer.units, -1, layer.inputs)
            strongest = np.abs(rows).argmax(axis=1)[:, np.newaxis]
            W = np.take_along_axis(rows, strongest, axis=1)[:, 0]
        weights.append(W)
    return weights


def _edge(
    value: float,
    layer: int,
    ends: tuple[int, int],
    columns: tuple[Units, Units],
    largest: float,
) -> Html:
    (unit, below), (left, right) = ends, columns
    width = max(0.25, _WIDEST * abs(value) / largest)
    return tag(
        "path",
        d=f"M{left.x + _RADIUS:g} {left.y[below]:g}L{right.x - _RADIUS:g} {right.y[unit]:g}",
        stroke_width=f"{width:.2f}",
        class_="minus" if value < 0 else "plus",
        data_say=f"W{layer}[{unit + 1},{below + 1}] = {text_of(value)}",
    )


def _circles(units: Units, layer: int, words: Words) -> Html:
    circles = [
        joined(
            tag("circle", cx=f"{units.x:g}", cy=f"{y:g}", r=f"{_RADIUS:g}", class_="unit"),
            tag("text", unit + 1, x=f"{units.x:g}", y=f"{y + 4:g}", class_="number middle"),
        )
        for unit, y in units.y.items()
    ]
    if units.gap is not None:
        dots = [
            tag("circle", cx=f"{units.x:g}", cy=f"{units.gap + step:g}", r=1.8, class_="more")
            for step in (-8, 0, 8)
        ]
        circles.append(joined(*dots))
    return tag("g", circles)


def _names(subject: Subject, columns: list[Units]) -> Html:
    """The names of the inputs on the left, and of the outputs on the right."""
    inputs, outputs = _names_of(subject)
    first, last = columns[0], columns[-1]
    texts = [
        tag("text", inputs[unit], x=first.x - 18, y=f"{y + 4:g}", class_="end")
        for unit, y in first.y.items()
    ]
    texts += [
        tag("text", outputs[unit], x=last.x + 18, y=f"{y + 4:g}") for unit, y in last.y.items()
    ]
    return tag("g", texts)


def _heads(subject: Subject, columns: list[Units], words: Words, height: float) -> Html:
    """The name of each layer above, and the number of its units below."""
    texts = []
    for number, units in enumerate(columns):
        head = words("network.number", number=number) if number else words("network.input_layer")
        below = activation_of(subject, number - 1) if number else ""
        texts += [
            tag("text", head, x=f"{units.x:g}", y=16, class_="middle head"),
            tag("text", below, x=f"{units.x:g}", y=34, class_="middle title"),
            tag(
                "text",
                words.counted("network.count", units.count),
                x=f"{units.x:g}",
                y=height - 14,
                class_="middle title",
            ),
        ]
    return tag("g", texts)
