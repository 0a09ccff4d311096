"""The weights and the activations of each layer: histograms, and of few numbers all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, Plot, legend_below, panels
from bpcli.plots.curves import layer_label, layers_shown, of_layers
from bpcli.plots.style import COLOURS, CURVE_WIDTH, FAINT, INK
from bpcli.runs.subject import MOST_ROWS, Subject

_ACROSS = 4

FEW = 50
"""Fewer numbers than this are drawn one by one."""


class LayerPlot(Plot):
    """One panel per layer; for very deep networks, only for some layers."""

    shows_training = True

    def size(self, subject: Subject) -> tuple[float, float]:
        count = len(layers_shown(subject))
        across = _across(count)
        return (max(6.4, 3.3 * across), 2.7 * -(-count // across) + 1.4)

    def _panels(self, figure: Panel, subject: Subject) -> Iterator[tuple[int, Axes]]:
        numbers = layers_shown(subject)
        every = panels(figure, len(numbers), _across(len(numbers)))
        for number, axes in zip(numbers, every, strict=True):
            axes.set_title(layer_label(subject.record.layers, number))
            yield number, axes


def _across(count: int) -> int:
    """Panels per row: few empty places, then few rows."""
    if count <= _ACROSS:
        return count
    return min((_ACROSS, _ACROSS - 1), key=lambda across: (-count % across, -across))


class WeightHistograms(LayerPlot):
    """The weights of each layer, at initialisation and at the chosen epoch."""

    def title(self, subject: Subject) -> str:
        return "Weights of each layer"

    def details(self, subject: Subject) -> Sequence[str]:
        return (f"at initialisation and at the {epoch_text(subject)}{of_layers(subject)}",)

    def draw(self, figure: Panel, subject: Subject) -> None:
        initial = dict(subject.network.tensors(subject.experiment.initial_params))
        trained = dict(subject.network.tensors(subject.params))
        every = []
        for number, axes in self._panels(figure, subject):
            before, after = (tensors[f"W{number + 1}"].ravel() for tensors in (initial, trained))
            if after.size < FEW:
                _draw_moves(axes, before, after, subject)
            else:
                _draw_histograms(axes, before, after, subject)
            axes.set_xlabel(f"weight, entry of W{number + 1}")
            every.append(axes)
        legend_below(figure, *_with_all_labels(every))


def _with_all_labels(every: list[Axes]) -> list[Axes]:
    """The first axes with each kind of legend."""
    kinds = {tuple(axes.get_legend_handles_labels()[1]): axes for axes in reversed(every)}
    return [axes for axes in every if axes in kinds.values()]


def _draw_moves(axes: Axes, before: Array, after: Array, subject: Subject) -> None:
    """Draw each weight at initialisation and at the chosen epoch, with a line between them."""
    rows = np.array([[0.0], [1.0]])
    axes.plot(
        [before, after], np.broadcast_to(rows, (2, len(after))), color=FAINT, linewidth=1, zorder=1
    )
    axes.plot(
        before, np.zeros(len(before)), "o", markersize=6, color="white", linestyle="none",
        markeredgecolor=COLOURS[1], markeredgewidth=1.5, label="one weight, initialisation",
    )  # fmt: skip
    axes.plot(
        after, np.ones(len(after)), "o", markersize=6, color=COLOURS[0], linestyle="none",
        markeredgecolor="white", label=f"one weight, {epoch_text(subject)}",
    )  # fmt: skip
    axes.set_yticks([0, 1], ["0", f"{_epoch(subject):,}"])
    axes.set_ylim(-0.4, 1.4)
    axes.margins(x=0.08)
    axes.set_ylabel("epoch")


def _draw_histograms(axes: Axes, before: Array, after: Array, subject: Subject) -> None:
    edges = bin_edges(np.concatenate([before, after]), len(after))
    fill(axes, after, edges, epoch_text(subject))
    axes.stairs(
        np.histogram(before, edges)[0], edges, color=COLOURS[1], linewidth=CURVE_WIDTH,
        linestyle="dashed", label="initialisation",
    )  # fmt: skip
    _count_axis(axes, "weights")


class ActivationHistograms(LayerPlot):
    """The outputs of each layer's units over the training rows."""

    def title(self, subject: Subject) -> str:
        return "Activations of each layer"

    def details(self, subject: Subject) -> Sequence[str]:
        rows = len(subject.experiment.splits["train"])
        which = f"{rows:,}" if rows <= MOST_ROWS else f"{MOST_ROWS:,} of {rows:,}"
        noun = "training row" if rows == 1 else "training rows"
        return (f"on {which} {noun}, {epoch_text(subject)}{of_layers(subject)}",)

    def draw(self, figure: Panel, subject: Subject) -> None:
        passed = subject.passed("train")
        for number, axes in self._panels(figure, subject):
            a = passed[number].a
            if a.size < FEW:
                _draw_units(axes, a)
            else:
                _draw_activations(axes, a.ravel())
            axes.set_xlabel(f"activation, entry of a{number + 1}")


_MOST_TICKS = 9


def _draw_units(axes: Axes, a: Array) -> None:
    """Draw the activations (units, rows) one by one, with one line per unit."""
    from matplotlib.ticker import MaxNLocator

    units = np.arange(1, len(a) + 1)
    axes.hlines(units, a.min(), a.max(), color=FAINT, linewidth=0.8, zorder=1)
    for unit, values in zip(units, a, strict=True):
        axes.plot(
            values, np.full(len(values), unit), "o", markersize=7, color=COLOURS[0], alpha=0.7,
            markeredgecolor="white", linestyle="none",
        )  # fmt: skip
    axes.set_ylim(len(a) + 0.6, 0.4)
    if len(a) > _MOST_TICKS:
        axes.yaxis.set_major_locator(MaxNLocator(_MOST_TICKS, integer=True))
    else:
        axes.set_yticks(units)
    axes.set_ylabel("unit; one point per row")


def _draw_activations(axes: Axes, a: Array) -> None:
    """Draw a histogram; exact zeros, such as of relu, are counted in words instead."""
    others = a[a != 0]
    if _MANY_ZEROS * len(a) <= len(a) - len(others) < len(a):
        share = 100 * (1 - len(others) / len(a))
        axes.text(
            0.98, 0.97, f"{share:.3g} % are 0,\nnot drawn", ha="right", va="top", fontsize="small",
            transform=axes.transAxes, color=INK,
        )  # fmt: skip
        a = others
    fill(axes, a, bin_edges(a, a.size), "")
    _count_axis(axes, "activations")


_MANY_ZEROS = 0.05
"""The share of exact zeros from which they are not drawn."""


def _count_axis(axes: Axes, what: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_ylabel(f"number of {what}")
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_ylim(bottom=0)


def _epoch(subject: Subject) -> int:
    record = subject.record
    return record.best_epoch if subject.weights == "best" else record.epochs


def epoch_text(subject: Subject) -> str:
    """The epoch of the chosen weights: best epoch (57)."""
    number = f" ({_epoch(subject):,})" if subject.record.has_results else ""
    return f"{subject.weights} epoch{number}"


def fill(axes: Axes, values: Array, edges: Array, label: str) -> None:
    """Draw a filled histogram."""
    counts = np.histogram(values, edges)[0]
    axes.stairs(
        counts, edges, fill=True, facecolor="#B7C9DB", edgecolor=COLOURS[0], linewidth=1,
        label=label,
    )  # fmt: skip


_FEWEST_BINS, _MOST_BINS = 10, 50


def bin_edges(values: Array, count: int) -> Array:
    """The edges of √count bins, within limits."""
    low, high = float(values.min()), float(values.max())
    size = max(abs(low), abs(high))
    if high - low <= 1e-6 * size:  # too narrow for several bins
        low, high = low - (0.1 * size or 0.5), high + (0.1 * size or 0.5)
    bins = int(np.clip(np.sqrt(count), _FEWEST_BINS, _MOST_BINS))
    return 2 * np.linspace(low / 2, high / 2, bins + 1)  # halved: the difference may overflow
