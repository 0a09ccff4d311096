"""Rows of data as points over coloured areas: every class stands out, in colour and in grey."""

from __future__ import annotations

from bpcli.data.types import Labels
from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes
from bpcli.plots.style import COLOURS, INK, colour, literal, marker
from bpcli.runs.subject import Subject

_DARK = 0.3
"""The luminance below which a fill has a white outline, so that it is seen on dark areas too."""


def edge_of(fill: str) -> str:
    """The outline of a point: white around dark fills, and dark around light ones."""
    from matplotlib.colors import to_rgb

    red, green, blue = (channel**2.2 for channel in to_rgb(fill))
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < _DARK else INK


def other(label: int) -> int:
    """The index of a class's marker and hatch, which differ between classes of the same colour."""
    return label + label // len(COLOURS)


def point_size(count: int) -> int:
    """The area of a point in square points: smaller if there are many."""
    return 40 if count <= 100 else 26 if count <= 400 else 14


_AREAS = {"s": 0.9, "^": 1.35, "v": 1.35, "D": 0.8, "P": 1.3, "X": 1.3}
"""Factors of the areas of markers, so that all look equally large."""


def draw_classes(axes: Axes, subject: Subject, X: Array, labels: Labels, size: float) -> None:
    """Draw rows (n, 2), each with the colour and the marker of its class."""
    for label, name in enumerate(subject.experiment.preprocessor.class_names):
        own, shape = labels == label, marker(other(label))
        axes.scatter(
            X[own, 0], X[own, 1], s=size * _AREAS.get(shape, 1), marker=shape, color=colour(label),
            linewidth=0.8 if size > 20 else 0.6, edgecolor=edge_of(colour(label)), zorder=3,
            label=f"class {literal(name, 24)}",
        )  # fmt: skip
