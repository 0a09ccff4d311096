"""The confusion matrix: the number of rows of each true and predicted class, with totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bpcli.data.types import Labels
from bpcli.metrics.confusion import confusion_counts, row_shares
from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, Plot
from bpcli.plots.outcome import no_classes, note
from bpcli.plots.style import COLOURS, INK, literal
from bpcli.runs.subject import Subject

_WITH_SHARES = 12
"""The most classes for which a cell has room for its share of the row below its count."""

_WITH_COUNTS = 30
"""The most classes for which a cell has room for its count."""

_CORRECT, _WRONG, _TOTAL = COLOURS[0], COLOURS[1], "#F2F2F2"


class Confusion(Plot):
    """Counts with totals, coloured by the share of the true class's rows: blue if correct."""

    def why_not(self, subject: Subject) -> str | None:
        return no_classes(subject)

    def title(self, subject: Subject) -> str:
        return "Confusion matrix"

    def details(self, subject: Subject) -> Sequence[str]:
        counts = _counts(subject)
        right, rows = int(np.trace(counts)), int(counts.sum())
        correct = f"{right:,} of {rows:,} rows correct ({100 * right / rows:.1f} %)"
        return f"{subject.split_name} set", correct

    def size(self, subject: Subject) -> tuple[float, float]:
        side = side_of(len(_class_names(subject)))
        return max(side + 1.9, 5.4), side + 1.9

    def draw(self, figure: Panel, subject: Subject) -> None:
        names, counts = _class_names(subject), _counts(subject)
        draw_matrix(figure.subplots(), counts, names)
        note(figure, _KEY if len(names) <= _WITH_COUNTS else "", _without_rows(subject, counts))


_KEY = "Totals: recall of each true class on the right, precision of each predicted class below"


def _cell(count: int) -> float:
    """The side of a cell in inches."""
    return 1.0 if count <= 5 else 0.62 if count <= _WITH_SHARES + 1 else 0.42


def side_of(count: int) -> float:
    """The side of the matrix of so many classes in inches, with its totals."""
    return min(max(3.0, (count + 1) * _cell(count + 1)), 13)


def draw_matrix(axes: Axes, counts: Labels, names: tuple[str, ...]) -> None:
    """Draw the matrix, true classes down; with totals and numbers unless there are too many."""
    _draw_cells(axes, counts)
    _name_classes(axes, names)
    if len(names) <= _WITH_COUNTS:
        _write_counts(axes, counts)
        _write_totals(axes, counts)


def _counts(subject: Subject) -> Labels:
    labels, classes = subject.rows.labels, subject.predictions.classes
    assert labels is not None, "there are classes"
    assert classes is not None, "there are classes"
    return confusion_counts(labels, classes, len(_class_names(subject)))


def _class_names(subject: Subject) -> tuple[str, ...]:
    return subject.experiment.preprocessor.class_names


def _percent(share: float, _: object = None) -> str:
    return f"{100 * share:.0f} %"


def _without_rows(subject: Subject, counts: Labels) -> str:
    missing = int((counts.sum(axis=1) == 0).sum())
    classes = "class has" if missing == 1 else "classes have"
    return f"{missing} {classes} no rows in the {subject.split_name} set" if missing else ""


def _draw_cells(axes: Axes, counts: Labels) -> None:
    """Draw a square for each pair of classes, and grey ones for totals, with white gaps."""
    from matplotlib.colors import to_rgb

    count = len(counts)
    has_totals = count <= _WITH_COUNTS
    side = count + has_totals
    cells = np.empty((side, side, 3))
    cells[:] = to_rgb(_TOTAL)
    is_correct = np.eye(count, dtype=bool)[..., np.newaxis]
    hues = np.where(is_correct, to_rgb(_CORRECT), to_rgb(_WRONG))
    cells[:count, :count] = 1 - _strength(row_shares(counts))[..., np.newaxis] * (1 - hues)
    axes.imshow(cells, interpolation="none")
    borders = np.arange(side + 1) - 0.5
    width = 1.6 if count <= 20 else 0.6
    axes.hlines(borders, -0.5, side - 0.5, color="white", linewidth=width)
    axes.vlines(borders, -0.5, side - 0.5, color="white", linewidth=width)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _strength(shares: Array) -> Array:
    """How strong the colours of shares are; that of a small one differs from that of none."""
    strengths: Array = 0.04 + 0.1 * (shares > 0) + 0.86 * shares
    return strengths


def _name_classes(axes: Axes, names: tuple[str, ...]) -> None:
    count = len(names)
    step = -(-count // _WITH_COUNTS)
    ticks = list(range(0, count, step))
    shown = [literal(names[tick], 18) for tick in ticks]
    if count <= _WITH_COUNTS:
        ticks, shown = [*ticks, count], [*shown, "total"]
    is_wide = max(map(len, shown)) * 0.085 > _cell(count + 1)
    size = 9.5 if count <= 12 else 8
    axes.set_xticks(ticks, shown, rotation=90 if is_wide else 0, fontsize=size)
    axes.set_yticks(ticks, shown, fontsize=size)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")


def _sizes(count: int) -> tuple[float, float]:
    """The font sizes of counts and of shares for so many classes."""
    return (14, 9.5) if count <= 4 else (9.5, 7.5) if count <= _WITH_SHARES else (7.5, 6)


def _write_counts(axes: Axes, counts: Labels) -> None:
    """The count, with its share of the row if there is room; nothing for a count of 0."""
    shares = row_shares(counts)
    is_dark = np.diag(np.diag(_strength(shares) > 0.5))
    for row, column in np.argwhere(counts):
        share = shares[row, column]
        text = _percent(share) if len(counts) <= _WITH_SHARES else ""
        colour = "white" if is_dark[row, column] else INK
        _write(axes, row, column, f"{counts[row, column]:,}", text, colour, len(counts))


def _write_totals(axes: Axes, counts: Labels) -> None:
    """The rows of each true and each predicted class, with recall and precision."""
    count, right = len(counts), np.diag(counts)
    for number in range(count):
        for row, column, whole in (
            (number, count, counts[number].sum()), (count, number, counts[:, number].sum())
        ):  # fmt: skip
            share = _percent(right[number] / whole) if whole else "–"
            _write(axes, row, column, f"{whole:,}", share, INK, count)
    whole = counts.sum()
    _write(axes, count, count, f"{whole:,}", _percent(right.sum() / whole), INK, count)


def _write(
    axes: Axes, row: int, column: int, number: str, share: str, colour: str, count: int
) -> None:
    """Write a number, with a share in smaller type below it, into a cell."""
    large, small = _sizes(count)
    style: dict[str, Any] = {"ha": "center", "color": colour}
    if not share:
        axes.text(column, row, number, va="center", fontsize=large, **style)
        return
    axes.text(column, row - 0.02, number, va="bottom", fontsize=large, **style)
    axes.text(column, row + 0.06, share, va="top", fontsize=small, **style)
