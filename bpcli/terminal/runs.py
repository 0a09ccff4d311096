"""Tables of runs: a list of many, and the differences between two and their machines."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bpcli.runs.listing import Listed
from bpcli.runs.machines import texts
from bpcli.runs.run_json import Machine, RunRecord, Unreadable
from bpcli.runs.saved import Scores
from bpcli.terminal.cells import key_heading, value_text
from bpcli.terminal.grid import Facts, Grid
from bpcli.text import duration, rounded

_MOST_KEYS = 6
_OWN = ("epochs",)
"""Headings of columns that a key of the config could have too."""

_SPLITS = ("val", "test")


def runs_table(
    records: Sequence[Listed], tags: Sequence[Sequence[str]], differing: Sequence[str], now: float
) -> tuple[Grid, list[str]]:
    """Return a table with one row per run, and the columns to drop if there is no room.

    It shows tags, status, scores, and the config keys in which the runs differ.
    """
    keys, scores = differing[:_MOST_KEYS], _score_columns(records)
    columns: dict[str, list[str]] = {
        "run": [record.run_id for record in records],
        "tags": [", ".join(each) for each in tags],
        "fold": _cells(records, _fold_text),
        "age": [_age(record.run_id, now) for record in records],
        "status": [record.status for record in records],
        "stop reason": _cells(records, lambda record: record.stop_reason or "-"),
        **scores,
        **{
            key_heading(key, keys, _OWN): [value_text(record.config.get(key)) for record in records]
            for key in keys
        },
        "epochs": _cells(records, epochs_text),
        "time": _cells(records, _time),
    }
    kept = {
        name: cells
        for name, cells in columns.items()
        if name not in ("tags", "fold") or any(cell not in ("", "-") for cell in cells)
    }
    grid = Grid([*kept], len(kept) - 2)
    for cells in zip(*kept.values(), strict=True):
        grid.add_row(*cells)
    expendable = [
        "time",
        "epochs",
        *(key_heading(key, keys, _OWN) for key in reversed(keys)),
        "stop reason",
        "age",
        "fold",
        "tags",
        *scores,
    ]
    return grid, [name for name in expendable if name in kept]


def _cells(records: Sequence[Listed], text: Callable[[RunRecord], str]) -> list[str]:
    """One cell per record, with a dash for a record that cannot be read."""
    return ["-" if isinstance(each, Unreadable) else text(each) for each in records]


def _splits(records: Sequence[Listed]) -> list[str]:
    """Validation and test set if any run has them; the training set if a run has neither."""
    paths = [path for record in records for path in record.metrics]
    splits = [split for split in _SPLITS if any(path.startswith(f"{split}.") for path in paths)]
    return splits if splits and all(map(_has_other_scores, records)) else ["train", *splits]


def _has_other_scores(record: Listed) -> bool:
    """True unless a record has scores of its training set only."""
    known = {path.partition(".")[0] for path in record.metrics}
    return not known or bool(known & {*_SPLITS})


def _score_columns(records: Sequence[Listed]) -> dict[str, list[str]]:
    """The scores of the best weights, one column per split: the first metric that is not a loss.

    If all runs have the same metric, the heading names it, else each cell does.
    """
    columns = {}
    for split in _splits(records):
        scores = [_first_metric(record.metrics, split) for record in records]
        names = {metric for metric, _ in scores if metric}
        heading = f"{split}.{names.pop()}" if len(names) == 1 else split
        columns[heading] = [
            "-" if metric is None else f"{metric} " * (heading == split) + rounded(value, 4)
            for metric, value in scores
        ]
    return columns


def _first_metric(metrics: Scores, split: str) -> tuple[str | None, float | None]:
    own = {path.removeprefix(f"{split}."): value for path, value in metrics.items()
           if path.startswith(f"{split}.")}  # fmt: skip
    chosen = next((name for name in own if not name.startswith("loss")), None)
    return (chosen, own[chosen]) if chosen else (None, None)


def sweeps_table(sweeps: Sequence[Mapping[str, Any]], now: float) -> tuple[Grid, list[str]]:
    """Return a table with one row per sweep, and the columns to drop if there is no room."""
    grid = Grid(
        ["sweep", "kind", "age", "status", "trainings", "failed", "metric", "best training"],
        text_names=["kind", "age", "status", "trainings", "metric"],
    )
    for each in sweeps:
        facts = [each["sweep"], each.get("kind", "-"), _age(each["sweep"], now), each["status"]]
        if "error" in each:
            grid.add_row(*facts, "-", "-", "-", "-")
            continue
        count = f"{each['ended']} of {each['trainings']}"
        best = rounded(each["best"], 4)
        grid.add_row(*facts, count, str(each["failed"]), each["metric"], best)
    return grid, ["failed", "age", "kind", "metric"]


def headline(record: RunRecord) -> tuple[str | None, float | None]:
    """Path and value of a run's main score: its last split's first metric that is not a loss."""
    split = next(reversed(record.metrics), "").partition(".")[0]
    metric, value = _first_metric(record.metrics, split)
    return (None if metric is None else f"{split}.{metric}"), value


def _fold_text(record: RunRecord) -> str:
    return "-" if record.fold is None else f"{record.fold.number} of {record.fold.of}"


def epochs_text(record: RunRecord) -> str:
    """The number of epochs, or a dash if it is not known yet."""
    return str(record.epochs) if record.has_results else "-"


def _time(record: RunRecord) -> str:
    return duration(record.seconds) if record.has_results else "-"


def _age(run_id: str, now: float) -> str:
    """The time since a run or a sweep began, in one unit."""
    try:
        started = time.mktime(time.strptime(run_id[:15], "%Y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        return "-"
    age = max(0.0, now - started)
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
        if age >= seconds:
            return f"{int(age // seconds)} {unit}"
    return f"{int(age)} s"


def difference_table(document: Mapping[str, Any], section: str, title: str) -> Grid:
    """The differences between two runs, one row per key."""
    table = Grid([title, *document["runs"]], 3)
    for key, values in document[section].items():
        table.add_row(key, *(_short(value) for value in values))
    return table


def _short(value: object) -> str:
    """A value as text; digests are shortened."""
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return f"{value.removeprefix('sha256:')[:12]}..."
    return "-" if value is None else value_text(value)


_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}")


def losses_table(document: Mapping[str, Any]) -> Grid:
    """The losses of two runs, side by side."""
    table = Grid(["epoch", *document["runs"]], 0)
    for line in document["losses"]:
        table.add_row(str(line["epoch"]), *(rounded(loss) for loss in line["loss"]))
    return table


def machine_facts(then: Machine, now: Machine) -> Facts:
    """Versions, processor and its instructions, for both machines if they differ."""
    was, is_now = texts(then), texts(now)
    names = dict.fromkeys([*was, *is_now])
    return [(name, _both(was.get(name, "-"), is_now.get(name, "-"))) for name in names]


def _both(was: str, is_now: str) -> str:
    return f"{was}, then and now" if was == is_now else f"then {was}, now {is_now}"
