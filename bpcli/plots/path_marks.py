"""Marks on the path of the parameters: start, best epoch, end, and the epochs 1, 10, 100 …"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes
from bpcli.plots.style import COLOURS, INK
from bpcli.runs.run_json import RunRecord
from bpcli.runs.subject import some_rows


class Mark(NamedTuple):
    """An epoch that is marked on the path."""

    epoch: int
    label: str
    marker: str
    size: int


def marks(record: RunRecord, last: int) -> list[Mark]:
    """Start, end and best epoch, then the epochs 1, 10, 100 …, of a path up to epoch `last`."""
    best = record.best_epoch if record.has_results else last
    end = f"end{' and best' * (best == last)}: epoch {last:,}"
    named = [Mark(0, f"start{' and best' * (best == 0)}", "s", 9), Mark(last, end, "*", 15)]
    if 0 < best < last:
        named.append(Mark(best, f"best: epoch {best:,}", "D", 8))
    powers = [10**k for k in range(len(str(last))) if 10**k < last and 10**k != best]
    return named + [Mark(epoch, f"epoch {epoch:,}", "o", 6) for epoch in powers]


def mark_epochs(axes: Axes, coordinates: Array, every: list[Mark]) -> None:
    """Draw the marks and write their labels; those of dots are left out where there is no room."""
    positions = _on_paper(axes, coordinates)
    places = label_places(positions, [(mark.epoch, mark.label) for mark in every])
    for mark, (dx, dy, is_free) in zip(every, places, strict=True):
        is_dot = mark.marker == "o"
        axes.plot(
            *coordinates[[mark.epoch]].T, linestyle="none", marker=mark.marker,
            markersize=mark.size, zorder=4 if is_dot else 4.5, color=INK if is_dot else COLOURS[1],
            markeredgecolor="white", markeredgewidth=1.2,
        )  # fmt: skip
        if is_free or not is_dot:
            axes.annotate(
                mark.label, coordinates[mark.epoch], xytext=(72 * dx, 72 * dy), zorder=5,
                textcoords="offset points", ha="center", va="center", fontsize=8.5, color=INK,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.2},
            )  # fmt: skip


_PAPER = (5.3, 4.3)
"""The approximate size of the axes in inches."""

_LETTER, _LINE = 0.07, 0.18
"""The approximate width of a letter and height of a label in inches."""

_DISTANCE = 0.2
"""The distance of a label from its mark in inches."""


def _on_paper(axes: Axes, coordinates: Array) -> Array:
    """Coordinates as inches from the lower left corner of the axes."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    relative = (coordinates - [left, bottom]) / [right - left, top - bottom]
    return np.asarray(relative * _PAPER)


def label_places(path: Array, labels: Sequence[tuple[int, str]]) -> list[tuple[float, float, bool]]:
    """For each label of a row of a path (n, 2): the shift of its middle, and whether it is free.

    All is in inches. Of eight places around the row, a label takes the one that covers least: no
    other label or mark if possible, no edge, and few points of the path.
    """
    thin = path[some_rows(len(path), 400)]
    others = path[[row for row, _ in labels]]
    taken: list[tuple[float, float, float]] = []
    places = []
    for row, label in labels:
        half = _LETTER * len(label) / 2
        shifts = [
            (across * (half + _DISTANCE), up * _DISTANCE)
            for across, up in ((1, 0), (-1, 0), (0, 1), (0, -1))
        ] + [(across * half, up * _DISTANCE) for across in (1, -1) for up in (1, -1)]
        costs = [_cost(path[row] + shift, half, taken, others, thin) for shift in shifts]
        best = int(np.argmin(costs))
        places.append((*shifts[best], costs[best] < _CROWDED))
        taken.append((*(path[row] + shifts[best]), half))
    return places


_CROWDED = 1000.0


def _cost(
    middle: Array,
    half: float,
    taken: Sequence[tuple[float, float, float]],
    others: Array,
    path: Array,
) -> float:
    """What a label at a place covers: path points 1 each, marks 100, labels and edges 1000."""
    x, y = middle
    covered = [abs(x - x2) < half + half2 and abs(y - y2) < _LINE for x2, y2, half2 in taken]
    outside = not (half < x < _PAPER[0] - half and _LINE < y < _PAPER[1] - _LINE)

    def inside(points: Array) -> int:
        far = np.abs(points - middle)
        return int(((far[:, 0] < half) & (far[:, 1] < _LINE / 2)).sum())

    bad = sum(covered) + outside
    return float(_CROWDED * bad + 100 * inside(others) + inside(path))
