"""Curves of the log along the epochs, and the plots of gradients and of the optimizer.

The plots of loss and metrics are in loss.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, Plot, legend_below, panels
from bpcli.plots.style import CURVE_WIDTH, LineStyle, line_style, literal, ordered_style
from bpcli.runs.run_json import LayerRecord
from bpcli.runs.subject import Need, Subject, some_rows

_MOST_POINTS = 4000
"""The most points of a curve; a plot has fewer pixels."""

_FEW_POINTS = 40
"""The most points that are marked by default."""

_MANY_POINTS = 300
"""So many marks would hide the line between them."""

ACROSS = 3
"""Panels per row."""


def row_size(count: int) -> tuple[float, float]:
    """The size of a plot of `count` panels."""
    return ((7.0, 9.0, 12.0)[min(count, ACROSS) - 1], 4.0 * -(-count // ACROSS) + 0.6)


_LARGEST = 1e250
"""Larger numbers are clipped to this one; numbers below its inverse are drawn as 0."""


class Curves(Plot):
    """A plot of the log alone."""

    needs: ClassVar[tuple[Need, ...]] = ("log",)


class GradientNorms(Curves):
    """The gradient's norm in each layer over the epochs, which shows vanishing gradients."""

    def why_not(self, subject: Subject) -> str | None:
        return None if subject.has_numbers("grad_norms") else is_missing("gradient norms by layer")

    def title(self, subject: Subject) -> str:
        return f"Norm of the gradient of each layer{of_layers(subject)}"

    def size(self, subject: Subject) -> tuple[float, float]:
        return with_legend(row_size(1), subject)

    def draw(self, figure: Panel, subject: Subject) -> None:
        (axes,) = panels(figure, 1)
        epochs, norms = subject.layer_series("grad_norms")
        draw_layers(axes, subject, epochs, norms)
        scale_by_size(axes, norms)
        axes.set_ylabel("Euclidean norm of ∂loss/∂W and ∂loss/∂b")
        legend_below(figure, axes)


class OptimizerDiagnostics(Curves):
    """The optimizer's diagnostics, such as learning rate, step length or damping."""

    def why_not(self, subject: Subject) -> str | None:
        if subject.diagnostics:
            return None
        name = subject.record.optimizer["name"]
        return f"The optimizer {name} logs no learning rate, step length or damping."

    def title(self, subject: Subject) -> str:
        keys = subject.diagnostics
        return _title_of(keys[0]) if len(keys) == 1 else "Diagnostics of the optimizer"

    def details(self, subject: Subject) -> Sequence[str]:
        return (literal(str(subject.record.optimizer["name"])),)

    def size(self, subject: Subject) -> tuple[float, float]:
        return row_size(len(subject.diagnostics))

    def draw(self, figure: Panel, subject: Subject) -> None:
        keys = subject.diagnostics
        for axes, key in zip(panels(figure, len(keys), ACROSS), keys, strict=True):
            epochs, values = subject.series(key)
            draw_curve(axes, epochs, values, line_style(0), "")
            scale_by_size(axes, values)
            if axes.get_yscale() == "linear" and (values > 0).any() and not (values < 0).any():
                axes.set_ylim(bottom=0)
            axes.set_ylabel(literal(key.replace("_", " ")))


def _title_of(key: str) -> str:
    return literal(key.replace("_", " ").capitalize())


def is_missing(what: str) -> str:
    """Why there is no plot: the log of an earlier version does not have what it draws."""
    return f"The log has no {what}: an earlier version of bpnet wrote it. Train the run again."


def draw_layers(axes: Axes, subject: Subject, epochs: Array, values: Array) -> None:
    """Draw one curve per shown layer, from the columns of values (k, layers)."""
    numbers = layers_shown(subject)
    for position, number in enumerate(numbers):
        label = layer_label(subject.record.layers, number)
        style = ordered_style(position, len(numbers))
        draw_curve(axes, epochs, values[:, number], style, label)


_MOST_LAYERS = 24


def layers_shown(subject: Subject) -> list[int]:
    """All layers, counted from 0; of many, the first, the last, and some evenly spaced between."""
    shown: list[int] = some_rows(len(subject.record.layers), _MOST_LAYERS).tolist()
    return shown


def of_layers(subject: Subject) -> str:
    """The end of a title if not all layers are shown."""
    count = len(subject.record.layers)
    return f", {_MOST_LAYERS} of {count} layers" if count > _MOST_LAYERS else ""


def with_legend(size: tuple[float, float], subject: Subject) -> tuple[float, float]:
    """A size with room for a legend of layers."""
    return (size[0], size[1] + 0.06 * len(layers_shown(subject)))


def layer_label(layers: Sequence[LayerRecord], number: int) -> str:
    """A layer, counted from 0, as a legend names it: layer 2: 8 tanh."""
    layer = layers[number]
    return f"layer {number + 1}: {layer.units} {literal(str(layer.activation['name']))}"


def draw_curve(
    axes: Axes,
    epochs: Array,
    values: Array,
    style: LineStyle,
    label: str,
    *,
    is_sparse: bool = False,
) -> None:
    """Draw a curve over the epochs, with gaps where it is not finite; mark points if few.

    A sparse curve has numbers for some epochs only: they are marked, and the line is thin.
    """
    x, y = thinned(epochs, drawable(values))
    most = _MANY_POINTS if is_sparse else _FEW_POINTS
    axes.plot(
        x,
        y,
        color=style.colour,
        linestyle=style.dashes,
        linewidth=1.0 if is_sparse else CURVE_WIDTH,
        marker=style.marker if len(x) <= most else None,
        markersize=3.2 if len(x) > _FEW_POINTS else 4.5,
        markeredgewidth=0,
        label=label,
    )
    label_epochs(axes, epochs)


def drawable(values: Array) -> Array:
    """NaN for numbers that are not finite; very large and small ones clipped for the axis."""
    clipped = np.clip(values, -_LARGEST, _LARGEST)
    small = np.where(np.abs(values) < 1 / _LARGEST, 0.0, clipped)
    return np.where(np.isfinite(values), small, np.nan)


def label_epochs(axes: Axes, epochs: Array) -> None:
    """Set up the horizontal axis for these epochs, even if there is only one."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    first, last = int(epochs[0]), int(epochs[-1])
    room = max(0.5, 0.04 * (last - first))
    axes.set_xlim(first - room, last + room)
    axes.set_xlabel("epoch")
    ticks = 6 if last < 100_000 else 4  # their numbers are wide
    axes.xaxis.set_major_locator(
        MaxNLocator(ticks, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
    )
    axes.xaxis.set_major_formatter(FuncFormatter(_epoch_text))


def _epoch_text(epoch: float, _: int | None) -> str:
    return f"{epoch:,.0f}" if epoch < 1e7 else f"{epoch:.3g}"


def thinned(x: Array, y: Array, most: int = _MOST_POINTS) -> tuple[Array, Array]:
    """A curve of at most `most` points: the first, lowest, highest and last of each interval."""
    if len(x) <= most:
        return x, y
    edges = np.linspace(0, len(x), most // 4 + 1).astype(np.int64)
    low, high = np.where(np.isnan(y), np.inf, y), np.where(np.isnan(y), -np.inf, y)
    kept = {
        index
        for start, stop in pairwise(edges)
        for index in (
            start, start + low[start:stop].argmin(), start + high[start:stop].argmax(), stop - 1
        )
    }  # fmt: skip
    indices = np.array(sorted(kept))
    return x[indices], y[indices]


def scale_by_size(axes: Axes, values: Array) -> None:
    """Use a logarithmic axis for positive values that span more than a factor of 2.

    If there are zeros too, the axis is linear from 0 to the smallest power of ten.
    """
    finite = drawable(values)[np.isfinite(values)]
    positive = finite[finite > 0]
    if not len(positive) or (finite < 0).any():
        return
    ratio = positive.max() / positive.min()
    if len(positive) < len(finite):
        _start_at_zero(axes, positive)
    elif ratio > 2:
        axes.set_yscale("log")
        if ratio < 100:
            _label_between_powers(axes, ratio)


def _start_at_zero(axes: Axes, positive: Array) -> None:
    """Logarithmic above the power of ten below all positive values, linear from there to 0."""
    from matplotlib.ticker import SymmetricalLogLocator

    lowest = math.floor(math.log10(positive.min()))
    powers = math.log10(positive.max()) - lowest
    axes.set_yscale("symlog", linthresh=10.0**lowest, linscale=max(0.5, 0.08 * powers))
    ticks = SymmetricalLogLocator(base=10, linthresh=10.0**lowest)
    ticks.set_params(numticks=9)
    axes.yaxis.set_major_locator(ticks)
    axes.set_ylim(-0.2 * 10.0**lowest, positive.max() * 10 ** (0.05 * powers + 0.05))


def _label_between_powers(axes: Axes, ratio: float) -> None:
    """Label numbers between powers of ten on an axis that has few of them."""
    from matplotlib.ticker import LogLocator, NullLocator

    between = (1, 2, 5) if ratio > 8 else (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    axes.yaxis.set_major_locator(LogLocator(subs=between, numticks=20))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")
