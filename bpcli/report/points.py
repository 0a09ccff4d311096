"""Charts of rows: points, and histograms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.report.axes import Axis, clipped, fitted
from bpcli.report.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    SQUARE,
    TOP,
    WIDTH,
    Curve,
    dots,
    figure,
    frame,
    legend,
    line_path,
    plot,
    sample,
)
from bpcli.report.figures import shorts, text_of
from bpcli.report.html import Html, joined, tag
from bpcli.report.words import Words


def point_chart(
    id_: str,
    x: Array,
    y: Array,
    caption: str,
    words: Words,
    *,
    titles: tuple[str, str],
    lines: Sequence[Curve] = (),
    is_square: bool = False,
    numbers: Sequence[int] = (),
) -> Html:
    """Points with lines through them; `numbers` are those of their rows."""
    curves = [line for line in lines if len(line.x) > 2]
    all_x = clipped(np.concatenate([x, *(curve.x for curve in curves)]))
    all_y = clipped(np.concatenate([y, *(curve.y for curve in curves)]))
    if is_square:
        all_x = all_y = np.concatenate([all_x, all_y])
    height = SQUARE if is_square else HEIGHT
    across = fitted(all_x, LEFT, WIDTH - RIGHT)
    up = fitted(all_y, height - BOTTOM, TOP)
    body = [frame(across, up, *titles, height)]
    body.append(tag("path", d=dots(across.at(x), up.at(y)), class_=f"dots s0 {_size(len(x))}"))
    body += [_through(line, across, up) for line in lines]
    data = {
        "kind": "points",
        "x": [across.low, across.high, across.start, across.end],
        "y": [up.low, up.high, up.start, up.end],
        "names": [words("page.row"), *titles],
        "points": [list(numbers), shorts(x), shorts(y)],
    }
    entries = [(line.name, sample("guide" if line.style < 0 else "fit")) for line in lines]
    below = legend(entries) if len(entries) > 1 else None
    return figure(id_, plot(body, caption, height), caption, words, below, data=data)


def _size(count: int) -> str:
    return "large" if count <= 60 else "" if count <= 400 else "small"


def _through(line: Curve, x: Axis, y: Axis) -> Html:
    """A curve, or a straight line between two points."""
    if len(line.x) == 2:
        return _straight(line, x, y)
    return tag("path", d=line_path(x.at(line.x), y.at(clipped(line.y))), class_="line fit")


def _straight(line: Curve, x: Axis, y: Axis) -> Html:
    """A line between two points, cut at the frame."""
    (x1, x2), (y1, y2) = x.at(line.x).tolist(), y.at(line.y).tolist()
    if y1 != y2:
        ends = sorted((limit - y1) / (y2 - y1) for limit in (y.start, y.end))
        low, high = max(0.0, ends[0]), min(1.0, ends[1])
        x1, x2, y1, y2 = (
            x1 + low * (x2 - x1), x1 + high * (x2 - x1),
            y1 + low * (y2 - y1), y1 + high * (y2 - y1),
        )  # fmt: skip
    style = "guide" if line.style < 0 else "line fit"
    return tag("path", d=f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", class_=style)


_BINS = 20


def histogram(
    id_: str,
    groups: Sequence[tuple[str, Array]],
    caption: str,
    words: Words,
    *,
    titles: tuple[str, str],
) -> Html:
    """Stacked bars of the numbers of values in equal intervals, one group over the other."""
    values = clipped(np.concatenate([each for _, each in groups]))
    finite = values[np.isfinite(values)]
    edges = _edges(finite, _BINS)
    counts = np.array([np.histogram(clipped(each), edges)[0] for _, each in groups])
    across = Axis(edges[0], edges[-1], LEFT, WIDTH - RIGHT)
    up = Axis(0.0, float(counts.sum(axis=0).max()) * 1.05 or 1.0, HEIGHT - BOTTOM, TOP)
    names = [name for name, _ in groups]
    bars = [_bar(edges, counts, number, names, across, up, words) for number in range(_BINS)]
    body = [frame(across, up, *titles), tag("g", bars, class_="bars")]
    if edges[0] < 0 < edges[-1]:
        zero = across.position(0)
        body.append(tag("path", d=f"M{zero:.1f} {TOP}V{HEIGHT - BOTTOM}", class_="mark"))
    below = _bar_legend(names) if len(groups) > 1 else None
    return figure(id_, plot(body, caption), caption, words, below)


def _edges(values: Array, bins: int) -> list[float]:
    low, high = (float(values.min()), float(values.max())) if len(values) else (-1.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges: list[float] = np.linspace(low, high, bins + 1).tolist()
    return edges


def _bar(
    edges: Sequence[float],
    counts: Array,
    bin_number: int,
    names: Sequence[str],
    x: Axis,
    y: Axis,
    words: Words,
) -> Html:
    left, right = x.position(edges[bin_number]), x.position(edges[bin_number + 1])
    tops = np.concatenate([[0], np.cumsum(counts[:, bin_number])])
    parts = [
        tag(
            "rect",
            x=f"{left + 0.5:.1f}",
            y=f"{y.position(tops[group + 1]):.1f}",
            width=f"{max(0.5, right - left - 1):.1f}",
            height=f"{y.position(tops[group]) - y.position(tops[group + 1]):.1f}",
            class_=f"fill{group}",
        )
        for group in range(len(names))
        if counts[group, bin_number]
    ]
    said = ", ".join(
        f"{name} {count:,}"
        for name, count in zip(names, counts[:, bin_number].tolist(), strict=True)
    )
    where = words("page.range", low=text_of(edges[bin_number]), high=text_of(edges[bin_number + 1]))
    return tag("g", parts, data_say=f"{where}: {said}") if parts else joined()


def _bar_legend(names: Sequence[str]) -> Html:
    bars = [
        tag("rect", x=4, width=20, y=1, height=10, class_=f"fill{position}")
        for position in range(len(names))
    ]
    return legend(list(zip(names, bars, strict=True)))
