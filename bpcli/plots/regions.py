"""For two inputs: the network's prediction over their plane, with the data on top."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bpcli.data.preprocessing import taken
from bpcli.data.types import Labels
from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, Plot, legend_below, panels
from bpcli.plots.outcome import (
    MOST_PANELS,
    is_one_score,
    left_out,
    not_so_many_inputs,
    note,
    outputs_at,
    shown_targets,
    target_names,
)
from bpcli.plots.plane import MAP, Window, leads
from bpcli.plots.points import draw_classes, other, point_size
from bpcli.plots.style import HATCHES, INK, colour, literal
from bpcli.runs.subject import Subject, some_rows

_ACROSS = 200
"""Points of the grid along each axis."""

_TINT = 0.45
"""The fraction of its colour in a class's region, so that its rows stand out."""

_SIDE = 5.0
"""The usual width of the plane in inches."""


def window_of(subject: Subject, across: int = _ACROSS) -> Window:
    """A window around all rows of the table, independent of the shown split."""
    return Window.around(np.asarray(subject.experiment.table.X[:], np.float64), across)


def original_inputs(subject: Subject) -> Array:
    """The inputs (n, d) of the split to show, in original units."""
    return taken(subject.experiment.table.X, subject.rows.index[:])


def name_axes(axes: Axes, subject: Subject) -> None:
    """Label the axes with the inputs' names."""
    x1, x2 = (literal(name, 40) for name in subject.experiment.table.input_names)
    axes.set_xlabel(x1)
    axes.set_ylabel(x2)


def _plane(shape: float, side: float) -> tuple[float, float]:
    """Width and height in inches of a plane of this height by width; tall ones are narrower."""
    width = side / math.sqrt(max(1.0, shape))
    return width, width * shape


class Regions(Plot):
    """Decision regions or the fitted surface in the plane of two inputs."""

    def why_not(self, subject: Subject) -> str | None:
        return not_so_many_inputs(subject, 2)

    def title(self, subject: Subject) -> str:
        return "Predicted values" if subject.rows.labels is None else "Decision regions"

    def details(self, subject: Subject) -> Sequence[str]:
        rows, shown = len(subject.rows), f"{subject.split_name} set"
        if subject.rows.labels is not None:
            shown += f", {int(_is_wrong(subject).sum()):,} of {rows:,} rows misclassified"
        return shown, left_out(len(some_rows(rows)), rows, "rows drawn, evenly spaced")

    def size(self, subject: Subject) -> tuple[float, float]:
        shape = window_of(subject, 2).shape
        if subject.rows.labels is not None:
            width, height = _plane(shape, _SIDE)
            names = len(subject.experiment.preprocessor.class_names)
            return max(width + 1.9, 5.6), height + 1.9 + 0.12 * names
        count = min(subject.network.outputs, MOST_PANELS)
        width, height = _plane(shape, _SIDE if count == 1 else 3.4)
        return (width + 2.0) * min(count, 3), (height + 0.9) * -(-count // 3) + 1.1

    def draw(self, figure: Panel, subject: Subject) -> None:
        if subject.rows.labels is None:
            _draw_surfaces(figure, subject)
        else:
            _draw_regions(figure, subject, subject.rows.labels)


# Classes.


def _is_wrong(subject: Subject) -> Labels:
    """Whether each row is misclassified."""
    classes, labels = subject.predictions.classes, subject.rows.labels
    assert classes is not None, "there are classes"
    assert labels is not None, "there are classes"
    is_wrong: Labels = classes != labels
    return is_wrong


def _draw_regions(figure: Panel, subject: Subject, labels: Labels) -> None:
    axes, window = figure.subplots(), window_of(subject)
    axes.set_box_aspect(window.shape)
    axes.grid(visible=False)
    outputs = outputs_at(subject, window.grid)
    if is_one_score(subject):
        _fill_with_score(figure, axes, subject, window, outputs[:, -1])
    else:
        _fill_with_classes(axes, window, outputs)
    _draw_rows(axes, subject, labels, _is_wrong(subject))
    name_axes(axes, subject)
    legend_below(figure, axes)


def _tint(label: int) -> tuple[float, float, float]:
    """The colour of a class mixed with white."""
    from matplotlib.colors import to_rgb

    red, green, blue = (_TINT * channel + 1 - _TINT for channel in to_rgb(colour(label)))
    return red, green, blue


def _fill_with_score(
    figure: Panel, axes: Axes, subject: Subject, window: Window, score: Array
) -> None:
    """Fill bands of the second class's score, white at the decision boundary ½.

    A score that is no probability is shown from -½ to 1½, around its targets 0 and 1.
    """
    from matplotlib.colors import LinearSegmentedColormap

    experiment = subject.experiment
    name = experiment.output_names[-1]
    bounded = subject.network.layers[-1].activation.gives_probabilities
    levels = np.linspace(0, 1, 11) if bounded else np.linspace(-0.5, 1.5, 11)
    tints = LinearSegmentedColormap.from_list("classes", [_tint(0), (1.0, 1.0, 1.0), _tint(1)])
    image = window.image(score)
    filled = axes.contourf(
        window.x1, window.x2, image, levels=levels, cmap=tints,
        extend="neither" if bounded else "both",
    )  # fmt: skip
    bar = figure.colorbar(filled, ax=axes, ticks=levels[::2] if bounded else [-0.5, 0, 0.5, 1, 1.5])
    bar.set_label(literal(name))
    axes.contour(window.x1, window.x2, image, levels=[0.5], colors=INK, linewidths=1.5)


def _fill_with_classes(axes: Axes, window: Window, outputs: Array) -> None:
    """Fill each class's region with its colour and hatch; draw lines at the boundaries."""
    for label, lead in enumerate(map(window.image, leads(outputs.T))):
        filled = axes.contourf(
            window.x1, window.x2, lead, levels=[0, np.inf], colors=[_tint(label)],
            hatches=[HATCHES[other(label) % len(HATCHES)]],
        )  # fmt: skip
        filled.set(edgecolor="white", linewidth=0)
        axes.contour(window.x1, window.x2, lead, levels=[0], colors=INK, linewidths=1)


def _draw_rows(axes: Axes, subject: Subject, labels: Labels, wrong: Labels) -> None:
    from matplotlib.patheffects import withStroke

    X, some = original_inputs(subject), some_rows(len(labels))
    size = point_size(len(some))
    draw_classes(axes, subject, X[some], labels[some], size)
    missed = some[wrong[some]]
    if len(missed):
        axes.scatter(
            X[missed, 0], X[missed, 1], s=4 * size + 30, marker="o", color="none", edgecolor=INK,
            linewidth=1.2, path_effects=[withStroke(linewidth=3, foreground="white")], zorder=4,
            label=f"misclassified: {int(wrong.sum()):,} of {len(labels):,}",
        )  # fmt: skip


# Values.


def _draw_surfaces(figure: Panel, subject: Subject) -> None:
    window, true = window_of(subject), subject.rows.values
    assert true is not None, "the targets are numbers"
    outputs, some = outputs_at(subject, window.grid), some_rows(len(true))
    X, names, chosen = original_inputs(subject)[some], target_names(subject), shown_targets(true)
    for axes, target in zip(panels(figure, len(chosen), 3), chosen, strict=True):
        surface, values = window.image(outputs[:, target]), true[some, target]
        both = np.append(surface, values)
        levels = _levels(both)
        axes.set_box_aspect(window.shape)
        axes.grid(visible=False)
        filled = axes.contourf(window.x1, window.x2, surface, levels=levels, cmap=MAP)
        axes.scatter(
            X[:, 0], X[:, 1], s=point_size(len(some)), c=values, cmap=MAP, vmin=levels[0],
            vmax=levels[-1], linewidth=0.9, edgecolor="white",
        )  # fmt: skip
        figure.colorbar(filled, ax=axes).set_label(literal(names[target], 40))
        name_axes(axes, subject)
    note(
        figure,
        "Areas show predicted values, points true values on the same scale.",
        left_out(len(chosen), true.shape[1], "targets drawn: those that vary most"),
    )


def _levels(values: Array) -> Array:
    """Round numbers from below the smallest value to above the largest."""
    from matplotlib.ticker import MaxNLocator

    low, high = values.min(), values.max()
    if low == high:
        low, high = low - 1, high + 1
    return np.asarray(MaxNLocator(12).tick_values(low, high))
