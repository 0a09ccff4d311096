"""Tables of scores.

Cells are plain text, never markup: names of runs and classes may hold any character.

"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bpcli.runs.run_json import Description
from bpcli.terminal.grid import Grid
from bpcli.text import rounded


def scores_tables(record: Description, document: Mapping[str, Any]) -> Iterator[Grid]:
    """The tables of the scores in a document: of all targets together, then of each of several.

    The document has `metrics` and `baselines` by path, and may have `intervals` and `labels`.
    """
    yield _scores_table(record, document)
    if any(is_of_one_target(path) for path in document["metrics"]):
        yield _targets_table(record, document)


def is_of_one_target(path: str) -> bool:
    """Whether a path such as `test.rmse.height` has one of several targets."""
    return path.count(".") > 1


def _scores_table(record: Description, document: Mapping[str, Any]) -> Grid:
    """One row per metric: its value on each split, then intervals and baselines of the last split.

    The loss is the mean data loss (without L2) of scaled outputs and targets.
    """
    scores, baselines = document["metrics"], document["baselines"]
    intervals = document.get("intervals")
    paths = [path for path in scores if not is_of_one_target(path)]
    splits = list(dict.fromkeys(path.partition(".")[0] for path in paths))
    metrics = list(dict.fromkeys(path.partition(".")[2] for path in paths))
    columns = [f"{label} ({split})" for label in baselines for split in splits[-1:]]
    table = Grid(["metric", *splits, *([] if intervals is None else ["95 % interval"]), *columns])
    loss = "weighted mean loss" if record.weighted else "mean loss"
    labels = {
        "loss": f"{loss} (scaled)" if record.targets_scaled else loss,
        "loss_original": f"{loss} (original units)",
        **(_OF_LABELS if record.task == "multilabel" else {}),
    }
    for metric in metrics:
        last = f"{splits[-1]}.{metric}"
        table.add_row(
            labels.get(metric, metric),
            *(rounded(scores.get(f"{split}.{metric}")) for split in splits),
            *([] if intervals is None else [_interval_text(intervals.get(last))]),
            *(rounded(values.get(last)) for values in baselines.values()),
        )
    return table


_OF_LABELS = {
    "precision": "precision (macro)",
    "recall": "recall (macro)",
    "f1": "F1 (macro)",
    "f1_micro": "F1 (micro)",
    "roc_auc": "roc_auc (macro)",
}
"""Metrics that are means over labels, as tables call them."""

_MOST_TARGETS = 40


def _targets_table(record: Description, document: Mapping[str, Any]) -> Grid:
    """One row per target: its metrics on the last split, and the baselines of the first metric."""
    scores, rows = document["metrics"], {each["name"]: each for each in document.get("labels", ())}
    split = list(dict.fromkeys(path.partition(".")[0] for path in scores))[-1]
    paths = [path.split(".", 2) for path in scores if path.startswith(f"{split}.")]
    own = [path[1:] for path in paths if len(path) > 2]
    metrics = list(dict.fromkeys(metric for metric, _ in own))
    targets = list(dict.fromkeys(target for _, target in own))
    noun = "label" if record.task == "multilabel" else "target"
    baselines = [f"{label} {metrics[0]}" for label in document["baselines"]]
    counts = ["rows with 1"] if rows else []
    table = Grid([f"{noun} ({split})", *counts, *metrics, *baselines])
    for target in targets[:_MOST_TARGETS]:
        table.add_row(
            target,
            *([str(rows[target]["rows"][1])] if rows else []),
            *(rounded(scores.get(f"{split}.{metric}.{target}")) for metric in metrics),
            *(
                rounded(values.get(f"{split}.{metrics[0]}.{target}"))
                for values in document["baselines"].values()
            ),
        )
    if len(targets) > _MOST_TARGETS:
        more = f"{len(targets) - _MOST_TARGETS} more: use --json"
        table.add_row(more, *[""] * (len(counts) + len(metrics) + len(baselines)))
    return table


def paired_table(document: Mapping[str, Any]) -> Grid:
    """One row per metric: the two runs, their difference, and its interval."""
    scores, intervals = [run["metrics"] for run in document["runs"]], document.get("intervals")
    names = [run["name"] for run in document["runs"]]
    ends = [] if intervals is None else ["95 % interval"]
    table = Grid(["metric", *names, "difference", *ends])
    for path, difference in document["differences"].items():
        table.add_row(
            path,
            *(rounded(values[path]) for values in scores),
            rounded(difference, 4),
            *([] if intervals is None else [_interval_text(intervals[path])]),
        )
    return table


def _interval_text(interval: Sequence[float] | None) -> str:
    """Both ends with four digits; large ones with all digits before the decimal point."""
    if interval is None:
        return "-"
    return " to ".join(
        f"{end:.0f}" if 1e4 <= abs(end) < 1e6 else rounded(end, 4) for end in interval
    )


def coverage_table(coverage: Mapping[str, Any]) -> Grid:
    """One row per target: how often it is in its interval or set, and how large these are.

    Below them are the same rows for each category, if the intervals are computed by categories.
    """
    targets = coverage["targets"]
    size = "mean width" if "mean_width" in targets[0] else "mean number of classes"
    table = Grid([f"{100 * coverage['level']:g} % intervals", "coverage", "95 % interval", size])
    rows = [(row["name"], row) for row in targets]
    for category in coverage.get("categories", ()):
        rows += [(f"{row['name']}, {category['name']}", row) for row in category["targets"]]
    for name, row in rows:
        table.add_row(
            name,
            rounded(row["coverage"], 4),
            _interval_text(row["interval"]),
            rounded(row[size.replace("number of ", "").replace(" ", "_")], 4),
        )
    return table


def class_table(document: Mapping[str, Any]) -> Grid:
    """Precision, recall and F1 of each class."""
    table = Grid(["class", "precision", "recall", "F1", "rows"])
    for scores in document["classes"]:
        shares = (f"{scores[key]:.4f}" for key in ("precision", "recall", "f1"))
        table.add_row(scores["name"], *shares, str(scores["rows"]))
    return table


def confusion_table(document: Mapping[str, Any]) -> Grid:
    """One row per true class, one column per predicted class."""
    names = [scores["name"] for scores in document["classes"]]
    table = Grid(["true \\ predicted", *names])
    for name, counts in zip(names, document["confusion"], strict=True):
        table.add_row(name, *map(str, counts))
    return table
