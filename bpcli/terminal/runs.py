"""Tables of runs: many in a list, or two and what they do not have in common."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bpcli.terminal.grid import Grid
from bpcli.terminal.tables import named_text
from bpcli.text import duration, plain, rounded

_MOST_KEYS = 6
_SPLITS = ("val", "test")


def runs_table(
    records: Sequence[Mapping[str, Any]], differing: Sequence[str], now: float
) -> tuple[Grid, list[str]]:
    """A row a run, and the columns that may go where there is no room for all.

    Beside what became of a run stand the keys in which the configs differ.
    """
    keys, scores = differing[:_MOST_KEYS], _score_columns(records)
    columns = {
        "run": [str(record["run_id"]) for record in records],
        "tags": [", ".join(record.get("tags", [])) for record in records],
        "fold": [_fold_text(record) for record in records],
        "age": [_age(record, now) for record in records],
        "status": [str(record["status"]) for record in records],
        "stop reason": [str(record.get("stop_reason", "-")) for record in records],
        **scores,
        **{_heading(key, keys): _config_cells(records, key) for key in keys},
        "epochs": [str(record.get("epochs", "-")) for record in records],
        "time": [_time(record) for record in records],
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
        *(_heading(key, keys) for key in reversed(keys)),
        "stop reason",
        "age",
        "fold",
        "tags",
        *scores,
    ]
    return grid, [name for name in expendable if name in kept]


def _heading(key: str, keys: Sequence[str]) -> str:
    """The last part of a key where that is enough."""
    last = key.rpartition(".")[2]
    others = [each.rpartition(".")[2] for each in keys if each != key]
    return key if last in ("epochs", *others) else last


def _config_cells(records: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    return [_value_text(record.get("config", {}).get(key)) for record in records]


def _splits(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Validation and test where any run has them; training for those that have neither."""
    paths = [path for record in records for path in record.get("metrics") or {}]
    found = [split for split in _SPLITS if any(path.startswith(f"{split}.") for path in paths)]
    return found if found and all(map(_is_scored_apart, records)) else ["train", *found]


def _is_scored_apart(record: Mapping[str, Any]) -> bool:
    metrics = record.get("metrics") or {}
    return not metrics or any(path.partition(".")[0] in _SPLITS for path in metrics)


def _score_columns(records: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The scores of the best weights, a column a split: the first metric but the loss of each.

    Where all runs have the same metric, it stands in the heading.
    """
    columns = {}
    for split in _splits(records):
        found = [_first_metric(record.get("metrics") or {}, split) for record in records]
        names = {metric for metric, _ in found if metric}
        heading = f"{split}.{names.pop()}" if len(names) == 1 else split
        is_told = heading == split
        columns[heading] = [
            "-" if metric is None else f"{metric} " * is_told + rounded(value, 4)
            for metric, value in found
        ]
    return columns


def _first_metric(
    metrics: Mapping[str, float | None], split: str
) -> tuple[str | None, float | None]:
    own = {path.removeprefix(f"{split}."): value for path, value in metrics.items()
           if path.startswith(f"{split}.")}  # fmt: skip
    chosen = next((name for name in own if not name.startswith("loss")), None)
    return (chosen, own[chosen]) if chosen else (None, None)


def headline(record: Mapping[str, Any]) -> tuple[str | None, float | None]:
    """The path and value that stand for a run: of its last split, the first metric but the loss."""
    metrics = record.get("metrics") or {}
    split = next(reversed(metrics), "").partition(".")[0]
    metric, value = _first_metric(metrics, split)
    return (None if metric is None else f"{split}.{metric}"), value


def _fold_text(record: Mapping[str, Any]) -> str:
    fold = record.get("fold")
    return f"{fold['number']} of {fold['of']}" if fold else "-"


def _time(record: Mapping[str, Any]) -> str:
    seconds = record.get("seconds")
    return "-" if seconds is None else duration(seconds)


def _age(record: Mapping[str, Any], now: float) -> str:
    """How long ago a run began, in one unit."""
    try:
        started = time.mktime(time.strptime(str(record["run_id"])[:15], "%Y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        return "-"
    age = max(0.0, now - started)
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
        if age >= seconds:
            return f"{int(age // seconds)} {unit}"
    return f"{int(age)} s"


def _value_text(value: Any) -> str:
    """A value of a config, as short as a table needs it."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, list):
        return plain(f"[{', '.join(map(_value_text, value))}]", 40)
    if isinstance(value, dict) and "name" in value:
        return plain(named_text(value), 40)
    if isinstance(value, dict):
        return plain(", ".join(f"{key} {_value_text(inner)}" for key, inner in value.items()), 40)
    return plain(str(value), 40)


def difference_table(document: Mapping[str, Any], section: str, title: str) -> Grid:
    """What two runs do not have alike, a row a key."""
    table = Grid([title, *document["runs"]], 3)
    for key, values in document[section].items():
        table.add_row(key, *(_short(value) for value in values))
    return table


def _short(value: Any) -> str:
    """Digests say no more by all their digits."""
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return f"{value.removeprefix('sha256:')[:12]}..."
    return "-" if value is None else _value_text(value)


_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}")


def losses_table(document: Mapping[str, Any]) -> Grid:
    """The losses of two runs, side by side."""
    table = Grid(["epoch", *document["runs"]], 0)
    for line in document["losses"]:
        table.add_row(str(line["epoch"]), *(rounded(loss) for loss in line["loss"]))
    return table
