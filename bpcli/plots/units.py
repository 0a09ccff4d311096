"""A plot of the log along the epochs: dead and saturated units of each layer.

Each layer that had such units has panels of its own, so that no line hides another; a sentence
names the other layers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, without_axes
from bpcli.plots.curves import Curves, is_missing, label_epochs, layer_label
from bpcli.plots.outcome import left_out
from bpcli.plots.style import COLOURS, MUTED
from bpcli.runs.subject import Subject, some_rows
from bpcli.text import plural

_MEANING = {"dead": "f'(z) = 0 on all rows", "saturated": "f'(z) near 0 on at least 95 % of rows"}

_MOST_PANELS = 16
"""The most layers that have panels."""

_PANEL = 0.95
"""The height of a panel in inches, with its title."""


class UnitFailures(Curves):
    """Dead and saturated units of each layer over the epochs."""

    def why_not(self, subject: Subject) -> str | None:
        has_both = all(subject.has_numbers(f"{failure}_units") for failure in _MEANING)
        return None if has_both else is_missing("dead and saturated units")

    def title(self, subject: Subject) -> str:
        return "Dead and saturated units by layer"

    def details(self, subject: Subject) -> Sequence[str]:
        failing = len(_failing(subject))
        meaning = [f"{failure}: {_MEANING[failure]}" for failure in _kinds(subject) or _MEANING]
        return *meaning, left_out(len(_shown(subject)), failing, "layers with such units drawn")

    def size(self, subject: Subject) -> tuple[float, float]:
        rows = len(_shown(subject))
        if not rows:
            return (7.0, 1.7)
        return (7.0, 10.0)[len(_kinds(subject)) - 1], max(rows * _PANEL, 1.7) + 1.9

    def draw(self, figure: Panel, subject: Subject) -> None:
        if _shown(subject):
            _draw_panels(figure, subject)
        else:
            _say_none(figure, subject)


def _kinds(subject: Subject) -> list[str]:
    """The kinds of failure that any unit had in any line of the log."""
    return [failure for failure in _MEANING if (_counts(subject, failure)[1] > 0).any()]


def _counts(subject: Subject, failure: str) -> tuple[Array, Array]:
    """The epochs (k,) of the log and the numbers (k, layers) of units."""
    return subject.layer_series(f"{failure}_units")


def _failing(subject: Subject) -> list[int]:
    """The layers, counted from 0, that had a dead or a saturated unit in any line of the log."""
    has = [(_counts(subject, failure)[1] > 0).any(axis=0) for failure in _MEANING]
    return [int(number) for number in np.flatnonzero(np.any(has, axis=0))]


def _shown(subject: Subject) -> list[int]:
    """The layers with panels: all that failed; of very many, some evenly spaced."""
    failing = _failing(subject)
    return [failing[position] for position in some_rows(len(failing), _MOST_PANELS)]


def _draw_panels(figure: Panel, subject: Subject) -> None:
    """Draw a row of panels for each layer, with one column for each kind of failure."""
    shown, kinds = _shown(subject), _kinds(subject)
    grid = figure.subplots(len(shown), len(kinds), squeeze=False, sharex=True, sharey=True)
    for column, failure in zip(grid.T, kinds, strict=True):
        epochs, counts = _counts(subject, failure)
        for axes, number in zip(column, shown, strict=True):
            title = f"{layer_label(subject.record.layers, number)}, {_range(counts[:, number])}"
            axes.set_title(title, fontsize="small", pad=3)
            _draw_counts(axes, epochs, counts[:, number])
            axes.set_ylabel(failure)
        for axes in column[:-1]:
            axes.set_xlabel("")
    figure.supxlabel(_quiet(subject), fontsize="small", color=MUTED)


def _range(counts: Array) -> str:
    """The largest and the last number of units: at most 10, finally 8."""
    known = counts[np.isfinite(counts)]
    most, last = (int(known.max()), int(known[-1])) if len(known) else (0, 0)
    return f"at most {most:,}, finally {last:,}" if most else "none"


def _draw_counts(axes: Axes, epochs: Array, counts: Array) -> None:
    """Draw numbers of units as steps from 0 up; the scale is that of all panels."""
    from matplotlib.ticker import MaxNLocator

    axes.fill_between(epochs, counts, step="post", color=COLOURS[0], alpha=0.25, linewidth=0)
    axes.step(epochs, counts, where="post", color=COLOURS[0], linewidth=1.4)
    label_epochs(axes, epochs)
    highest = max(axes.get_ylim()[1], 1.1 * np.nanmax(counts, initial=1))
    axes.set_ylim(0, highest)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))


def _quiet(subject: Subject) -> str:
    """A sentence on the layers that never failed; empty if there are none."""
    failing, count = _failing(subject), len(subject.record.layers)
    quiet = [str(number + 1) for number in range(count) if number not in failing]
    if not quiet:
        return ""
    *others, last = quiet
    which = f"Layers {', '.join(others)} and {last}" if others else f"Layer {last}"
    return f"{which}: no unit was dead or saturated in any epoch of the log."


def _say_none(figure: Panel, subject: Subject) -> None:
    """Draw no panel, but say that no unit of any layer failed."""
    axes = figure.subplots()
    without_axes(axes)
    epochs, _ = _counts(subject, "dead")
    lines = f"all {plural(len(epochs), 'epoch')} of the log" if len(epochs) > 1 else "the log"
    axes.text(
        0, 0.6, f"No unit of any layer was dead or saturated, in {lines}.", va="center",
        transform=axes.transAxes, fontsize="large",
    )  # fmt: skip
