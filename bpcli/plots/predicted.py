"""Predicted against true values, and residuals, in the units of the targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from bpcli.data.preprocessing import taken
from bpcli.data.types import SplitName
from bpcli.intervals.bounds import Bounds
from bpcli.metrics.fitted_line import FittedLine, fitted_line
from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, Plot, draw_band, legend_below, panels
from bpcli.plots.outcome import (
    MOST_PANELS,
    filled_splits,
    left_out,
    no_values,
    note,
    shown_targets,
    target_names,
)
from bpcli.plots.plane import widened
from bpcli.plots.style import INK, MINUS, REFERENCE, literal, split_style, with_minus
from bpcli.runs.subject import SPLIT_NAMES, Subject, some_rows
from bpcli.text import rounded

_BINS = 30


def signed(value: float) -> str:
    """A rounded number with the sign that the axes have."""
    return with_minus(rounded(value, 3))


class TargetRows(NamedTuple):
    """One target of the rows of a split: its true and its predicted values (n,).

    `bounds` are the ends of their intervals (n,), if any.
    """

    split: SplitName
    name: str
    true: Array
    predicted: Array
    bounds: Bounds | None = None

    @property
    def residuals(self) -> Array:
        """The differences a - y, positive if the prediction is too high."""
        return self.predicted - self.true

    @property
    def rmse(self) -> float:
        return float(np.sqrt((self.residuals**2).mean()))


def target_rows(subject: Subject, split: SplitName) -> list[TargetRows]:
    """The targets of a split that have a panel: all, or those that vary most."""
    true, names = subject.experiment.splits[split].values, target_names(subject)
    every = subject.experiment.table.Y
    assert true is not None, "the targets are numbers"
    assert every is not None, "the targets are numbers"
    outputs = subject.predictions_of(split).outputs
    chosen = shown_targets(every[:])
    bounds = _bounds(subject, split, outputs)
    return [TargetRows(split, names[k], true[:, k], outputs[:, k], bounds(k)) for k in chosen]


def _bounds(subject: Subject, split: SplitName, outputs: Array) -> Callable[[int], Bounds | None]:
    """A function that gives the intervals of a target by its index."""
    if subject.intervals is None:
        return lambda _: None
    experiment = subject.experiment
    inputs = taken(experiment.table.X, experiment.splits[split].index[:])
    low, high = subject.intervals.bounds(inputs, outputs)
    return lambda target: Bounds(low[:, target], high[:, target])


def rows_by_target(subject: Subject) -> list[list[TargetRows]]:
    """For each target that has a panel, its rows of each split."""
    by_split = [target_rows(subject, name) for name in filled_splits(subject)]
    return [list(rows) for rows in zip(*by_split, strict=True)]


class ValuesPlot(Plot):
    """A plot of targets that are numbers."""

    def why_not(self, subject: Subject) -> str | None:
        return no_values(subject)

    def size(self, subject: Subject) -> tuple[float, float]:
        count = min(subject.network.outputs, MOST_PANELS)
        return (6.0, 5.6) if count == 1 else (4.0 * min(count, 3), 4.3 * -(-count // 3) + 1.0)


class Predicted(ValuesPlot):
    """Predicted against true values of all splits, with R and the least-squares line.

    A single target has a panel for each split and one for all rows; several have one each.
    """

    shows_intervals = True

    def title(self, subject: Subject) -> str:
        return "Predicted against true values"

    def details(self, subject: Subject) -> Sequence[str]:
        names = target_names(subject)
        intervals = [] if subject.intervals is None else [subject.intervals.label]
        return [*([] if len(names) > 1 else [literal(names[0], 40)]), *intervals]

    def size(self, subject: Subject) -> tuple[float, float]:
        if subject.network.outputs > 1:
            return super().size(subject)
        count = _panels_of(len(filled_splits(subject)))
        return {1: (6.0, 6.2), 3: (12.0, 5.2), 4: (8.4, 9.0)}[count]

    def draw(self, figure: Panel, subject: Subject) -> None:
        targets = rows_by_target(subject)
        if len(targets) == 1:
            _draw_by_split(figure, targets[0])
        else:
            _draw_by_target(figure, targets)
        count = subject.network.outputs
        note(figure, left_out(len(targets), count, _MOST_VARIED), _thinned(targets[0]))


_MOST_VARIED = "targets drawn: those that vary most"


def _panels_of(splits: int) -> int:
    """A panel for each split, and one for all if there are several."""
    return splits + (splits > 1)


def _draw_by_split(figure: Panel, splits: list[TargetRows]) -> None:
    """Draw a panel for each split, then one for all; all have the same limits."""
    count = _panels_of(len(splits))
    grid = panels(figure, count, 2 if count == 4 else 3)
    shown = [[rows] for rows in splits] + [splits] * (count > 1)
    limits = _limits(splits)
    for axes, rows in zip(grid, shown, strict=True):
        is_all = len(rows) > 1
        name = "All rows" if is_all else f"{SPLIT_NAMES[rows[0].split].capitalize()} set"
        _draw_pairs(axes, rows, limits)
        axes.set_title(f"{name}: {_quality(rows)}")
    legend_below(figure, grid[-1])


def _draw_by_target(figure: Panel, targets: Sequence[list[TargetRows]]) -> None:
    """Draw a panel for each target, with the rows of all splits."""
    grid = panels(figure, len(targets), 3)
    for axes, rows in zip(grid, targets, strict=True):
        _draw_pairs(axes, rows, _limits(rows))
        axes.set_title(literal(rows[0].name, 36))
        lines = [f"{SPLIT_NAMES[each.split]}: {_quality([each])}" for each in rows]
        axes.text(
            0.04, 0.97, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=8,
            linespacing=1.4, bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 2},
        )  # fmt: skip
    legend_below(figure, grid[0])


def _quality(splits: Sequence[TargetRows]) -> str:
    """R and RMSE of rows: R 0.983, RMSE 0.12."""
    whole = _together(splits)
    fit = fitted_line(whole.true, whole.predicted)
    r = "undefined" if fit is None else f"{fit.r:.4f}"
    return f"R {r}, RMSE {rounded(whole.rmse, 4)}"


def _together(splits: Sequence[TargetRows]) -> TargetRows:
    true = np.concatenate([rows.true for rows in splits])
    predicted = np.concatenate([rows.predicted for rows in splits])
    bounds = [rows.bounds for rows in splits if rows.bounds is not None]
    ends = Bounds(*map(np.concatenate, zip(*bounds, strict=True))) if bounds else None
    return splits[0]._replace(true=true, predicted=predicted, bounds=ends)


def _limits(splits: Sequence[TargetRows]) -> tuple[float, float]:
    """The limits of both axes: all values, and bars as far as they do not dwarf these."""
    whole = _together(splits)
    values = np.append(whole.true, whole.predicted)
    if whole.bounds is not None and _offsets(splits) is None:
        low, high = values.min(), values.max()
        room = (high - low) / 2
        _, *ends = _bars(splits)
        values = np.append(values, np.clip(ends, low - room, high + room))
    return widened(values)


def _draw_pairs(axes: Axes, splits: Sequence[TargetRows], limits: tuple[float, float]) -> None:
    """Draw the rows of some splits, the diagonal, and the line that fits all of these rows."""
    for rows in splits:
        draw_points(axes, rows.true, rows.predicted, rows.split)
    if splits[0].bounds is not None:
        _draw_intervals(axes, splits, limits)
    axes.plot(limits, limits, **REFERENCE, label="correct: predicted = true")
    whole = _together(splits)
    axes.set_ylabel("predicted value")
    fit = fitted_line(whole.true, whole.predicted)
    if fit is not None:
        axes.set_ylabel(f"predicted value ≈ {line_text(fit)}")
        ends = np.array([whole.true.min(), whole.true.max()])
        axes.plot(
            ends, fit.slope * ends + fit.intercept, color=INK, linewidth=1.3,
            label="least-squares line",
        )  # fmt: skip
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.set_xlabel("true value")
    axes.yaxis.set_major_locator(axes.xaxis.get_major_locator())


_MOST_BARS = 40
"""The most intervals of a split that are drawn as bars; more would hide each other."""


def _draw_intervals(axes: Axes, splits: Sequence[TargetRows], limits: tuple[float, float]) -> None:
    """Draw a band around the diagonal if all intervals are equally wide, else some as bars.

    The true value is in the interval if the point is in the band, or if the bar crosses the
    diagonal.
    """
    offsets = _offsets(splits)
    if offsets is not None:
        ends = np.array(limits)
        draw_band(axes, ends, ends - offsets[1], ends + offsets[0], "true value in its interval")
        return
    label = "interval"
    if max(len(rows.true) for rows in splits) > _MOST_BARS:
        label = f"intervals of {_MOST_BARS} rows of each split"
    bars = _bars(splits)
    axes.vlines(*bars, color=INK, linewidth=0.8, alpha=0.6, zorder=2.5, label=label)


def _offsets(splits: Sequence[TargetRows]) -> tuple[float, float] | None:
    """How far low and high are from the prediction, if that is the same for all rows."""
    whole = _together(splits)
    assert whole.bounds is not None, "there are intervals"
    below, above = whole.predicted - whole.bounds.low, whole.bounds.high - whole.predicted
    rounding = 4 * np.spacing(np.abs(whole.predicted).max())
    is_constant = (
        max(np.ptp(below), np.ptp(above)) <= 1e-9 * np.abs([below, above]).max() + rounding
    )
    return (float(below.max()), float(above.max())) if is_constant else None


def _bars(splits: Sequence[TargetRows]) -> tuple[Array, Array, Array]:
    """The true values of the rows whose intervals are drawn as bars, with low and high."""
    bars = [
        np.stack([rows.true, *rows.bounds])[:, some_rows(len(rows.true), _MOST_BARS)]
        for rows in splits
        if rows.bounds is not None
    ]
    true, low, high = np.concatenate(bars, axis=1)
    return true, low, high


def line_text(line: FittedLine) -> str:
    """The line as a formula: 0.968 · true + 0.41."""
    sign = MINUS if line.intercept < 0 else "+"
    return f"{line.slope:.3f} · true {sign} {rounded(abs(line.intercept), 2)}"


def draw_points(axes: Axes, x: Array, y: Array, split: SplitName) -> None:
    """Draw the rows of a split as points; of many, some."""
    some, style = some_rows(len(x)), split_style(split)
    few = len(some) <= 300
    axes.plot(
        x[some], y[some], linestyle="none", marker=style.marker, color=style.colour,
        markersize=4.5 if few else 3, alpha=0.65 if few else 0.35, markeredgewidth=0,
        clip_on=False, label=f"{SPLIT_NAMES[split]} rows",
    )  # fmt: skip


def _thinned(splits: Sequence[TargetRows]) -> str:
    """A remark on the splits of which not all rows are drawn."""
    texts = [
        left_out(len(some_rows(len(rows.true))), len(rows.true), f"{SPLIT_NAMES[rows.split]} rows")
        for rows in splits
    ]
    kept = [text for text in texts if text]
    return f"{', '.join(kept)} drawn, evenly spaced" if kept else ""


class Residuals(ValuesPlot):
    """Residuals against predictions, and their histogram."""

    def title(self, subject: Subject) -> str:
        return "Residuals: predicted minus true value"

    def details(self, subject: Subject) -> Sequence[str]:
        return (f"{subject.split_name} set",)

    def size(self, subject: Subject) -> tuple[float, float]:
        count = min(subject.network.outputs, MOST_PANELS)
        return (8.0, 4.8) if count == 1 else (12.0, 3.5 * -(-count // 2) + 0.9)

    def draw(self, figure: Panel, subject: Subject) -> None:
        targets = target_rows(subject, subject.split)
        across = min(len(targets), 2)
        grid = figure.subplots(
            -(-len(targets) // across), 2 * across, squeeze=False, width_ratios=[3, 1] * across
        ).reshape(-1, 2)
        for (scatter, histogram), target in zip(grid, targets, strict=False):
            _draw_residuals(scatter, histogram, target)
        for unused in grid[len(targets) :].ravel():
            unused.remove()
        count = subject.network.outputs
        note(figure, left_out(len(targets), count, _MOST_VARIED), _thinned(targets[:1]))


def _draw_residuals(scatter: Axes, histogram: Axes, target: TargetRows) -> None:
    from matplotlib.ticker import MaxNLocator

    draw_points(scatter, target.predicted, target.residuals, target.split)
    mean = signed(float(target.residuals.mean()))
    scatter.set_title(f"{literal(target.name, 24)}: RMSE {rounded(target.rmse, 4)}, mean {mean}")
    scatter.set_xlabel("predicted value")
    scatter.set_ylabel(f"predicted {MINUS} true")
    histogram.sharey(scatter)
    histogram.hist(
        target.residuals, bins=_BINS, orientation="horizontal",
        color=split_style(target.split).colour, edgecolor="white", linewidth=0.5,
    )  # fmt: skip
    for axes in (scatter, histogram):
        axes.axhline(0, **REFERENCE | {"color": INK})
    histogram.tick_params(labelleft=False)
    histogram.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    histogram.set_xlabel("number of rows")
