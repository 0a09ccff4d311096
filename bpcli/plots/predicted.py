"""Predicted against true values, and residuals, in the units of the targets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, Plot, panels
from bpcli.plots.outcome import (
    MOST_PANELS,
    left_out,
    no_values,
    note,
    shown_targets,
    target_names,
)
from bpcli.plots.plane import widened
from bpcli.plots.style import COLOURS, literal
from bpcli.runs.subject import Subject, some_rows
from bpcli.text import rounded

_BINS = 30


class TargetRows(NamedTuple):
    """One target of the rows of a split: its true and its predicted values (n,)."""

    name: str
    true: Array
    predicted: Array

    @property
    def residuals(self) -> Array:
        """The differences a - y, positive if the prediction is too high."""
        return self.predicted - self.true

    @property
    def rmse(self) -> float:
        return float(np.sqrt((self.residuals**2).mean()))


def target_rows(subject: Subject) -> list[TargetRows]:
    """The targets that have a panel: all, or those that vary most."""
    true, names = subject.rows.values, target_names(subject)
    assert true is not None, "the targets are numbers"
    outputs = subject.predictions.outputs
    return [TargetRows(names[k], true[:, k], outputs[:, k]) for k in shown_targets(true)]


class _Values(Plot):
    """A plot of targets that are numbers."""

    def why_not(self, subject: Subject) -> str | None:
        return no_values(subject)

    def size(self, subject: Subject) -> tuple[float, float]:
        count = min(subject.network.outputs, MOST_PANELS)
        return (6.0, 5.6) if count == 1 else (4.0 * min(count, 3), 4.2 * -(-count // 3) + 0.5)


class Predicted(_Values):
    """One panel per target, one point per row; correct predictions are on the diagonal."""

    def title(self, subject: Subject) -> str:
        return f"Predicted against true values, {subject.split_name} set"

    def draw(self, figure: Panel, subject: Subject) -> None:
        targets = target_rows(subject)
        for axes, target in zip(panels(figure, len(targets), 3), targets, strict=True):
            _draw_pairs(axes, target)
        note(figure, *_remarks(subject, len(targets)))


class Residuals(_Values):
    """Residuals against predictions, and their histogram."""

    def title(self, subject: Subject) -> str:
        return f"Residuals (predicted - true), {subject.split_name} set"

    def size(self, subject: Subject) -> tuple[float, float]:
        count = min(subject.network.outputs, MOST_PANELS)
        return (8.0, 4.6) if count == 1 else (12.0, 3.2 * -(-count // 2) + 0.5)

    def draw(self, figure: Panel, subject: Subject) -> None:
        targets = target_rows(subject)
        across = min(len(targets), 2)
        grid = figure.subplots(
            -(-len(targets) // across), 2 * across, squeeze=False, width_ratios=[3, 1] * across
        ).reshape(-1, 2)
        for (scatter, histogram), target in zip(grid, targets, strict=False):
            _draw_residuals(scatter, histogram, target)
        for unused in grid[len(targets) :].ravel():
            unused.remove()
        note(figure, *_remarks(subject, len(targets)))


def _remarks(subject: Subject, drawn: int) -> tuple[str, str]:
    rows = len(subject.rows)
    return (
        left_out(drawn, subject.network.outputs, "targets drawn: those that vary most"),
        left_out(len(some_rows(rows)), rows, "rows drawn, evenly spaced"),
    )


def _draw_points(axes: Axes, x: Array, y: Array) -> None:
    some = some_rows(len(x))
    few = len(some) <= 300
    axes.plot(
        x[some], y[some], "o", color=COLOURS[0], markersize=5 if few else 3,
        alpha=0.7 if few else 0.35, markeredgewidth=0, clip_on=False,
    )  # fmt: skip


def _draw_pairs(axes: Axes, target: TargetRows) -> None:
    _draw_points(axes, target.true, target.predicted)
    limits = widened(np.append(target.true, target.predicted))
    axes.plot(limits, limits, color="black", linestyle="dashed", linewidth=1)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.set_title(f"{literal(target.name, 24)}: RMSE {rounded(target.rmse, 4)}", fontsize="medium")
    axes.set_xlabel("true value")
    axes.set_ylabel("predicted value")
    axes.grid(alpha=0.3)


def _draw_residuals(scatter: Axes, histogram: Axes, target: TargetRows) -> None:
    _draw_points(scatter, target.predicted, target.residuals)
    scatter.axhline(0, color="black", linestyle="dashed", linewidth=1)
    scatter.set_title(
        f"{literal(target.name, 24)}: RMSE {rounded(target.rmse, 4)}", fontsize="medium"
    )
    scatter.set_xlabel("predicted value")
    scatter.set_ylabel("predicted - true")
    scatter.grid(alpha=0.3)
    histogram.sharey(scatter)
    histogram.hist(
        target.residuals, bins=_BINS, orientation="horizontal", color=COLOURS[0], edgecolor="white"
    )
    histogram.axhline(0, color="black", linestyle="dashed", linewidth=1)
    histogram.tick_params(labelleft=False)
    histogram.set_xlabel("number of rows")
