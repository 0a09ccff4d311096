"""Runs to draw plots of, and what to ask of a plot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, Tick
from matplotlib.figure import Figure
from matplotlib.text import Text
from systems import trained

from bpcli.plots import PLOTS, figure_of
from bpcli.plots.base import BARE
from bpcli.plots.heading import DETAILS, TITLE
from bpcli.plots.style import house_style
from bpcli.runs.metrics_log import LogLine
from bpcli.runs.subject import Subject
from bpcli.workflows.subject import load_subject


def subject_of(tmp_path: Path, config: str, **overrides: object) -> Subject:
    """A shipped config, trained with these overrides."""
    return load_subject(trained(tmp_path, config, **overrides).run, "best", None)


def logged(subject: Subject, *lines: dict[str, Any], **record: Any) -> Subject:
    """The same run with another log and other entries of its record."""
    numbered = [log_line({"epoch": epoch, **line}) for epoch, line in enumerate(lines)]
    return replace(subject, lines=numbered, record=replace(subject.record, **record))


def log_line(numbers: dict[str, Any]) -> LogLine:
    """A line with these numbers, and as little else as there must be."""
    least = {"loss": None, "grad_norm": None, "grad_norms": [], "seconds": 0.0}
    return LogLine(**LogLine.of_file(least | numbers))


@contextmanager
def drawn(kind: str, subject: Subject) -> Iterator[Figure]:
    """A plot, of which nothing is laid out yet."""
    with house_style():
        yield figure_of(kind, subject)


def laid_out(kind: str, subject: Subject) -> Figure:
    """A plot, laid out; nothing of it is outside."""
    assert PLOTS[kind]().why_not(subject) is None
    with drawn(kind, subject) as figure:
        check_axes(figure)
        check_room(figure)
        return figure


def check_axes(figure: Figure) -> None:
    """Every axes shows data and names what is along it."""
    assert figure.axes
    title, details = heading_texts(figure)
    assert title[:1].isupper()
    assert details, "the run's name"
    for axes in figure.axes:
        if is_colorbar(axes):
            assert axes.get_xlabel() or axes.get_ylabel()
        else:
            assert axes.has_data() or (axes.get_gid() == BARE and axes.texts)
            assert axes.get_gid() == BARE or is_named(axes)


def entries(figure: Figure) -> list[str]:
    """The texts of the only legend of a figure."""
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def points(axes: Axes, label: str) -> list[tuple[float, float]]:
    """The points of the only line with a label."""
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return [(float(x), float(y)) for x, y in np.transpose(line.get_data())]


def check_room(figure: Figure) -> None:
    """Nothing is cut off, and no panel is squeezed to nothing."""
    figure.draw_without_rendering()
    box, whole = figure.get_tightbbox(), figure.bbox_inches
    assert box.x0 >= -0.02, box
    assert box.y0 >= -0.02, box
    assert box.x1 <= whole.width + 0.02, (box, whole)
    assert box.y1 <= whole.height + 0.02, (box, whole)
    check_texts(figure)
    for axes in figure.axes:
        assert min(axes.bbox.width, axes.bbox.height) > (5 if is_colorbar(axes) else 60), axes


_TOUCHING = 1.5
"""Texts whose boxes overlap by less, in points, are beside each other: boxes have empty edges."""


def check_texts(figure: Figure) -> None:
    """No text is outside the figure, and none is on another one; boxes of slanted ones say less."""
    shown = [(text, text.get_window_extent()) for text in shown_texts(figure)]
    points = figure.dpi / 72
    for text, box in shown:
        assert box.x0 >= -points, text
        assert box.y0 >= -points, text
        assert box.x1 <= figure.bbox.width + points, text
        assert box.y1 <= figure.bbox.height + points, text
    straight = [(text, box) for text, box in shown if text.get_rotation() % 90 == 0]
    for (text, box), (other, of_other) in combinations(straight, 2):
        width = min(box.x1, of_other.x1) - max(box.x0, of_other.x0)
        height = min(box.y1, of_other.y1) - max(box.y0, of_other.y0)
        overlap = min(width, height) / points
        assert overlap < _TOUCHING or is_heading(text, other), (text, other, overlap)


def shown_texts(figure: Figure) -> list[Text]:
    """The texts that can be seen: the labels of ticks beyond the limits of an axis cannot."""
    hidden = {id(text) for axes in figure.axes for text in hidden_labels(axes)}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_text().strip() and text.get_visible() and id(text) not in hidden
    ]


def hidden_labels(axes: Axes) -> Iterator[Text]:
    """The labels of axes that are not drawn."""
    for axis in (axes.xaxis, axes.yaxis):
        if not (axes.axison and axis.get_visible()):
            yield from axis.findobj(Text)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not is_within(axis, tick):
                yield from (tick.label1, tick.label2)


def is_within(axis: Axis, tick: Tick) -> bool:
    low, high = sorted(axis.get_view_interval())
    return bool(low - 1e-9 * abs(low) <= tick.get_loc() <= high + 1e-9 * abs(high))


def heading_texts(figure: Figure) -> tuple[str, str]:
    """The title and the details of a figure's heading, each as one line."""
    details = [each.get_text() for each in figure.findobj(Text) if each.get_gid() == DETAILS]
    return " ".join(figure.get_suptitle().split()), " ".join(" ".join(details).split())


def is_heading(text: Text, other: Text) -> bool:
    """Whether both are parts of a heading: the title has empty lines for the details."""
    return {text.get_gid(), other.get_gid()} == {TITLE, DETAILS}


def is_named(axes: Axes) -> bool:
    """Whether each axis has a label, here or on the axes that share it."""
    across = axes.get_shared_x_axes().get_siblings(axes)
    down = axes.get_shared_y_axes().get_siblings(axes)
    return any(each.get_xlabel() for each in across) and any(each.get_ylabel() for each in down)


def is_colorbar(axes: Axes) -> bool:
    return axes.get_label() == "<colorbar>"
