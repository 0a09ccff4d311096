"""For two inputs: the activation of each hidden unit over their plane."""

from __future__ import annotations

import math

from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.nn.propagation import LayerPass, Workspace, forward_rows
from bpcli.plots.base import Axes, Panel, Plot, panels
from bpcli.plots.outcome import left_out, not_so_many_inputs
from bpcli.plots.plane import MAP, Window, leads
from bpcli.plots.regions import name_axes, original_inputs, window_of
from bpcli.registry import name_of
from bpcli.runs.subject import Subject, some_rows

MOST_UNITS = 36
"""The most units of a layer that are shown."""

_ACROSS = 100
_PANELS_ACROSS = 6
_MOST_POINTS = 300


class HiddenRegions(Plot):
    """The activation of each hidden unit over the plane, with the line z = 0."""

    def why_not(self, subject: Subject) -> str | None:
        if len(subject.network.layers) == 1:
            return "The network has no hidden layer."
        return not_so_many_inputs(subject, 2)

    def title(self, subject: Subject) -> str:
        return "activation of each hidden unit in the plane of the inputs"

    def size(self, subject: Subject) -> tuple[float, float]:
        across = min(_PANELS_ACROSS, max(_units(subject)))
        heights = _heights(subject)
        return max(2.0 * across + 1.4, 6.0), 2.0 * sum(heights) + 0.7 * len(heights) + 0.9

    def draw(self, figure: Panel, subject: Subject) -> None:
        window = window_of(subject, _ACROSS)
        work = Workspace(subject.network, subject.params)
        forward_rows(work, subject.experiment.preprocessor.inputs.apply(window.grid))
        heights = _heights(subject)
        bands = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
        for number, (band, layer) in enumerate(zip(bands, work.layers, strict=False), start=1):
            _draw_layer(band, subject, window, layer, number)


def _units(subject: Subject) -> list[int]:
    """The number of shown units of each hidden layer."""
    return [min(layer.units, MOST_UNITS) for layer in subject.network.layers[:-1]]


def _heights(subject: Subject) -> list[int]:
    """Rows of panels for each hidden layer."""
    return [-(-units // _PANELS_ACROSS) for units in _units(subject)]


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
    band: Panel, subject: Subject, window: Window, layer: LayerPass, number: int
) -> None:
    """Draw one panel per unit, all on one scale, so that constant units are visible."""
    count = layer.layer.units
    every = panels(band, min(count, MOST_UNITS), _PANELS_ACROSS)
    low, high = layer.activation.bounds
    if math.isinf(low) or math.isinf(high):
        low, high = float(layer.a.min()), float(layer.a.max())
    X = original_inputs(subject)
    X = X[some_rows(len(X), _MOST_POINTS)]
    for unit, axes in enumerate(every):
        image = axes.imshow(
            window.image(layer.a[unit]), origin="lower", extent=window.extent, aspect="auto",
            cmap=MAP, vmin=low, vmax=high if high > low else low + 1,
        )  # fmt: skip
        for line in unit_lines(layer, unit):
            _draw_line(axes, window, window.image(line))
        axes.plot(
            *X.T,
            ".",
            color="white",
            markersize=3 if len(X) > 50 else 7,
            markeredgecolor="black",
            markeredgewidth=0.3,
        )
        axes.set_title(f"unit {unit + 1}", fontsize="small")
        _share(axes, every, unit)
        name_axes(axes, subject)
    band.colorbar(image, ax=every).set_label("activation a")
    band.suptitle(_layer_title(layer, number), fontsize="small")


def _share(axes: Axes, every: list[Axes], unit: int) -> None:
    """Share the axes of all units; show ticks only at the left and the bottom."""
    axes.tick_params(labelsize="x-small")
    if unit:
        axes.sharex(every[0])
        axes.sharey(every[0])
    axes.yaxis.set_visible(unit % _PANELS_ACROSS == 0)
    axes.xaxis.set_visible(unit + _PANELS_ACROSS >= len(every))


def _draw_line(axes: Axes, window: Window, values: Array) -> None:
    """Draw the line where the values are 0, if there is one."""
    from matplotlib.patheffects import withStroke

    if values.min() < 0 < values.max():
        line = axes.contour(window.x1, window.x2, values, levels=[0], colors="black", linewidths=1)
        line.set_path_effects([withStroke(linewidth=2.2, foreground="white")])


def _layer_title(layer: LayerPass, number: int) -> str:
    units = layer.layer.units
    remarks = [
        f"hidden layer {number}: {name_of(ACTIVATIONS, layer.activation)}",
        _meaning_of_lines(layer.activation),
        left_out(min(units, MOST_UNITS), units, "units drawn"),
    ]
    return "; ".join(filter(None, remarks))
