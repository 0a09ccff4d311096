"""Lists and comparisons of runs: sorting, and the config keys that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from bpcli.errors import RunError
from bpcli.metrics.metrics import greater_is_better
from bpcli.runs.integrity import checked_log
from bpcli.runs.layout import WEIGHTS
from bpcli.runs.metrics_log import LogLine
from bpcli.runs.run_json import RunRecord, Unreadable
from bpcli.runs.store import Run

Listed: TypeAlias = RunRecord | Unreadable

_FACTS = ("run_id", "name", "status", "stop_reason", "epochs", "best_epoch", "seconds", "n_params")


def sorted_by(records: Sequence[Listed], key: str) -> list[Listed]:
    """Sort records by a fact, a metric path or a config key; for a metric, the best come first.

    Runs without it come last, and equal ones keep their order. Raises `RunError` if none has
    it.
    """
    values = [value_of(record, key) for record in records]
    if records and all(value is None for value in values):
        raise RunError(
            f"No run has `{key}` to sort by: give a metric such as test.accuracy, a key of the "
            f"config such as training.learning_rate, or {', '.join(_FACTS)}."
        )
    known = [pair for pair in zip(values, records, strict=True) if pair[0] is not None]
    unknown = [record for value, record in zip(values, records, strict=True) if value is None]
    is_falling = greater_is_better(key.partition(".")[2])
    known.sort(key=lambda pair: _order(pair[0]), reverse=is_falling)
    return [record for _, record in known] + unknown


def value_of(record: Listed, key: str) -> object:
    """Return a record's value of a fact, a metric path or a config key; None if it has none."""
    if key in _FACTS:
        return record.to_json().get(key)
    value = record.metrics.get(key)
    return record.config.get(key) if value is None else value


def _order(value: object) -> tuple[int, float, str]:
    """Sort numbers by value, before texts in alphabetical order."""
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1, 0.0, str(value))


def differing_keys(records: Sequence[Listed]) -> list[str]:
    """Return the config keys in which the runs differ, without names and folds.

    Keys of the data come last, as they are changed least often.
    """
    configs = [record.config for record in records if isinstance(record, RunRecord)]
    keys = [
        key for key in _all_keys(configs) if key not in _SHOWN_ELSEWHERE and _differs(configs, key)
    ]
    return sorted(keys, key=lambda key: key.startswith("data."))


_SHOWN_ELSEWHERE = ("name", "data.split.fold")


def differences(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, list[object]]:
    """Return the differences of two flat mappings: by key, both values, None for a missing one."""
    both = [one, other]
    return {key: [each.get(key) for each in both] for key in _all_keys(both) if _differs(both, key)}


def _all_keys(mappings: Sequence[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))


def _differs(mappings: Sequence[Mapping[str, object]], key: str) -> bool:
    """Compare JSON values; `1` and `true` differ, a missing value and null do not."""
    first, *others = [mapping.get(key) for mapping in mappings]
    return any(type(value) is not type(first) or value != first for value in others)


def document_of_difference(runs: tuple[Run, Run]) -> dict[str, Any]:
    """Compare two runs: config, environment, results, and their losses side by side."""
    one, other = (run.record() for run in runs)
    return {
        "runs": [one.run_id, other.run_id],
        "config": differences(one.config, other.config),
        "environment": differences(_environment(one), _environment(other)),
        "results": differences(_results(one), _results(other)),
        "losses": _losses_side_by_side(*(checked_log(run) for run in runs)),
    }


def _losses_side_by_side(
    one: Sequence[LogLine], other: Sequence[LogLine]
) -> list[dict[str, object]]:
    """Return the losses of about ten epochs that both logs have, and of the last epoch of each."""
    curves = [{line.epoch: line.loss for line in lines} for lines in (one, other)]
    common = sorted(curves[0].keys() & curves[1].keys())
    ends = [max(curve) for curve in curves if curve]
    shown = {*common[:: max(1, -(-len(common) // _LINES))], *ends}
    return [
        {"epoch": epoch, "loss": [curve.get(epoch) for curve in curves]} for epoch in sorted(shown)
    ]


_LINES = 10


def _environment(record: RunRecord) -> dict[str, object]:
    machine = record.machine.to_json()
    del machine["versions"]
    versions = {f"versions.{name}": version for name, version in record.versions.items()}
    return {"data_sha256": record.data_sha256, **versions, **machine}


def _results(record: RunRecord) -> dict[str, object]:
    keys = ("status", "stop_reason", "epochs", "best_epoch", "seconds")
    facts = {key: value for key, value in record.to_json().items() if key in keys}
    return {**facts, "sha256 of weights": record.sha256.get(WEIGHTS), **record.metrics}
