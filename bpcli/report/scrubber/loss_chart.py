"""The loss at each frame as a curve, on which a point runs down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.report.axes import Axis, clipped, fitted, wants_log
from bpcli.report.charts import line_path
from bpcli.report.html import Html, tag
from bpcli.report.scrubber.recording import Recording
from bpcli.report.words import Words

WIDTH, HEIGHT = 500.0, 240.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 14.0, 12.0, 42.0
STYLES = ("first", "second")
"""The classes of the style sheet for the training and the validation set."""


@dataclass(frozen=True, eq=False)
class LossChart:
    """A drawing, and the places of the frames in it: x (F,), and y (F,) for each set."""

    drawing: Html
    x: Array
    y: tuple[Array, ...]


def loss_chart(recording: Recording, words: Words) -> LossChart:
    """The chart of a recording, with the points that the script moves."""
    losses = [
        clipped(each) for each in (recording.losses, recording.val_losses) if each is not None
    ]
    values = np.concatenate(losses)
    across = Axis(0.0, float(recording.epochs[-1]), _LEFT, WIDTH - _RIGHT)
    up = fitted(values, HEIGHT - _BOTTOM, _TOP, is_log=wants_log(values))
    title = words("scrubber.axis.log" if up.is_log else "scrubber.axis.epoch")
    x, y = across.at(recording.epochs), tuple(up.at(each) for each in losses)
    # A point is at the upper edge where its loss is not finite; the line has a gap there.
    places = tuple(np.where(np.isnan(each), _TOP, each) for each in y)
    drawing = tag(
        "svg",
        _axes(across, up, title),
        [tag("path", d=line_path(x, each), class_=f"line {style}")
         for style, each in zip(STYLES, y, strict=False)],
        tag("line", x1=x[-1], x2=x[-1], y1=_TOP, y2=HEIGHT - _BOTTOM, class_="now"),
        [tag("circle", cx=x[-1], cy=each[-1], r=5 - position, class_=f"point {STYLES[position]}")
         for position, each in enumerate(places)],
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="img", aria_label=words("scrubber.loss.label"),
        class_="loss-chart",
    )  # fmt: skip
    return LossChart(drawing, x, places)


def _axes(across: Axis, up: Axis, title: str) -> Iterator[Html]:
    for at, text in up.ticks(5):
        y = f"{at:.1f}"
        yield tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
        yield tag("text", text, x=_LEFT - 8, y=f"{at + 3.5:.1f}", text_anchor="end")
    base = HEIGHT - _BOTTOM
    for at, text in across.ticks(6):
        x = f"{at:.1f}"
        yield tag("line", x1=x, x2=x, y1=base, y2=base + 4, class_="axis")
        yield tag("text", text, x=x, y=base + 16, text_anchor="middle")
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    named = tag("text", title, x=middle, y=HEIGHT - 4, text_anchor="middle", class_="axis")
    yield tag("g", named, class_="ticks")
