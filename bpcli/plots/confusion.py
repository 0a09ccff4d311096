"""The confusion matrix: the number of rows of each true and predicted class."""

from __future__ import annotations

import numpy as np

from bpcli.data.types import Labels
from bpcli.metrics.confusion import confusion_counts, row_shares
from bpcli.plots.base import Axes, Panel, Plot
from bpcli.plots.outcome import no_classes, note
from bpcli.plots.style import literal
from bpcli.runs.subject import Subject

_WITH_SHARES = 12
"""The most classes for which a cell has room for its share of the row below its count."""

_WITH_COUNTS = 30
"""The most classes for which a cell has room for its count."""


class Confusion(Plot):
    """Counts, coloured by the share of the true class's rows, from white (0) to dark (1)."""

    def why_not(self, subject: Subject) -> str | None:
        return no_classes(subject)

    def title(self, subject: Subject) -> str:
        return f"Confusion matrix, {subject.split_name} set"

    def size(self, subject: Subject) -> tuple[float, float]:
        side = min(4.5 + 0.25 * len(_class_names(subject)), 11)
        return side + 1.2, side

    def draw(self, figure: Panel, subject: Subject) -> None:
        split, names = subject.rows, _class_names(subject)
        classes = subject.predictions.classes
        assert split.labels is not None, "there are classes"
        assert classes is not None, "there are classes"
        counts = confusion_counts(split.labels, classes, len(names))
        axes = figure.subplots()
        # One hue from white to dark blue: its lightness is enough, also in grey.
        image = axes.imshow(row_shares(counts), cmap="Blues", vmin=0, vmax=1)
        bar = figure.colorbar(image, ax=axes, format=_percent)
        bar.set_label("share of the rows of the true class")
        _name_classes(axes, names)
        _write_counts(axes, counts)
        right = int(np.trace(counts))
        axes.set_title(
            f"{right:,} of {len(split):,} rows correct ({100 * right / len(split):.1f} %)",
            fontsize="medium",
        )
        note(figure, _without_rows(subject, counts))


def _class_names(subject: Subject) -> tuple[str, ...]:
    return subject.experiment.preprocessor.class_names


def _percent(share: float, _: object = None) -> str:
    return f"{100 * share:.0f} %"


def _without_rows(subject: Subject, counts: Labels) -> str:
    missing = int((counts.sum(axis=1) == 0).sum())
    classes = "class has" if missing == 1 else "classes have"
    return f"{missing} {classes} no rows in the {subject.split_name} set" if missing else ""


def _name_classes(axes: Axes, names: tuple[str, ...]) -> None:
    step = -(-len(names) // _WITH_COUNTS)
    ticks = range(0, len(names), step)
    shown = [literal(names[tick], 18) for tick in ticks]
    is_wide = sum(map(len, shown)) > 45
    size = "medium" if len(shown) <= 12 else "small"
    axes.set_xticks(ticks, shown, rotation=90 if is_wide else 0, fontsize=size)
    axes.set_yticks(ticks, shown, fontsize=size)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")


def _write_counts(axes: Axes, counts: Labels) -> None:
    """The count, with its share of the row if there is room; nothing for a count of 0."""
    if len(counts) > _WITH_COUNTS:
        return
    shares = row_shares(counts)
    with_shares = len(counts) <= _WITH_SHARES
    size = 12 if len(counts) <= 5 else 8 if with_shares else 6.5
    for row, column in np.argwhere(counts):
        share = shares[row, column]
        text = f"{counts[row, column]:,}" + f"\n{_percent(share)}" * with_shares
        colour = "white" if share > 0.5 else "black"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
