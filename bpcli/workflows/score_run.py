"""Score a run on one of its splits or on other rows: metrics, coverage, and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from bpcli.data.files.dialect import Signs
from bpcli.data.types import SplitName
from bpcli.errors import GateFailed
from bpcli.metrics.requirements import Requirement, Verdict
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained, Weights, load_trained, load_without_rows
from bpcli.workflows.calibrate import calibration_effect
from bpcli.workflows.evaluate import SplitEvaluation, default_split, evaluate, judge_run
from bpcli.workflows.intervals import Coverage, Method, coverage, cross_coverage
from bpcli.workflows.other_data import GivenRows, load_to_score, with_given_rows

Interval: TypeAlias = tuple[float, Method, str | None]
"""The level, the method and the column of intervals whose coverage is measured."""


class Asked(NamedTuple):
    """What to compute beside the metrics: their intervals, conditions, and measured coverage."""

    with_intervals: bool | None = None
    requirements: Sequence[Requirement] = ()
    interval: Interval | None = None

    @property
    def needs_splits(self) -> bool:
        """Whether the run's own rows are needed, too, if other rows are scored."""
        return self.interval is not None or any(each.split != "data" for each in self.requirements)


class RowsToScore(NamedTuple):
    """A run, the split of it that is scored, and notes on how both were read.

    `given` are the rows of the split `data`, and the settings of their file.
    """

    trained: Trained
    split: SplitName
    notes: tuple[str, ...]
    given: tuple[GivenRows, Signs] | None = None


def load_rows(run: Run, weights: Weights, split: SplitName | None) -> RowsToScore:
    """A run with one of its splits, by default that of `default_split`."""
    trained = load_trained(run, weights)
    return RowsToScore(trained, split or default_split(trained.experiment), trained.notes)


def load_given_rows(
    run: Run, weights: Weights, data: GivenRows, signs: Signs, *, needs_splits: bool
) -> RowsToScore:
    """A run with other rows as its split `data`. Raises like `with_given_rows`."""
    trained, notes = load_to_score(run, weights, needs_splits)
    trained, more = with_given_rows(trained, data, signs)
    return RowsToScore(trained, "data", (*trained.notes, *notes, *more), (data, signs))


@dataclass(frozen=True)
class ScoredRun:
    """The scores of a run on a split, and what was asked for beside them."""

    trained: Trained
    evaluation: SplitEvaluation
    verdicts: list[Verdict]
    coverage: Coverage | None
    calibration: dict[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """The document of `bpnet eval --json`."""
        named = {"run_id": self.trained.run.run_id, "weights": self.trained.weights}
        document = named | self.evaluation.to_json()
        if self.coverage is not None:
            document["coverage"] = self.coverage.to_json()
        if self.calibration is not None:
            document["calibration"] = self.calibration
        return document | {"required": [verdict.to_json() for verdict in self.verdicts]}

    def require_passed(self) -> None:
        """Raises `GateFailed` naming the conditions that are not met."""
        failed = [verdict.sentence for verdict in self.verdicts if not verdict.passed]
        if failed:
            raise GateFailed(f"{'; '.join(failed)}.")


def score_run(rows: RowsToScore, asked: Asked) -> ScoredRun:
    """Score a run. Raises like `evaluate`, `judge_run` and `coverage`."""
    trained = rows.trained
    evaluation = evaluate(trained, rows.split, asked.with_intervals)
    return ScoredRun(
        trained,
        evaluation,
        judge_run(trained, evaluation, asked.requirements),
        None if asked.interval is None else _coverage(rows, asked.interval),
        calibration_effect(trained, rows.split),
    )


def _coverage(rows: RowsToScore, interval: Interval) -> Coverage:
    level, method, by = interval
    if method != "cross" or rows.given is None:
        return coverage(rows.trained, rows.split, level, method, by=by)
    given = rows.given

    def other_rows(run: Run) -> Trained:
        """The network of a fold, which encodes the rows by itself."""
        return with_given_rows(load_without_rows(run, rows.trained.weights), *given)[0]

    return cross_coverage(rows.trained, level, by, other_rows)
