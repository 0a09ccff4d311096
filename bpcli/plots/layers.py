"""Histograms of the weights and activations of each layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, Plot, legend_below, panels
from bpcli.plots.curves import layer_label, layers_shown, of_layers
from bpcli.plots.style import COLOURS
from bpcli.runs.subject import MOST_ROWS, Subject

_ACROSS = 4


class LayerHistograms(Plot):
    """One panel per layer; for very deep networks, only for some layers."""

    def size(self, subject: Subject) -> tuple[float, float]:
        count = len(layers_shown(subject))
        return (max(6.4, 3.4 * min(count, _ACROSS)), 2.8 * -(-count // _ACROSS) + 1.2)

    def _panels(self, figure: Panel, subject: Subject) -> Iterator[tuple[int, Axes]]:
        from matplotlib.ticker import MaxNLocator

        numbers = layers_shown(subject)
        for number, axes in zip(numbers, panels(figure, len(numbers), _ACROSS), strict=True):
            axes.yaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_title(layer_label(subject.record.layers, number), fontsize="medium")
            yield number, axes


class WeightHistograms(LayerHistograms):
    """The weights of each layer, at initialisation and at the chosen epoch."""

    def title(self, subject: Subject) -> str:
        return f"weights at initialisation and at the {_epoch(subject)}{of_layers(subject)}"

    def draw(self, figure: Panel, subject: Subject) -> None:
        initial = dict(subject.network.tensors(subject.experiment.initial_params))
        trained = dict(subject.network.tensors(subject.params))
        for number, axes in self._panels(figure, subject):
            before, after = (tensors[f"W{number + 1}"].ravel() for tensors in (initial, trained))
            edges = bin_edges(np.concatenate([before, after]), len(after))
            fill(axes, after, edges, f"{_epoch(subject)}")
            axes.stairs(
                np.histogram(before, edges)[0], edges, color=COLOURS[1], linewidth=1.6,
                linestyle="dashed", label="initialisation",
            )  # fmt: skip
            axes.set_xlabel(f"weight, entry of W{number + 1}")
            axes.set_ylabel("number of weights")
        legend_below(figure, axes)


class ActivationHistograms(LayerHistograms):
    """The outputs of each layer's units over the training rows."""

    def title(self, subject: Subject) -> str:
        rows = len(subject.experiment.splits["train"])
        which = f"{rows:,}" if rows <= MOST_ROWS else f"{MOST_ROWS:,} of {rows:,}"
        noun = "training row" if rows == 1 else "training rows"
        return f"activations on {which} {noun}, {_epoch(subject)}{of_layers(subject)}"

    def draw(self, figure: Panel, subject: Subject) -> None:
        passed = subject.passed("train")
        for number, axes in self._panels(figure, subject):
            a = passed[number].a.ravel()
            fill(axes, a, bin_edges(a, a.size), "")
            axes.set_xlabel(f"activation, entry of a{number + 1}")
            axes.set_ylabel("number of activations")


def _epoch(subject: Subject) -> str:
    record = subject.record
    number = record.best_epoch if subject.weights == "best" else record.epochs
    return f"{subject.weights} epoch" + (f" ({number:,})" if record.has_results else "")


def fill(axes: Axes, values: Array, edges: Array, label: str) -> None:
    """Draw a filled histogram."""
    counts = np.histogram(values, edges)[0]
    axes.stairs(
        counts, edges, fill=True, facecolor="#9CC9E5", edgecolor=COLOURS[0], linewidth=1.2,
        label=label,
    )  # fmt: skip


_FEWEST_BINS, _MOST_BINS = 8, 50


def bin_edges(values: Array, count: int) -> Array:
    """The edges of 2 √count bins, within limits."""
    low, high = float(values.min()), float(values.max())
    size = max(abs(low), abs(high))
    if high - low <= 1e-6 * size:  # too narrow for several bins
        low, high = low - (0.1 * size or 0.5), high + (0.1 * size or 0.5)
    bins = int(np.clip(2 * np.sqrt(count), _FEWEST_BINS, _MOST_BINS))
    return 2 * np.linspace(low / 2, high / 2, bins + 1)  # halved: the difference may overflow
