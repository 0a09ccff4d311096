"""The base class of plots: whether a plot is possible for a run, its size, and how it is drawn.

`Plot.draw` fills a figure or subfigure below the title, which is drawn here. It sets the labels of
all axes, or marks axes that have no labels by design with `without_axes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from bpcli.nn.arrays import Array
from bpcli.plots.fonts import set_fonts
from bpcli.plots.heading import heading
from bpcli.plots.style import INK, MUTED, literal
from bpcli.runs.subject import Need, Subject
from bpcli.text import text_width

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

# matplotlib is imported when a plot is drawn.
Axes: TypeAlias = "matplotlib.axes.Axes"
Panel: TypeAlias = "matplotlib.figure.Figure | matplotlib.figure.SubFigure"

BARE = "bare"
"""The group id of axes that have no labels by design."""


class Plot:
    """One kind of plot."""

    needs: ClassVar[tuple[Need, ...]] = ("network",)
    """The data that it reads; `why_not` is only called if all of them exist."""
    shows_intervals: ClassVar[bool] = False
    """Whether it draws the intervals of the predictions, if there are any."""
    shows_training: ClassVar[bool] = False
    """Whether it shows the network as it was trained, without a calibration of probabilities."""

    def why_not(self, subject: Subject) -> str | None:
        """One sentence on why the run does not have this plot; None if the run has it."""
        return None

    def title(self, subject: Subject) -> str:
        """What is shown, in sentence case: Loss by epoch."""
        raise NotImplementedError

    def details(self, subject: Subject) -> Sequence[str]:
        """The details after the run's name, in small type below the title; empty ones are not."""
        return ()

    def size(self, subject: Subject) -> tuple[float, float]:
        """Width and height in inches."""
        return (7.0, 4.6)

    def draw(self, figure: Panel, subject: Subject) -> None:
        """Fill a figure with constrained layout; names from the user go through `literal`."""
        raise NotImplementedError


def why_not(plot: Plot, subject: Subject) -> str | None:
    """Why a run does not have a plot: data are missing, or the plot does not fit; else None."""
    missing = [subject.errors[need] for need in plot.needs if need in subject.errors]
    return missing[0] if missing else plot.why_not(_shown(plot, subject))


def size(plot: Plot, subject: Subject) -> tuple[float, float]:
    """Width and height in inches."""
    return plot.size(_shown(plot, subject))


def _shown(plot: Plot, subject: Subject) -> Subject:
    return subject.as_trained if plot.shows_training else subject


def draw(plot: Plot, figure: Panel, subject: Subject) -> None:
    """Draw the plot with its title."""
    shown = _shown(plot, subject)
    before = [] if shown is subject else ["before the calibration"]
    heading(figure, plot.title(shown), literal(shown.name), *plot.details(shown), *before)
    plot.draw(figure, shown)
    set_fonts(figure)


def without_axes(axes: Axes) -> None:
    """Hide the scales of axes, such as those of a diagram, and mark the axes as bare."""
    axes.set_axis_off()
    axes.set_gid(BARE)


def panels(figure: Panel, count: int, across: int = 1) -> list[Axes]:
    """`count` axes, in rows of up to `across`."""
    columns = min(count, across)
    rows = -(-count // columns)
    grid: list[Axes] = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for surplus in grid[count:]:
        surplus.remove()
    return grid[:count]


def draw_band(axes: Axes, x: Array, low: Array, high: Array, label: str) -> None:
    """A band between two curves below all data; its edges are above, to be seen among many rows."""
    axes.fill_between(x, low, high, color=MUTED, alpha=0.22, linewidth=0, zorder=0.5, label=label)
    for edge in (low, high):
        axes.plot(x, edge, color=INK, linewidth=0.8, alpha=0.8, zorder=2.5)


_CHARACTERS, _HANDLE = 13, 10
"""Characters per inch of a legend, and the width of an entry's handle in characters."""


def legend_below(figure: Panel, *sources: Axes) -> None:
    """A legend of some axes below the whole figure, in as many columns as fit."""
    legends = [axes.get_legend_handles_labels() for axes in sources]
    handles = [handle for handles, _ in legends for handle in handles]
    labels = [label for _, labels in legends for label in labels]
    room = int(figure.bbox.width / figure.dpi * _CHARACTERS)
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=_columns([text_width(label) + _HANDLE for label in labels], room),
        handlelength=3.2,
    )


def _columns(widths: list[int], room: int) -> int:
    """In how many columns entries of these widths fit; no more than fill the rows evenly."""
    for columns in range(len(widths), 1, -1):
        rows = -(-len(widths) // columns)
        parts = [widths[start : start + rows] for start in range(0, len(widths), rows)]
        if sum(map(max, parts)) <= room:
            return len(parts)
    return 1
