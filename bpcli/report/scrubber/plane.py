"""The drawing of a picture: its area, the training rows on it, and its axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.report.axes import Axis
from bpcli.report.html import Html, joined, tag
from bpcli.report.phrases import cut
from bpcli.report.scrubber.pictures import Curves, Field, Points
from bpcli.report.words import Words
from bpcli.runs.subject import Subject

SIDE = 400.0
"""The side of the area, in which the script draws too."""

LEFT, TOP, RIGHT, BOTTOM = 52.0, 6.0, 8.0, 44.0
"""Margins for the axes, as in the style sheet."""

POINTS_ID = "film-points"
_SHAPES = (
    "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "m0-5l4.6 8.4h-9.2z",
    "m-3.6-3.6h7.2v7.2h-7.2z",
    "m0-5l5 5l-5 5l-5-5z",
)
_MANY_POINTS = 120
_MOST_COLOURS = 8


def places_in(window: tuple[float, float, float, float], points: Array) -> Array:
    """Positions (n, 2) in a window, in the area's units; y points down."""
    left, right, bottom, top = window
    shares = (points - [left, bottom]) / [right - left, top - bottom]
    shares[:, 1] = 1 - shares[:, 1]
    places: Array = np.clip(shares, -0.5, 1.5) * SIDE
    return places


def definitions(picture: Field | Curves, points: Points) -> Html:
    """The training rows, drawn once and used by every picture."""
    return tag(
        "svg",
        tag("defs", tag("g", marks(picture, points), id=POINTS_ID)),
        class_="definitions", aria_hidden="true", focusable="false",
    )  # fmt: skip


def marks(picture: Field | Curves, points: Points) -> list[Html]:
    """The rows as marks, one path for each class, in the area's units."""
    return [
        _marks(places_in(picture.window, points.places[points.labels == label]), label, points)
        for label in np.unique(points.labels).tolist()
    ]


def mark_of(label: int) -> Html:
    """The mark of a class, for a legend."""
    path = f"M14 6{_SMALL_SHAPES[label % len(_SHAPES)]}"
    return tag("path", d=path, class_=f"mark-{label % _MOST_COLOURS}")


def _marks(places: Array, label: int, points: Points) -> Html:
    shape = _SHAPES[label % len(_SHAPES)]
    if len(points.places) > _MANY_POINTS:
        shape = _SMALL_SHAPES[label % len(_SHAPES)]
    path = "".join(f"M{x:.1f} {y:.1f}{shape}" for x, y in places)
    return tag("path", d=path, class_=f"mark-{label % _MOST_COLOURS}")


_SMALL_SHAPES = (
    "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
    "m0-3.9l3.6 6.5h-7.2z",
    "m-2.7-2.7h5.4v5.4h-5.4z",
    "m0-3.8l3.8 3.8l-3.8 3.8l-3.8-3.8z",
)


def still(picture: Field | Curves, frame: int, label: str) -> Html:
    """The picture of one frame, without axes."""
    return tag(
        "svg",
        _below(picture, frame),
        _frame(),
        _rows(),
        _above(picture, frame),
        viewBox=f"0 0 {SIDE:g} {SIDE:g}", role="img", aria_label=label, class_="still",
    )  # fmt: skip


def _below(picture: Field | Curves, frame: int) -> Html | None:
    if isinstance(picture, Curves):
        return None
    return tag(
        "image", href=picture.address_of(frame), width=SIDE, height=SIDE, preserveAspectRatio="none"
    )


def _above(picture: Field | Curves, frame: int) -> Html | None:
    if isinstance(picture, Field):
        return None
    return joined(
        tag("path", d=curve_path(picture, frame, number), class_=f"curve curve-{number}")
        for number in range(picture.values.shape[1])
    )


def _rows() -> Html:
    area = tag("svg", tag("use", href=f"#{POINTS_ID}"), width=SIDE, height=SIDE)
    return tag("g", area, class_="rows")


def _frame() -> Html:
    return tag("rect", x=0, y=0, width=SIDE, height=SIDE, class_="area")


def curve_path(picture: Curves, frame: int, number: int) -> str:
    """One output over the input as a path in the area."""
    values = np.nan_to_num(picture.values[frame, number], posinf=1e9, neginf=-1e9)
    x = np.linspace(picture.window[0], picture.window[1], len(values))
    places = places_in(picture.window, np.column_stack([x, values]))
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def moving(subject: Subject, picture: Field | Curves, words: Words) -> Html:
    """The picture that the script redraws, with axes; its canvas is below the rows."""
    frame = picture_size(picture) - 1
    width, height = LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM
    area = tag(
        "svg", _frame(), _rows(), _above(picture, frame),
        x=LEFT, y=TOP, width=SIDE, height=SIDE, viewBox=f"0 0 {SIDE:g} {SIDE:g}",
    )  # fmt: skip
    drawing = tag(
        "svg",
        tag("g", _axes(subject, picture), class_="ticks"),
        area,
        viewBox=f"0 0 {width:g} {height:g}", role="img",
        aria_label=words(f"scrubber.picture.{kind_of(subject, picture)}"), class_="over",
    )  # fmt: skip
    canvas = tag("canvas", id="film-canvas") if isinstance(picture, Field) else None
    return tag("div", canvas, drawing, class_="plane")


def picture_size(picture: Field | Curves) -> int:
    """The number of frames."""
    return len(picture.tiles if isinstance(picture, Field) else picture.values)


def kind_of(subject: Subject, picture: Field | Curves) -> str:
    """The key of the picture's sentences."""
    if isinstance(picture, Curves):
        return "curve"
    return "surface" if subject.experiment.splits["train"].labels is None else "regions"


def _axes(subject: Subject, picture: Field | Curves) -> Iterator[Html]:
    left, right, bottom, top = picture.window
    for at, text in Axis(left, right, LEFT, LEFT + SIDE).ticks(5):
        yield tag("text", text, x=f"{at:.1f}", y=TOP + SIDE + 17, text_anchor="middle")
    for at, text in Axis(bottom, top, TOP + SIDE, TOP).ticks(5):
        yield tag("text", text, x=LEFT - 7, y=f"{at + 4:.1f}", text_anchor="end")
    across, up = axis_names(subject, picture)
    yield tag(
        "text", cut(across, 40), x=LEFT + SIDE / 2, y=TOP + SIDE + 38, text_anchor="middle",
        class_="axis",
    )  # fmt: skip
    yield tag(
        "text", cut(up, 40), transform=f"translate(12 {TOP + SIDE / 2:g}) rotate(-90)",
        text_anchor="middle", class_="axis",
    )  # fmt: skip


def axis_names(subject: Subject, picture: Field | Curves) -> tuple[str, str]:
    """The names of the horizontal and the vertical axis."""
    inputs: Sequence[str] = subject.experiment.table.input_names
    if isinstance(picture, Field):
        return inputs[0], inputs[1]
    return inputs[0], picture.names[0] if len(picture.names) == 1 else ", ".join(picture.names)
