"""What every kind of plot can do: say whether it fits a run, and draw it.

A kind's `draw` fills a figure, or a part of one, below the title, which is drawn here. It sets the
labels of its axes, and marks those that have none by design with `without_axes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from bpcli.plots.style import literal
from bpcli.plots.subject import Need, Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    Panel: TypeAlias = Figure | SubFigure

BARE = "bare"
"""The group id of axes that have no labels by design."""


class Plot:
    """One kind of plot."""

    needs: ClassVar[tuple[Need, ...]] = ("network",)
    """What it reads; `why_not` is asked only where all of that is there."""

    def why_not(self, subject: Subject) -> str | None:
        """One sentence on why the run has no such plot; None where it has."""
        return None

    def title(self, subject: Subject) -> str:
        """What is shown, in a few words: it stands below the run's name."""
        raise NotImplementedError

    def size(self, subject: Subject) -> tuple[float, float]:
        """Width and height in inches."""
        return (7.0, 4.6)

    def draw(self, figure: Panel, subject: Subject) -> None:
        """Fill a figure that lays itself out (`layout="constrained"`); names go by `literal`."""
        raise NotImplementedError


def why_not(plot: Plot, subject: Subject) -> str | None:
    """Why a run has no such plot: what it reads is lacking, or it does not fit."""
    lacking = [subject.faults[need] for need in plot.needs if need in subject.faults]
    return lacking[0] if lacking else plot.why_not(subject)


def draw(plot: Plot, figure: Panel, subject: Subject) -> None:
    """The plot with its title."""
    figure.suptitle(f"{literal(subject.name)}\n{plot.title(subject)}", fontsize="medium")
    plot.draw(figure, subject)


def without_axes(axes: Axes) -> None:
    """Mark axes that show no scales, such as a diagram's, and hide these."""
    axes.set_axis_off()
    axes.set_gid(BARE)


def panels(figure: Panel, count: int, across: int = 1) -> list[Axes]:
    """So many axes, in rows of up to `across`."""
    columns = min(count, across)
    rows = -(-count // columns)
    every: list[Axes] = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for surplus in every[count:]:
        surplus.remove()
    return every[:count]


_CHARACTERS, _HANDLE = 12, 9
"""What an inch of a legend has room for, and what an entry takes beside its label."""


def legend_below(figure: Panel, *sources: Axes) -> None:
    """The legend of some axes for the whole figure, below it, in as many columns as fit."""
    found = [axes.get_legend_handles_labels() for axes in sources]
    handles = [handle for handles, _ in found for handle in handles]
    labels = [label for _, labels in found for label in labels]
    room = int(figure.bbox.width / figure.dpi * _CHARACTERS)
    columns = room // (max(map(len, labels), default=0) + _HANDLE)
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=max(1, min(columns, len(labels))),
        handlelength=3.2,
        fontsize="small",
    )
