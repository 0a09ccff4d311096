"""What the kept weights compute over one or two inputs, beside the rows of the split to show."""

from __future__ import annotations

import numpy as np

from bpcli.report.axes import Axis
from bpcli.report.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    SQUARE,
    TOP,
    WIDTH,
    Curve,
    frame,
    legend,
    plot,
)
from bpcli.report.html import Html, joined, tag
from bpcli.report.phrases import cut, split_text
from bpcli.report.points import point_chart
from bpcli.report.scrubber.pictures import Curves, Field, Points, picture_of, points_of
from bpcli.report.scrubber.plane import SIDE, mark_of, marks
from bpcli.report.values import MOST_DRAWN, row_numbers
from bpcli.report.words import Words
from bpcli.runs.subject import Subject, some_rows


def picture_part(subject: Subject, words: Words) -> Html | None:
    """The curve of one target over one input, or the regions of classes over two; else None."""
    experiment = subject.experiment
    picture = picture_of(subject, subject.params[np.newaxis])
    if isinstance(picture, Field) and experiment.preprocessor.class_names:
        drawing = _regions(subject, picture, words)
    elif isinstance(picture, Curves) and len(experiment.table.target_names) == 1:
        drawing = _curve(subject, picture, words)
    else:
        return None
    return joined(tag("h3", words("picture.title")), tag("div", drawing, class_="charts"))


def _curve(subject: Subject, picture: Curves, words: Words) -> Html:
    values = subject.rows.values
    assert values is not None, "there is a target that is a number"
    rows = some_rows(len(values), MOST_DRAWN)
    X = np.asarray(subject.experiment.table.X[subject.rows.index[rows]], np.float64)
    over = np.linspace(*picture.window[:2], picture.values.shape[2])
    split = split_text(subject.split, words)
    lines = [Curve(words("picture.network"), over, picture.values[0, 0], 1)]
    return point_chart(
        "picture", X[:, 0], values[rows, 0], words("picture.curve", split=split), words,
        titles=(subject.experiment.table.input_names[0], subject.experiment.table.target_names[0]),
        lines=lines, numbers=row_numbers(subject, subject.split, rows),
    )  # fmt: skip


def _regions(subject: Subject, picture: Field, words: Words) -> Html:
    points = points_of(subject, picture, subject.split)
    caption = words("picture.regions", split=split_text(subject.split, words))
    if points.rows < points.total:
        drawn, count = f"{points.rows:,}", f"{points.total:,}"
        caption += words("values.drawn", drawn=drawn, count=count)
    names = subject.experiment.preprocessor.class_names
    entries = [(cut(name), mark_of(label)) for label, name in enumerate(names)]
    return tag(
        "figure",
        tag("figcaption", caption),
        plot([_area(subject, picture, points)], caption, SQUARE),
        legend(entries),
        id="picture",
    )


def _area(subject: Subject, picture: Field, points: Points) -> Html:
    left, right, bottom, top = picture.window
    x = Axis(left, right, LEFT, WIDTH - RIGHT)
    y = Axis(bottom, top, SQUARE - BOTTOM, TOP)
    across, up = (cut(name) for name in subject.experiment.table.input_names[:2])
    image = tag(
        "image", href=picture.address_of(0), width=SIDE, height=SIDE, preserveAspectRatio="none"
    )
    side = WIDTH - LEFT - RIGHT
    inside = tag(
        "svg", image, tag("g", marks(picture, points), class_="rows"),
        x=LEFT, y=TOP, width=side, height=side, viewBox=f"0 0 {SIDE:g} {SIDE:g}",
    )  # fmt: skip
    return joined(frame(x, y, across, up, SQUARE), inside)
