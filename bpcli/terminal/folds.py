"""Tables and lines of a cross-validation: a row a fold, and what the folds have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bpcli.terminal.grid import Grid
from bpcli.terminal.runs import headline
from bpcli.text import duration, rounded

_SPLIT = "test."


def fold_line(record: Mapping[str, Any]) -> str:
    """How one fold went."""
    fold, (metric, value) = record["fold"], headline(record)
    score = "" if metric is None else f", {metric} {rounded(value)}"
    return (
        f"fold {fold['number']} of {fold['of']}: {record['run_id']}, epoch {record['epochs']}"
        f"{score}, {duration(record['seconds'])}, stop reason: {record['stop_reason']}"
    )


def folds_table(records: Sequence[Mapping[str, Any]]) -> Grid:
    """Each fold's run and its scores on the rows that it did not train on."""
    paths = [path for path in _known_paths(records) if path.startswith(_SPLIT)]
    table = Grid(["fold", "run", "status", "epochs", *paths], 3)
    for record in records:
        metrics = record.get("metrics", {})
        table.add_row(
            str(record["fold"]["number"]),
            str(record["run_id"]),
            str(record["status"]),
            str(record.get("epochs", "-")),
            *(rounded(metrics.get(path)) for path in paths),
        )
    return table


def _known_paths(records: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(path for record in records for path in record.get("metrics", {})))


def summary_table(document: Mapping[str, Any]) -> Grid:
    """Mean and standard deviation over the finished folds, beside the baselines' means."""
    count, baselines = document["finished"], document["baselines"]
    table = Grid([f"{count} folds", "mean", "sd", *(f"{label} (mean)" for label in baselines)])
    for path, summary in document["summary"].items():
        if path.startswith(_SPLIT):
            found = (summaries.get(path, {}).get("mean") for summaries in baselines.values())
            table.add_row(
                path, rounded(summary["mean"]), rounded(summary["sd"], 3), *map(rounded, found)
            )
    return table
