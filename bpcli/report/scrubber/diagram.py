"""The network as a diagram whose lines follow the weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bpcli.nn.arrays import Vector
from bpcli.nn.network import Network
from bpcli.report.html import Html, tag
from bpcli.report.phrases import activation_of, cut
from bpcli.report.scrubber.recording import Recording
from bpcli.report.words import Words
from bpcli.runs.subject import Subject
from bpcli.text import text_width

MOST_UNITS = 16
"""The most units of a layer for which every line can be pointed at."""

MOST_WEIGHTS = 200
"""The most weights for which every line can be pointed at; others are shown as matrices."""

WIDEST = 5.0
"""The width of the line of the largest weight of all frames."""

NARROWEST = 0.15
_RADIUS = 9.0
_ACROSS, _DOWN = 118.0, 25.0
_TOP, _BOTTOM = 34.0, 10.0
_SIGN = 5.9
"""The width of a letter of a name; Chinese characters are twice as wide."""

_MOST_SIGNS = 14
_LEAST_MARGIN = 40.0


def can_be_drawn(network: Network) -> bool:
    """Whether a diagram shows each weight as a line of its own."""
    widest = max(network.inputs, *(layer.units for layer in network.layers))
    return (
        int(network.is_weight.sum()) <= MOST_WEIGHTS
        and widest <= MOST_UNITS
        and all(layer.activation.rows_per_unit == 1 for layer in network.layers)
    )


@dataclass(frozen=True)
class Segment:
    """The ends of one line, (x, y) each."""

    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Diagram:
    """The places of units and lines; `largest` is the largest |weight| of all frames.

    `left` and `right` are the margins, in which the names of inputs and outputs stand.
    """

    network: Network
    largest: float
    left: float
    right: float

    @property
    def _tallest(self) -> int:
        below = [layer.columns for layer in self.network.layers]
        return max(*below, self.network.outputs)

    @property
    def size(self) -> tuple[float, float]:
        width = self.left + _ACROSS * len(self.network.layers) + self.right
        return width, _TOP + _DOWN * self._tallest + _BOTTOM

    def place(self, layer: int, unit: int) -> tuple[float, float]:
        """The centre of a unit; the input of the biases above a layer comes after its units."""
        network = self.network
        units = network.inputs if layer == 0 else network.layers[layer - 1].units
        has_bias = layer < len(network.layers) and network.layers[layer].has_bias
        first = (self._tallest - units - has_bias) / 2
        return self.left + _ACROSS * layer, _TOP + _DOWN * (first + unit + 0.5)

    def places(self) -> Iterator[Segment]:
        """The lines in the order of the parameter vector."""
        for number, layer in enumerate(self.network.layers):
            for row in range(layer.rows):
                for column in range(layer.columns):
                    yield Segment(self.place(number, column), self.place(number + 1, row))

    def width(self, value: float) -> float:
        return max(NARROWEST, round(WIDEST * abs(value) / self.largest, 2))


def diagram_of(recording: Recording) -> Diagram:
    """The diagram of a network for all frames."""
    inputs, outputs = _names(recording.subject)
    network = recording.subject.network
    return Diagram(network, recording.largest, _margin(inputs), _margin(outputs))


def _names(subject: Subject) -> tuple[list[str], list[str]]:
    """The names of inputs and outputs, cut to what fits."""
    names = subject.experiment.table.input_names, subject.experiment.output_names
    inputs, outputs = ([cut(name, _MOST_SIGNS) for name in each] for each in names)
    return inputs, outputs


def _margin(names: list[str]) -> float:
    return max(_LEAST_MARGIN, 2 * _RADIUS + 4 + _SIGN * max(map(text_width, names)))


def drawn(diagram: Diagram, subject: Subject, params: Vector, words: Words) -> Html:
    """The diagram with a line for each parameter, which the script changes."""
    lines = [_line(diagram, *each) for each in zip(diagram.places(), params, strict=True)]
    width, height = diagram.size
    return tag(
        "svg",
        tag("g", lines, class_="edges"),
        tag("line", class_="edge-chosen", x1=-9, x2=-9, y1=-9, y2=-9),
        tag("g", _units(diagram), class_="units"),
        tag("g", _texts(diagram, subject, words)),
        viewBox=f"0 0 {width:g} {height:g}", width=width, role="img",
        aria_label=words("scrubber.network.label", network=subject.network.summary),
        class_="network",
    )  # fmt: skip


def small(diagram: Diagram, params: Vector, label: str) -> Html:
    """The diagram without names, with one path for all lines of about the same width."""
    width, height = diagram.size
    left, top = diagram.left - 2 * _RADIUS, _TOP - _RADIUS
    across = width - diagram.left - diagram.right + 4 * _RADIUS
    box = f"{left:g} {top:g} {across:g} {height - top:g}"
    return tag(
        "svg",
        tag("g", _grouped(diagram, params), class_="edges"),
        tag("g", _units(diagram), class_="units"),
        viewBox=box, width=across, role="img", aria_label=label, class_="network",
    )  # fmt: skip


_WIDTHS = (0.25, 0.75, 1.5, 2.5, 3.5, 4.5)


def _grouped(diagram: Diagram, params: Vector) -> Iterator[Html]:
    """One path for each sign and width."""
    paths: dict[tuple[str, float], list[str]] = {}
    for segment, value in zip(diagram.places(), params.tolist(), strict=True):
        width = min(_WIDTHS, key=lambda each: abs(each - diagram.width(value)))
        text = "M{:g} {:g}L{:g} {:g}".format(*segment.start, *segment.end)
        paths.setdefault((_sign(value), width), []).append(text)
    for (sign, width), texts in sorted(paths.items()):
        yield tag("path", d="".join(texts), class_=sign, stroke_width=width)


def _sign(value: float) -> str:
    return "minus" if value < 0 else "plus"


def _line(diagram: Diagram, segment: Segment, value: float) -> Html:
    (x1, y1), (x2, y2) = segment.start, segment.end
    width = diagram.width(float(value))
    return tag(
        "line", x1=f"{x1:g}", y1=f"{y1:g}", x2=f"{x2:g}", y2=f"{y2:g}",
        class_=_sign(value), stroke_width=width,
    )  # fmt: skip


def _units(diagram: Diagram) -> Iterator[Html]:
    layers = diagram.network.layers
    for number, units in enumerate((diagram.network.inputs, *(layer.units for layer in layers))):
        for unit in range(units):
            x, y = diagram.place(number, unit)
            yield tag("circle", cx=f"{x:g}", cy=f"{y:g}", r=_RADIUS, class_="unit")
            yield _text(str(unit + 1), x, y, "middle")
        if number < len(layers) and layers[number].has_bias:
            x, y = diagram.place(number, units)
            side = 2 * _RADIUS - 3
            yield tag(
                "rect", x=f"{x - side / 2:g}", y=f"{y - side / 2:g}", width=side, height=side,
                class_="ones",
            )  # fmt: skip
            yield _text("1", x, y, "middle")


def _text(text: str, x: float, y: float, anchor: str, class_: str = "number") -> Html:
    return tag("text", text, x=f"{x:g}", y=f"{y + 3.5:g}", text_anchor=anchor, class_=class_)


def _texts(diagram: Diagram, subject: Subject, words: Words) -> Iterator[Html]:
    """Names of inputs and outputs beside their units, and activations above the layers."""
    network = diagram.network
    inputs, outputs = _names(subject)
    for unit, name in enumerate(inputs):
        x, y = diagram.place(0, unit)
        yield _text(name, x - 2 * _RADIUS, y, "end", "name")
    for unit, name in enumerate(outputs):
        x, y = diagram.place(len(network.layers), unit)
        yield _text(name, x + 2 * _RADIUS, y, "start", "name")
    yield _text(words("scrubber.network.inputs"), diagram.left, _TOP - 20, "middle", "head")
    for number in range(1, len(network.layers) + 1):
        name = activation_of(subject, number - 1)
        x = diagram.left + _ACROSS * number
        yield _text(f"{number}: {name}", x, _TOP - 20, "middle", "head")
