"""The sweeps of a folder, as lists of runs show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bpcli.errors import RunError
from bpcli.runs.layout import LOCK
from bpcli.runs.lock import is_held
from bpcli.sweeps.folder import SweepFolder, SweepRecord, list_sweeps
from bpcli.sweeps.ranking import Criterion


def listed_sweeps(runs_dir: Path) -> list[dict[str, Any]]:
    """The documents of the sweeps in a folder, newest first.

    `best` is the best value of a training; `error` says why a sweep cannot be read.
    """
    return [listed_sweep(sweep) for sweep in list_sweeps(runs_dir)]


def listed_sweep(sweep: SweepFolder) -> dict[str, Any]:
    """The document of a sweep in a list."""
    try:
        record, results = sweep.record(), sweep.results()
    except RunError as error:
        return {"sweep": sweep.sweep_id, "status": "damaged", "error": str(error)}
    criterion = Criterion(record.metric)
    latest = {result.name: result for result in results}
    ranked = criterion.ranked([*latest.values()])
    return {
        "sweep": sweep.sweep_id,
        "kind": record.kind,
        "name": record.name,
        "started": record.started,
        "status": _status(sweep, record, len(latest)),
        "trainings": record.trainings,
        "ended": len(latest),
        "failed": sum(each.has_failed for each in latest.values()),
        "metric": record.metric,
        "best": criterion.value_of(ranked[0]) if ranked else None,
    }


def _status(sweep: SweepFolder, record: SweepRecord, results: int) -> str:
    if is_held(sweep.folder / LOCK):
        return "running"
    is_complete = bool(record.ended) and results >= record.trainings
    return "finished" if is_complete else "interrupted, resumable"
