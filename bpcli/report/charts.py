"""Charts as SVG. A script reads their values out; without it, they show the same.

Colours and dashes are classes of `page.css`: a chart has none of its own, so that it is right on
light and dark pages and on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.curves import thinned
from bpcli.report.axes import Axis, clipped, fitted, wants_log
from bpcli.report.figures import shorts
from bpcli.report.html import Html, data_block, joined, tag
from bpcli.report.words import Words

_MOST_POINTS = 500
"""The most points of a curve: it has fewer pixels."""

WIDTH, HEIGHT = 440.0, 288.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 38.0, 40.0
SQUARE = WIDTH - LEFT - RIGHT + TOP + BOTTOM
"""The height of a chart whose axes have the same unit."""

SERIES = 8
"""How many kinds of lines there are."""

_FEW = 30


@dataclass(frozen=True)
class Curve:
    """A line through points (k,). A single point is drawn as a mark.

    `is_sparse` says that nothing is known between the points, so that they are marked too.
    """

    name: str
    x: Array
    y: Array
    style: int = 0
    is_sparse: bool = False


@dataclass(frozen=True)
class Mark:
    """A vertical line at a value of x, and what it says."""

    x: float
    text: str


def plot(body: Sequence[Html], label: str, height: float = HEIGHT) -> Html:
    """The SVG of a chart; `label` says what it shows."""
    return tag(
        "svg",
        body,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_label=label,
        class_="chart",
    )


def figure(
    id_: str,
    picture: Html,
    caption: str,
    words: Words,
    *more: Html | None,
    data: object = None,
    class_: str = "",
) -> Html:
    """A picture with its caption, and what else belongs to it; `data` is for the read-out."""
    block = None if data is None else data_block(f"{id_}-data", data)
    return tag(
        "figure",
        tag("figcaption", caption[:1].upper() + caption[1:]),
        picture,
        more,
        block,
        id=id_,
        class_=f"reads {class_}".strip(),
        data_hint=words("page.hint"),
        data_label=words("page.readout", what=caption),
    )


def line_chart(
    id_: str,
    curves: Sequence[Curve],
    caption: str,
    words: Words,
    *,
    x_title: str,
    y_title: str,
    marks: Sequence[Mark] = (),
    is_log: bool | None = None,
    bounds: tuple[float, float] | None = None,
    diagonal: bool = False,
) -> Html:
    """Curves over a common axis, with a legend."""
    drawn = [_prepared(curve) for curve in curves]
    values = np.concatenate([curve.y for curve in drawn])
    log = wants_log(values) if is_log is None else is_log
    x = _x_axis(drawn, bounds)
    height = HEIGHT if bounds is None else SQUARE
    y = fitted(values, height - BOTTOM, TOP, is_log=log)
    if bounds is not None:
        y = Axis(*bounds, height - BOTTOM, TOP)
    if log:
        y_title = words("page.log_scale", title=y_title)
    body = [frame(x, y, x_title, y_title, height)]
    if diagonal:
        body.append(_line(x.start, y.start, x.end, y.end, "guide"))
    body += [_mark(mark, x, height) for mark in marks]
    body += [_curve(curve, x, y) for curve in drawn]
    data = {
        "kind": "lines",
        "x": [x.low, x.high, x.start, x.end],
        "name": x_title,
        "curves": [[curve.name, shorts(curve.x), shorts(curve.y)] for curve in drawn],
    }
    legend = _legend(drawn) if len(drawn) > 1 else None
    return figure(id_, plot(body, caption, height), caption, words, legend, data=data)


def _prepared(curve: Curve) -> Curve:
    x, y = thinned(curve.x.astype(np.float64), clipped(curve.y.astype(np.float64)), _MOST_POINTS)
    return replace(curve, x=x, y=y)


def _x_axis(curves: Sequence[Curve], bounds: tuple[float, float] | None) -> Axis:
    if bounds is not None:
        return Axis(*bounds, LEFT, WIDTH - RIGHT)
    x = np.concatenate([curve.x for curve in curves])
    return Axis(float(x.min()), float(max(x.max(), x.min() + 1)), LEFT, WIDTH - RIGHT)


def frame(x: Axis, y: Axis, x_title: str, y_title: str, height: float = HEIGHT) -> Html:
    """Grid, numbers and titles of two axes."""
    lines = [_line(LEFT, at, WIDTH - RIGHT, at, "grid") for at, _ in y.ticks(5)]
    numbers = [
        tag("text", text, x=LEFT - 7, y=_px(at + 4), class_="number end") for at, text in y.ticks(5)
    ]
    below = [
        tag("text", text, x=_px(at), y=_px(height - BOTTOM + 16), class_=f"number {_side(at)}")
        for at, text in x.ticks(5)
    ]
    base = _line(LEFT, height - BOTTOM, WIDTH - RIGHT, height - BOTTOM, "axis")
    titles = [
        tag("text", y_title, x=4, y=12, class_="title"),
        tag("text", x_title, x=WIDTH - RIGHT, y=height - 6, class_="title end"),
    ]
    return joined(lines, base, numbers, below, titles)


def _side(at: float) -> str:
    """Numbers at the right edge end there, so that they stay within the picture."""
    return "end" if at > WIDTH - RIGHT - 12 else "middle"


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    return tag("line", x1=_px(x1), y1=_px(y1), x2=_px(x2), y2=_px(y2), class_=class_)


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _mark(mark: Mark, x: Axis, height: float) -> Html:
    at = x.position(mark.x)
    is_right = at > (LEFT + WIDTH) / 2  # the text stays within the picture
    text = tag(
        "text",
        mark.text,
        x=_px(at + 3 if is_right else at - 3),
        y=TOP - 5,
        class_="note end" if is_right else "note",
    )
    return joined(_line(at, TOP, at, height - BOTTOM, "mark"), text)


def _curve(curve: Curve, x: Axis, y: Axis) -> Html:
    at_x, at_y = x.at(curve.x), y.at(curve.y)
    style = f"s{curve.style % SERIES}"
    line = tag("path", d=line_path(at_x, at_y), class_=f"line {style}")
    if len(curve.x) > _FEW and not curve.is_sparse:
        return line
    size = "large" if len(curve.x) <= _FEW else "small"
    return joined(line, tag("path", d=dots(at_x, at_y), class_=f"dots {size} {style}"))


def line_path(x: Array, y: Array) -> str:
    """A path with gaps where a number is not finite."""
    parts, is_open = [], False
    for one, other in zip(x.tolist(), y.tolist(), strict=True):
        if not np.isfinite(other):
            is_open = False
            continue
        parts.append(f"{'L' if is_open else 'M'}{_px(one)} {_px(other)}")
        is_open = True
    return "".join(parts)


def dots(x: Array, y: Array) -> str:
    """A path of single points, drawn by its round ends."""
    points = zip(x.tolist(), y.tolist(), strict=True)
    return "".join(f"M{_px(one)} {_px(other)}h0" for one, other in points if np.isfinite(other))


def _legend(curves: Sequence[Curve]) -> Html:
    styles = [f"s{curve.style % SERIES}" for curve in curves]
    samples = [sample(style, len(each.x) == 1) for style, each in zip(styles, curves, strict=True)]
    return legend(list(zip((curve.name for curve in curves), samples, strict=True)))


def sample(style: str, is_point: bool = False) -> Html:
    """A line or a point for a legend, of a class of styles."""
    path = "M14 6h0" if is_point else "M1 6h26"
    return tag("path", d=path, class_=f"{'dots large' if is_point else 'line'} {style}")


def legend(entries: Sequence[tuple[str, Html]]) -> Html:
    """Names with samples of what is drawn, 28 wide and 12 high."""
    kept = {"viewBox": "0 0 28 12", "aria_hidden": "true", "class_": "swatch"}
    items = [tag("li", tag("svg", drawn, **kept), name) for name, drawn in entries]
    return tag("ul", items, class_="legend")
