"""A reliability diagram: whether predicted probabilities agree with how often they come true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bpcli.metrics.calibration import BINS, Reliability, split_reliability, wilson_interval
from bpcli.metrics.metrics import has_probabilities
from bpcli.plots.base import Axes, Panel, Plot, legend_below
from bpcli.plots.outcome import is_one_score, no_classes
from bpcli.plots.style import COLOURS, INK, MUTED, REFERENCE, literal, split_style
from bpcli.runs.subject import Subject
from bpcli.text import plural


class Calibration(Plot):
    """The share that is true against the predicted probability, in bins, with the rows of each.

    The probability is that of the second of two classes, of the predicted one of several classes,
    or of each label of each row.
    """

    def why_not(self, subject: Subject) -> str | None:
        reason = None if subject.experiment.preprocessor.words else no_classes(subject)
        return reason or _no_probabilities(subject)

    def title(self, subject: Subject) -> str:
        return "Calibration of the probabilities"

    def details(self, subject: Subject) -> Sequence[str]:
        rows = f"{subject.split_name} set, {plural(len(subject.rows), 'row')}"
        before = _before(subject)
        was = "" if before is None else f", {before.error:.3f} before the calibration"
        return rows, f"expected calibration error {_reliability(subject).error:.3f}{was}"

    def size(self, subject: Subject) -> tuple[float, float]:
        return (6.0, 7.6)

    def draw(self, figure: Panel, subject: Subject) -> None:
        reliability, wording = _reliability(subject), _wording(subject)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
        _draw_shares(above, reliability, subject)
        _draw_counts(below, reliability, subject)
        above.set_ylabel(wording.true)
        below.set_ylabel(wording.counted)
        below.set_xlabel(wording.probability)
        legend_below(figure, above)


class _Wording(NamedTuple):
    probability: str
    true: str
    counted: str = "rows"


def _wording(subject: Subject) -> _Wording:
    if subject.experiment.preprocessor.words:
        return _Wording("probability of a label", "share of rows with the label", "rows × labels")
    if is_one_score(subject):
        name = literal(subject.experiment.preprocessor.class_names[1], 24)
        return _Wording(f"probability of class {name}", f"share of rows of class {name}")
    return _Wording("probability of the predicted class", "share of rows predicted correctly")


def _no_probabilities(subject: Subject) -> str | None:
    """Why the outputs are no probabilities; None if they are."""
    are_labels = bool(subject.experiment.preprocessor.words)
    if has_probabilities(subject.network, are_labels=are_labels):
        return None
    return "The outputs are not probabilities: use softmax, or one sigmoid output for two classes."


def _reliability(subject: Subject) -> Reliability:
    return split_reliability(subject.predictions, subject.rows)


def _before(subject: Subject) -> Reliability | None:
    """The reliability before the run's calibration; None without one."""
    before = subject.as_trained
    return None if before is subject else _reliability(before)


def _draw_shares(axes: Axes, reliability: Reliability, subject: Subject) -> None:
    """Draw the share of each bin with its interval, and the diagonal of perfect calibration."""
    axes.plot([0, 1], [0, 1], **REFERENCE, label="perfect calibration")
    before = _before(subject)
    if before is not None:
        axes.plot(
            before.probability, before.share, color=MUTED, linewidth=1, marker="o", markersize=5,
            markerfacecolor="white", clip_on=False, label="before the calibration",
        )  # fmt: skip
    style = split_style(subject.split)
    low, high = wilson_interval(reliability.share, reliability.counts)
    axes.vlines(
        reliability.probability, low, high, color=style.colour, linewidth=2, alpha=0.45,
        label="95 % interval",
    )  # fmt: skip
    axes.plot(
        reliability.probability, reliability.share, color=style.colour, marker=style.marker,
        linestyle="none" if before is None else "solid", linewidth=1.2,
        markersize=6.5, clip_on=False, zorder=3, label=f"{subject.split_name} set",
    )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1))


def _draw_counts(axes: Axes, reliability: Reliability, subject: Subject) -> None:
    """Draw the number of rows of each bin, and write it above the bar."""
    centres = (reliability.bins + 0.5) / BINS
    axes.bar(centres, reliability.counts, 0.94 / BINS, color=COLOURS[4], alpha=0.8)
    for x, count in zip(centres, reliability.counts, strict=True):
        axes.annotate(
            f"{count:,}", (x, count), xytext=(0, 2), textcoords="offset points", ha="center",
            fontsize=7.5, color=INK,
        )  # fmt: skip
    axes.set_ylim(0, 1.3 * float(np.max(reliability.counts)))
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
