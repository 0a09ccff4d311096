"""For two inputs: the activation of hidden units over their plane.

Of wide layers only the units that differ most are drawn, and of very deep networks only some
layers; the headings say how many are left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.nn.propagation import LayerPass, Workspace, forward_rows
from bpcli.plots.base import Axes, Panel, Plot
from bpcli.plots.heading import SEPARATOR
from bpcli.plots.outcome import left_out, not_so_many_inputs
from bpcli.plots.plane import MAP, Window, leads
from bpcli.plots.points import draw_classes
from bpcli.plots.regions import name_axes, original_inputs, window_of
from bpcli.plots.style import INK
from bpcli.registry import name_of
from bpcli.runs.subject import Subject, some_rows
from bpcli.text import plural

_MOST_LAYERS = 6
_MOST_PANEL_ROWS = 6
"""The most layers, and the most rows of panels of all layers together."""

_FEWEST_ACROSS, _MOST_ACROSS = 4, 6
"""Limits of the panels per row."""

_ACROSS = 100
_MOST_POINTS = 60
_SIDE = 1.75
"""The width of a panel in inches, without labels."""


class HiddenRegions(Plot):
    """The activation of hidden units over the plane, with the line z = 0."""

    shows_training = True

    def why_not(self, subject: Subject) -> str | None:
        if len(subject.network.layers) == 1:
            return "The network has no hidden layer."
        return not_so_many_inputs(subject, 2)

    def title(self, subject: Subject) -> str:
        return "Activation of each hidden unit over the plane of the inputs"

    def details(self, subject: Subject) -> Sequence[str]:
        hidden = len(subject.network.layers) - 1
        rows = len(subject.rows)
        return (
            f"{subject.split_name} set",
            left_out(len(some_rows(rows, _MOST_POINTS)), rows, "rows drawn, evenly spaced"),
            left_out(len(_layers(subject)), hidden, "hidden layers drawn, evenly spaced"),
        )

    def size(self, subject: Subject) -> tuple[float, float]:
        counts = _counts(subject)
        across, shape = _panels_across(counts), window_of(subject, 2).shape
        return max((_SIDE + 0.1) * across + 1.6, 6.0), sum(_heights(counts, across, shape)) + 0.8

    def draw(self, figure: Panel, subject: Subject) -> None:
        window = window_of(subject, _ACROSS)
        work = Workspace(subject.network, subject.params)
        forward_rows(work, subject.experiment.preprocessor.inputs.apply(window.grid))
        counts = _counts(subject)
        heights = _heights(counts, _panels_across(counts), window.shape)
        bands = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
        for band, number, count in zip(bands, _layers(subject), counts, strict=True):
            layer = work.layers[number]
            _draw_layer(band, subject, window, layer, number, different_units(layer.a, count))


def _layers(subject: Subject) -> list[int]:
    """The hidden layers that are shown, counted from 0: all, or some evenly spaced."""
    shown: list[int] = some_rows(len(subject.network.layers) - 1, _MOST_LAYERS).tolist()
    return shown


def _counts(subject: Subject) -> list[int]:
    """The number of shown units of each shown layer."""
    shown = _layers(subject)
    most = _MOST_ACROSS * max(1, min(3, _MOST_PANEL_ROWS // len(shown)))
    return [min(subject.network.layers[number].units, most) for number in shown]


def _panels_across(counts: list[int]) -> int:
    """Panels per row, the same for all layers: few empty places, then few rows."""
    widest = max(counts)
    if widest <= _MOST_ACROSS:
        return widest
    options = range(_FEWEST_ACROSS, _MOST_ACROSS + 1)
    return min(options, key=lambda across: (sum(-count % across for count in counts), -across))


def _heights(counts: list[int], across: int, shape: float) -> list[float]:
    """The height in inches of each layer's panels, with titles and labels."""
    return [-(-count // across) * (_SIDE * shape + 0.25) + 0.8 for count in counts]


def different_units(a: Array, count: int) -> Labels:
    """The `count` units of activations a (units, samples) that differ most, in order.

    First the unit whose activation varies most, then again and again the one that is least
    correlated, by |r|, with those that are chosen. Units that are constant are all alike.
    """
    centered = a - a.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centered, axis=1)
    is_flat = norms <= 1e-9 * (np.linalg.norm(a, axis=1) + 1e-300)
    unit_length = np.where(is_flat[:, None], 0.0, centered / np.where(is_flat, 1.0, norms)[:, None])
    alike = np.abs(unit_length @ unit_length.T) + np.outer(is_flat, is_flat)
    chosen = [int(norms.argmax())]
    while len(chosen) < count:
        nearest = alike[chosen].max(axis=0)
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
    return np.sort(chosen)


def unit_lines(layer: LayerPass, unit: int) -> Array:
    """Values (lines, samples) that are 0 on the lines of a unit: its z.

    For maxout, the lead of each piece over the others; for softmax, of the unit over the others.
    """
    if layer.activation.mixes_units:
        return leads(layer.z)[[unit]]
    rows = layer.z.reshape(layer.layer.units, -1, layer.z.shape[1])[unit]
    return rows if layer.activation.is_elementwise else leads(rows)


def _meaning_of_lines(activation: Activation) -> str:
    if activation.is_elementwise:
        return "black line: z = 0"
    if activation.mixes_units:
        return "black line: where the unit becomes the largest"
    return "black lines: where another piece becomes the largest"


def _draw_layer(
    band: Panel, subject: Subject, window: Window, layer: LayerPass, number: int, units: Labels
) -> None:
    """Draw one panel per unit, all on one scale, so that constant units are visible."""
    across = _panels_across(_counts(subject))
    every = _grid(band, len(units), across)
    low, high = layer.activation.bounds
    if math.isinf(low) or math.isinf(high):
        low, high = float(layer.a[units].min()), float(layer.a[units].max())
    for position, (axes, unit) in enumerate(zip(every, units, strict=True)):
        image = axes.imshow(
            window.image(layer.a[unit]), origin="lower", extent=window.extent, aspect="auto",
            cmap=MAP, vmin=low, vmax=high if high > low else low + 1,
        )  # fmt: skip
        axes.set_box_aspect(window.shape)
        for line in unit_lines(layer, int(unit)):
            _draw_line(axes, window, window.image(line))
        _draw_rows(axes, subject)
        axes.set_title(f"unit {unit + 1}", fontsize="small", pad=3)
        _share(axes, every, position, across)
        name_axes(axes, subject)
    band.colorbar(image, ax=every, aspect=14 * -(-len(units) // across), fraction=0.04).set_label(
        "activation a"
    )
    band.suptitle(
        _layer_title(layer, number, len(units)), fontsize="medium", x=0.01, ha="left"
    )  # fmt: skip


def _grid(band: Panel, count: int, across: int) -> list[Axes]:
    """`count` axes in rows of `across`, which are as wide if there are fewer."""
    every: list[Axes] = band.subplots(-(-count // across), across, squeeze=False).ravel().tolist()
    for surplus in every[count:]:
        surplus.remove()
    return every[:count]


def _draw_rows(axes: Axes, subject: Subject) -> None:
    """Draw some rows of the split, with the colour and the marker of their class."""
    X, labels = original_inputs(subject), subject.rows.labels
    some = some_rows(len(X), _MOST_POINTS)
    size = 30 if len(some) <= 20 else 9
    if labels is not None:
        draw_classes(axes, subject, X[some], labels[some], size)
    else:
        axes.scatter(
            X[some, 0], X[some, 1], s=size, color="white", edgecolor=INK, linewidth=0.6, zorder=3
        )


def _share(axes: Axes, every: list[Axes], position: int, across: int) -> None:
    """Share the axes of all units; show ticks only at the left and the bottom."""
    axes.grid(visible=False)
    axes.tick_params(labelsize="x-small")
    if position:
        axes.sharex(every[0])
        axes.sharey(every[0])
    axes.yaxis.set_visible(position % across == 0)
    axes.xaxis.set_visible(position + across >= len(every))


def _draw_line(axes: Axes, window: Window, values: Array) -> None:
    """Draw the line where the values are 0, if there is one."""
    from matplotlib.patheffects import withStroke

    if values.min() < 0 < values.max():
        line = axes.contour(window.x1, window.x2, values, levels=[0], colors=INK, linewidths=1.1)
        line.set_path_effects([withStroke(linewidth=2.4, foreground="white")])


def _layer_title(layer: LayerPass, number: int, drawn: int) -> str:
    units, name = layer.layer.units, name_of(ACTIVATIONS, layer.activation)
    remarks = [
        f"Hidden layer {number + 1}: {plural(units, f'{name} unit')}",
        left_out(drawn, units, "units drawn, those that differ most"),
        _meaning_of_lines(layer.activation),
    ]
    return SEPARATOR.join(filter(None, remarks))
