"""For one input: the fitted curve over the data of every split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.data.preprocessing import Split, taken
from bpcli.data.types import SPLITS
from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, Plot, draw_band, legend_below, panels
from bpcli.plots.outcome import (
    MOST_PANELS,
    filled_splits,
    left_out,
    not_so_many_inputs,
    note,
    outputs_at,
    shown_targets,
    target_names,
)
from bpcli.plots.plane import widened
from bpcli.plots.style import INK, REFERENCE, colour, dashes, literal, marker
from bpcli.runs.subject import SPLIT_NAMES, Subject, some_rows

MOST_CURVES = 10

_POINTS = 800
"""Points of the curve."""


class Fit(Plot):
    """The outputs as functions of the single input."""

    shows_intervals = True

    def why_not(self, subject: Subject) -> str | None:
        return not_so_many_inputs(subject, 1)

    def title(self, subject: Subject) -> str:
        return "Fitted curve and data"

    def details(self, subject: Subject) -> Sequence[str]:
        return () if subject.intervals is None else (subject.intervals.label,)

    def size(self, subject: Subject) -> tuple[float, float]:
        count = 1 if subject.rows.labels is not None else min(subject.network.outputs, MOST_PANELS)
        return (7.0, 4.8) if count == 1 else (4.4 * min(count, 3), 3.8 * -(-count // 3) + 0.6)

    def draw(self, figure: Panel, subject: Subject) -> None:
        x = np.linspace(*widened(np.asarray(subject.experiment.table.X[:])), _POINTS)
        outputs = outputs_at(subject, x[:, np.newaxis])
        if subject.rows.labels is None:
            _draw_values(figure, subject, x, outputs)
        else:
            _draw_classes(figure, subject, x, outputs)


def _splits(subject: Subject) -> list[Split]:
    return [subject.experiment.splits[name] for name in filled_splits(subject)]


def _draw_values(figure: Panel, subject: Subject, x: Array, outputs: Array) -> None:
    every = subject.experiment.table.Y
    assert every is not None, "the targets are numbers"
    names, chosen = target_names(subject), shown_targets(every)
    for axes, target in zip(panels(figure, len(chosen), 3), chosen, strict=True):
        for split in _splits(subject):
            assert split.values is not None, "the splits of one table agree"
            _draw_rows(axes, subject, split, split.values[:, target])
        axes.plot(x, outputs[:, target], color=INK, label="fitted")
        if subject.intervals is not None:
            low, high = subject.intervals.bounds(x[:, np.newaxis], outputs)
            draw_band(axes, x, low[:, target], high[:, target], "interval")
        axes.set_xlabel(literal(subject.experiment.table.input_names[0]))
        axes.set_ylabel(literal(names[target], 40))
    legend_below(figure, axes)
    note(
        figure,
        left_out(len(chosen), every.shape[1], "targets drawn: those that vary most"),
        *_thinned(subject),
    )


def _draw_classes(figure: Panel, subject: Subject, x: Array, outputs: Array) -> None:
    """Draw the outputs above, and the rows of each class below."""
    names = subject.experiment.preprocessor.class_names
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 0.5 + 0.25 * len(names)])
    for number, name in enumerate(subject.experiment.output_names[:MOST_CURVES]):
        above.plot(
            x, outputs[:, number], color=colour(number), linestyle=dashes(number),
            label=literal(name, 24),
        )  # fmt: skip
    if outputs.shape[1] == 1:
        above.axhline(0.5, **REFERENCE, label="½, where the class changes")
    for split in _splits(subject):
        assert split.labels is not None, "the splits of one table agree"
        offset = 0.22 * (1 - SPLITS.index(split.name))  # one line per split of a class
        _draw_rows(below, subject, split, split.labels + offset)
    above.set_ylabel("output")
    below.set_yticks(range(len(names)), [literal(name, 18) for name in names])
    below.set_ylim(-0.6, len(names) - 0.4)
    below.set_xlabel(literal(subject.experiment.table.input_names[0]))
    below.set_ylabel("true class")
    legend_below(figure, above, below)
    note(
        figure,
        left_out(min(outputs.shape[1], MOST_CURVES), outputs.shape[1], "outputs drawn"),
        *_thinned(subject),
    )


def _draw_rows(axes: Axes, subject: Subject, split: Split, y: Array) -> None:
    number, some = SPLITS.index(split.name), some_rows(len(split))
    X = taken(subject.experiment.table.X, split.index[:])
    axes.plot(
        X[some, 0], y[some], linestyle="none", marker=marker(number), color=colour(number),
        markersize=5 if len(some) <= 300 else 3, alpha=0.7, markeredgewidth=0,
        label=f"{SPLIT_NAMES[split.name]} rows",
    )  # fmt: skip


def _thinned(subject: Subject) -> list[str]:
    return [
        left_out(len(some_rows(len(split))), len(split), f"{SPLIT_NAMES[split.name]} rows drawn")
        for split in _splits(subject)
    ]
