"""The runs of one cross-validation, and the means of their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from bpcli.runs.references import list_runs
from bpcli.runs.run_json import RunRecord
from bpcli.runs.saved import Scores


@dataclass(frozen=True)
class Summary:
    """A metric over the folds: its values, and their mean and standard deviation (n - 1).

    `folds` is the number of folds where the metric is defined; r2, for example, needs targets that
    differ. Undefined values are None and do not count.
    """

    mean: float | None
    sd: float | None
    values: list[float | None]
    folds: int

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Summary:
        known = [value for value in values if value is not None]
        try:
            spread = stdev(known) if len(known) > 1 else None
        except OverflowError:  # larger than any float
            spread = None
        return cls(mean(known) if known else None, spread, list(values), len(known))


def document_of(records: Sequence[RunRecord]) -> dict[str, Any]:
    """Return the document of a cross-validation: its runs in order, and a summary of each metric.

    Only folds that were trained to the end count in the summary.
    """
    ended = [record for record in records if record.status == "finished"]
    fold = records[0].fold
    assert fold is not None, "they are folds"
    baselines = list(ended[0].baselines) if ended else []
    return {
        "group": fold.group,
        "of": fold.of,
        "finished": len(ended),
        "folds": [record.to_json() for record in records],
        "summary": _summary([record.metrics for record in ended]),
        "baselines": {
            label: _summary([record.baselines.get(label, {}) for record in ended])
            for label in baselines
        },
    }


def _summary(scores: Sequence[Scores]) -> dict[str, Any]:
    paths = dict.fromkeys(path for each in scores for path in each)
    return {path: vars(Summary.of([each.get(path) for each in scores])) for path in paths}


def siblings(record: RunRecord, runs_dir: Path) -> list[RunRecord]:
    """Return the records of the folds that were trained with this one, itself included."""
    if record.fold is None:
        return []
    group = record.fold.group
    others = (run.record_or_damage() for run in list_runs(runs_dir))
    folds = [
        (each.fold.number, each)
        for each in others
        if isinstance(each, RunRecord) and each.fold is not None and each.fold.group == group
    ]
    return [each for _, each in sorted(folds, key=lambda pair: pair[0])]
