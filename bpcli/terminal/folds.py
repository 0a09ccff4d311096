"""Tables and lines of a cross-validation: its folds, and their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bpcli.runs.run_json import RunRecord
from bpcli.terminal.grid import Grid
from bpcli.terminal.runs import epochs_text, headline
from bpcli.terminal.scores import is_of_one_target
from bpcli.text import duration, rounded

_SPLIT = "test."


def fold_line(record: RunRecord) -> str:
    """The result of one fold in a line."""
    fold, (metric, value) = record.fold, headline(record)
    assert fold is not None, "the run is a fold"
    score = "" if metric is None else f", {metric} {rounded(value)}"
    return (
        f"fold {fold.number} of {fold.of}: {record.run_id}, epoch {record.epochs}{score}, "
        f"{duration(record.seconds)}, stop reason: {record.stop_reason}"
    )


def folds_table(records: Sequence[RunRecord]) -> Grid:
    """One row per fold: its run, and its scores on its test rows."""
    known = dict.fromkeys(path for record in records for path in record.metrics)
    paths = [path for path in known if path.startswith(_SPLIT) and not is_of_one_target(path)]
    table = Grid(["fold", "run", "status", "epochs", *paths], 3)
    for record in records:
        table.add_row(
            "-" if record.fold is None else str(record.fold.number),
            record.run_id,
            record.status,
            epochs_text(record),
            *(rounded(record.metrics.get(path)) for path in paths),
        )
    return table


def summary_table(document: Mapping[str, Any]) -> Grid:
    """Mean and standard deviation over the finished folds, beside the baselines' means.

    A metric that is undefined or infinite in some folds shows the number of folds that count. A
    baseline shows its own number if that differs.
    """
    count, baselines = document["finished"], document["baselines"]
    table = Grid([f"{count} folds", "mean", "sd", *(f"{label} (mean)" for label in baselines)])
    for path, summary in document["summary"].items():
        if path.startswith(_SPLIT):
            means = (
                _mean(summaries.get(path), summary["folds"]) for summaries in baselines.values()
            )
            some = f" (of {summary['folds']} folds)" * (summary["folds"] < count)
            table.add_row(
                path + some,
                rounded(summary["mean"]),
                rounded(summary["sd"], 3),
                *means,
            )
    return table


def _mean(summary: Mapping[str, Any] | None, folds: int) -> str:
    """A baseline's mean, with its number of folds if that differs from the metric's."""
    if summary is None:
        return "-"
    some = f" (of {summary['folds']} folds)" * (summary["folds"] != folds)
    return f"{rounded(summary['mean'])}{some}"
