"""Plots of loss and metrics along the epochs, with the best epoch and the score of the test set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.metrics.metrics import greater_is_better
from bpcli.nn.arrays import Array
from bpcli.plots.base import Axes, Panel, legend_below, panels
from bpcli.plots.curves import ACROSS, Curves, draw_curve, drawable, row_size, scale_by_size
from bpcli.plots.outcome import note
from bpcli.plots.style import INK, MUTED, literal, split_style, with_minus
from bpcli.runs.run_json import RunRecord
from bpcli.runs.subject import SPLIT_NAMES, Subject
from bpcli.text import rounded


class LossCurves(Curves):
    """Training and validation loss by epoch, the best epoch, and the final loss of the test set."""

    def why_not(self, subject: Subject) -> str | None:
        return None if subject.has_numbers("train.loss") else "The log has no finite loss."

    def title(self, subject: Subject) -> str:
        return "Loss by epoch"

    def details(self, subject: Subject) -> Sequence[str]:
        record = subject.record
        status, reason = record.status, record.stop_reason
        ended = status if reason in ("", status) else f"stop reason: {reason}"
        return _best_text(record), literal(ended)

    def draw(self, figure: Panel, subject: Subject) -> None:
        (axes,) = panels(figure, 1)
        _draw_metric(axes, subject, "loss")
        record = subject.record
        quantity = "weighted mean loss" if record.weighted else "mean loss"
        scaled = ", scaled targets" if record.targets_scaled else ""
        axes.set_ylabel(f"{quantity} ({literal(record.loss)}{scaled})")
        legend_below(figure, axes)


def _best_text(record: RunRecord) -> str:
    """The best epoch, which may have no line in the log: best epoch 57 (loss 0.0143)."""
    if not record.has_results:
        return ""
    loss = record.metrics.get("val.loss", record.metrics.get("train.loss"))
    value = f" (loss {rounded(loss, 4)})" if isinstance(loss, float) else ""
    return f"best epoch {record.best_epoch:,}{value}"


class MetricCurves(Curves):
    """Each metric by epoch, for training and validation set, and the final one of the test set."""

    def why_not(self, subject: Subject) -> str | None:
        return None if subject.metrics else "The log has no metric besides the loss."

    def title(self, subject: Subject) -> str:
        return "Metrics by epoch"

    def details(self, subject: Subject) -> Sequence[str]:
        return (_best_epoch(subject.record),)

    def size(self, subject: Subject) -> tuple[float, float]:
        return row_size(len(subject.metrics))

    def draw(self, figure: Panel, subject: Subject) -> None:
        metrics, remarks = subject.metrics, []
        for axes, metric in zip(panels(figure, len(metrics), ACROSS), metrics, strict=True):
            values = _draw_metric(axes, subject, metric, is_sparse=True)
            axes.set_ylabel(_METRIC_LABELS.get(metric, literal(metric)))
            remarks.append(_cut(axes, values) if metric == "r2" else "")
        legend_below(figure, axes)
        note(figure, *remarks)


_METRIC_LABELS = {
    "accuracy": "accuracy (share of correct rows)",
    "exact_match": "share of rows with all labels correct",
    "f1": "F1 (macro)",
    "f1_micro": "F1 (micro)",
    "log_loss": "log loss (nats)",
    "rmse": "RMSE (in units of the target)",
    "mae": "MAE (in units of the target)",
    "r2": "R² (1 is perfect)",
}


def _draw_metric(axes: Axes, subject: Subject, metric: str, *, is_sparse: bool = False) -> Array:
    """Draw a metric of all splits, with the best epoch; return the values in the log."""
    curves: list[Array] = []
    for split in ("train", "val"):
        if f"{split}.{metric}" in subject.keys:
            epochs, values = subject.series(f"{split}.{metric}")
            style = split_style(split)
            draw_curve(axes, epochs, values, style, SPLIT_NAMES[split], is_sparse=is_sparse)
            curves.append(values)
    marks = _mark_results(axes, subject, metric)
    if not greater_is_better(metric):  # those that are approach 1, which a log axis would not show
        scale_by_size(axes, np.concatenate([*curves, marks]))
    return np.concatenate(curves)


def _mark_results(axes: Axes, subject: Subject, metric: str) -> Array:
    """Mark the metrics of the best weights; return them.

    The log has no metrics of the test set: it is scored once, with the best weights.
    """
    record, epoch = subject.record, subject.record.best_epoch
    if not record.has_results or not subject.lines[0].epoch <= epoch <= subject.lines[-1].epoch:
        return np.array([])
    axes.axvline(epoch, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
    test = _result(record, f"test.{metric}")
    if test is not None:
        _mark_test(axes, epoch, test, f"test, best weights{_calibrated(record)}")
    chosen = _result(record, f"val.{metric}")
    chosen = chosen if chosen is not None else _result(record, f"train.{metric}")
    if chosen is not None:
        _mark_best(axes, subject, chosen)
    return np.array([value for value in (test, chosen) if value is not None])


def _result(record: RunRecord, key: str) -> float | None:
    """A metric of the best weights as it can be drawn; None if there is none."""
    value = record.metrics.get(key)
    if not isinstance(value, float) or not np.isfinite(value):
        return None
    return float(drawable(np.array([value]))[0])


def _calibrated(record: RunRecord) -> str:
    """Said of scores that are not those of the weights in the log."""
    is_calibrated = record.calibration is not None and record.calibration.changes("best")
    return ", calibrated" * is_calibrated


def _mark_test(axes: Axes, epoch: int, value: float, label: str) -> None:
    """Mark the score of the test set, and its level."""
    style = split_style("test")
    axes.axhline(value, color=style.colour, linestyle=style.dashes, linewidth=0.9, zorder=1)
    axes.plot(
        [epoch], [value], color=style.colour, linestyle=style.dashes, linewidth=0.9,
        marker=style.marker, markersize=6.5, zorder=4, label=label,
    )  # fmt: skip


def _mark_best(axes: Axes, subject: Subject, value: float) -> None:
    """A ring at the metric of the best weights, and its epoch above the axes, where no curve is."""
    epoch, last = subject.record.best_epoch, subject.lines[-1].epoch
    axes.plot(
        [epoch], [value], linestyle="none", marker="o", markersize=9, markerfacecolor="none",
        markeredgecolor=INK, markeredgewidth=1.2, zorder=5, clip_on=False,
        label=f"best epoch{_calibrated(subject.record)}",
    )  # fmt: skip
    fraction = epoch / max(last, 1)
    axes.text(
        epoch, 1.015, f"epoch {epoch:,}", transform=axes.get_xaxis_transform(), fontsize=8.5,
        color=MUTED, ha="left" if fraction < 0.1 else "right" if fraction > 0.9 else "center",
    )  # fmt: skip


def _best_epoch(record: RunRecord) -> str:
    return f"best epoch {record.best_epoch:,}" if record.has_results else ""


_LOWEST = -0.25
"""R² below this shows only how bad the initial weights were."""


def _cut(axes: Axes, values: Array) -> str:
    """Cut the axis of R² at its lower end if it would hide the differences at the upper one."""
    finite = values[np.isfinite(values)]
    if not len(finite) or finite.min() >= 2 * _LOWEST or finite[-1] <= 0:
        return ""
    axes.set_ylim(_LOWEST, 1.05)
    lowest = rounded(float(finite.min()), 4)
    return with_minus(f"R² is cut at {_LOWEST}; its lowest value is {lowest}")
