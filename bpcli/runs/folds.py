"""The runs of one cross-validation, and what their scores have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from bpcli.runs.references import list_runs
from bpcli.runs.store import Record


@dataclass(frozen=True)
class Summary:
    """A metric over the folds: its values, their mean and standard deviation (n - 1)."""

    mean: float | None
    sd: float | None
    values: list[float | None]

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Summary:
        known = [value for value in values if value is not None]
        try:
            spread = stdev(known) if len(known) > 1 else None
        except OverflowError:  # of the squares
            spread = None
        return cls(mean(known) if known else None, spread, list(values))


def document_of(records: Sequence[Record]) -> dict[str, Any]:
    """One document: the runs of a cross-validation in order, and a summary of each metric.

    Only folds that were trained to the end count in the summary.
    """
    ended = [record for record in records if record["status"] == "finished"]
    baselines = list(ended[0]["baselines"]) if ended else []
    return {
        "group": records[0]["fold"]["group"],
        "of": records[0]["fold"]["of"],
        "finished": len(ended),
        "folds": list(records),
        "summary": _summary([record["metrics"] for record in ended]),
        "baselines": {
            label: _summary([record["baselines"].get(label, {}) for record in ended])
            for label in baselines
        },
    }


def _summary(scores: Sequence[Record]) -> dict[str, Any]:
    paths = scores[0] if scores else {}
    return {path: vars(Summary.of([each.get(path) for each in scores])) for path in paths}


def siblings(record: Record, runs_dir: Path) -> list[Record]:
    """The records of the folds that were trained together with this one, itself included."""
    if "fold" not in record:
        return []
    records = (run.record_or_damage() for run in list_runs(runs_dir))
    folds = [each for each in records if "fold" in each]
    found = [each for each in folds if each["fold"]["group"] == record["fold"]["group"]]
    return sorted(found, key=lambda each: int(each["fold"]["number"]))
