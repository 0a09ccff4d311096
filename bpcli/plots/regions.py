"""For two inputs: the network's prediction over their plane, with the data on top."""

from __future__ import annotations

import numpy as np

from bpcli.data.preprocessing import taken
from bpcli.data.types import Labels
from bpcli.experiment.output_names import output_names
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
from bpcli.plots.style import COLOURS, HATCHES, colour, literal, marker
from bpcli.runs.subject import Subject, some_rows

_ACROSS = 200
"""Points of the grid along each axis."""

_WHITE = 0.6
"""The fraction of white in the colour of a class's region, so that its rows stand out."""


def window_of(subject: Subject, across: int = _ACROSS) -> Window:
    """A window around all rows of the table, independent of the shown split."""
    return Window.around(np.asarray(subject.experiment.table.X[:], np.float64), across)


def original_inputs(subject: Subject) -> Array:
    """The inputs (n, d) of the split to show, in original units."""
    return taken(subject.experiment.table.X, subject.rows.index[:])


class Regions(Plot):
    """Decision regions or the fitted surface in the plane of two inputs."""

    def why_not(self, subject: Subject) -> str | None:
        return not_so_many_inputs(subject, 2)

    def title(self, subject: Subject) -> str:
        what = "predicted values" if subject.rows.labels is None else "decision regions"
        return f"{what} in the plane of the inputs, with the {subject.split_name} set"

    def size(self, subject: Subject) -> tuple[float, float]:
        if subject.rows.labels is not None:
            return (7.0, 6.0 + 0.1 * len(subject.experiment.preprocessor.class_names))
        count = min(subject.network.outputs, MOST_PANELS)
        return (7.0, 5.6) if count == 1 else (5.0 * min(count, 3), 4.2 * -(-count // 3) + 0.5)

    def draw(self, figure: Panel, subject: Subject) -> None:
        if subject.rows.labels is None:
            _draw_surfaces(figure, subject)
        else:
            _draw_classes(figure, subject, subject.rows.labels)


def name_axes(axes: Axes, subject: Subject) -> None:
    """Label the axes with the inputs' names."""
    x1, x2 = (literal(name, 40) for name in subject.experiment.table.input_names)
    axes.set_xlabel(x1)
    axes.set_ylabel(x2)


# Classes.


def _draw_classes(figure: Panel, subject: Subject, labels: Labels) -> None:
    axes, window = figure.subplots(), window_of(subject)
    outputs = outputs_at(subject, window.grid)
    if is_one_score(subject):
        _fill_with_score(figure, axes, subject, window, outputs[:, -1])
    else:
        _fill_with_classes(axes, window, outputs)
    classes = subject.predictions.classes
    assert classes is not None, "there are classes"
    wrong = classes != labels
    _draw_rows(axes, subject, labels, wrong)
    name_axes(axes, subject)
    legend_below(figure, axes)
    rows = len(labels)
    note(figure, left_out(len(some_rows(rows)), rows, "rows drawn, evenly spaced"))


def _fill_with_score(
    figure: Panel, axes: Axes, subject: Subject, window: Window, score: Array
) -> None:
    """Draw contours of the second class's score, with the decision boundary at ½."""
    experiment = subject.experiment
    name = output_names(subject.network, experiment.preprocessor.class_names, ())[-1]
    activation = subject.network.layers[-1].activation
    levels = np.linspace(0, 1, 11) if activation.gives_probabilities else 12
    image = window.image(score)
    filled = axes.contourf(window.x1, window.x2, image, levels=levels, cmap=MAP)
    figure.colorbar(filled, ax=axes).set_label(literal(name))
    axes.contour(window.x1, window.x2, image, levels=[0.5], colors="white", linewidths=2.5)
    axes.contour(window.x1, window.x2, image, levels=[0.5], colors="black", linewidths=1.2)


def _fill_with_classes(axes: Axes, window: Window, outputs: Array) -> None:
    """Fill each class's region with its colour and hatch; draw lines at the boundaries."""
    from matplotlib import colors

    for label, lead in enumerate(map(window.image, leads(outputs.T))):
        tint = (1 - _WHITE) * np.array(colors.to_rgb(colour(label))) + _WHITE
        filled = axes.contourf(
            window.x1, window.x2, lead, levels=[0, np.inf], colors=[tint],
            hatches=[HATCHES[_other(label) % len(HATCHES)]],
        )  # fmt: skip
        filled.set(edgecolor="white", linewidth=0)
        axes.contour(window.x1, window.x2, lead, levels=[0], colors="black", linewidths=1)


def _draw_rows(axes: Axes, subject: Subject, labels: Labels, wrong: Array) -> None:
    from matplotlib.patheffects import withStroke

    X, some = original_inputs(subject), some_rows(len(labels))
    names = subject.experiment.preprocessor.class_names
    size = 36 if len(some) <= 300 else 14
    for label, name in enumerate(names):
        own = some[labels[some] == label]
        axes.scatter(
            X[own, 0], X[own, 1], s=size, marker=marker(_other(label)), color=_fill(subject, label),
            linewidth=0.7, edgecolor="white" if label == 0 else "black",
            label=f"class {literal(name, 24)}",
        )  # fmt: skip
    missed = some[wrong[some]]
    axes.scatter(
        X[missed, 0], X[missed, 1], s=3.5 * size + 20, marker="o", color="none",
        edgecolor=colour(1), linewidth=1.3,
        path_effects=[withStroke(linewidth=2.8, foreground="white")],
        label=f"misclassified: {int(wrong.sum()):,} of {len(labels):,}",
    )  # fmt: skip


def _other(label: int) -> int:
    """The index of a class's marker and hatch, which differ between classes of the same colour."""
    return label + label // len(COLOURS)


def _fill(subject: Subject, label: int) -> str | tuple[float, ...]:
    """The colour of a class's rows: that of its region."""
    from matplotlib import colormaps

    return colormaps[MAP](float(label)) if is_one_score(subject) else colour(label)


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
        filled = axes.contourf(window.x1, window.x2, surface, levels=levels, cmap=MAP)
        axes.scatter(
            X[:, 0], X[:, 1], s=30 if len(some) <= 300 else 12, c=values, cmap=MAP,
            vmin=levels[0], vmax=levels[-1], linewidth=0.7, edgecolor="white",
        )  # fmt: skip
        figure.colorbar(filled, ax=axes).set_label(literal(names[target], 40))
        name_axes(axes, subject)
    note(
        figure,
        "areas: predicted values; points: true values, on the same scale",
        left_out(len(chosen), true.shape[1], "targets drawn: those that vary most"),
        left_out(len(some), len(true), "rows drawn, evenly spaced"),
    )


def _levels(values: Array) -> Array:
    """Round numbers from below the smallest value to above the largest."""
    from matplotlib.ticker import MaxNLocator

    low, high = values.min(), values.max()
    if low == high:
        low, high = low - 1, high + 1
    return np.asarray(MaxNLocator(12).tick_values(low, high))
