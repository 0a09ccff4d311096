"""The scores of a run, as `bpnet eval --json` prints them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bpcli.api.configs import AnyPath
from bpcli.api.documents import Document, text_of
from bpcli.api.warn import warn
from bpcli.data.types import DataFrame, SplitName
from bpcli.errors import ConfigError, GateFailed, RunError
from bpcli.metrics.requirements import Requirement
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.runs.trained import Trained, Weights, load_trained
from bpcli.terminal.calibration import calibration_table
from bpcli.terminal.grid import Grid
from bpcli.terminal.tables import class_table, confusion_table, coverage_table, scores_tables
from bpcli.workflows.calibrate import calibration_effect
from bpcli.workflows.evaluate import SplitEvaluation, default_split, evaluate, judge_run
from bpcli.workflows.intervals import Coverage, Method, coverage, cross_coverage


class Interval(NamedTuple):
    """The intervals whose coverage is measured."""

    level: float
    method: Method
    by: str | None


def evaluation(
    run: Run,
    weights: Weights,
    split: SplitName | None,
    data: DataFrame | AnyPath | None,
    intervals: bool | None,
    require: Sequence[str],
    interval: Interval | None,
) -> Document:
    """The document of the scores; see `Run.evaluate`."""
    if split is not None and data is not None:
        raise ConfigError("`data` and `split` both select the rows to score: use only one.")
    conditions = [require] if isinstance(require, str) else require
    requirements = [Requirement.parse(text) for text in conditions]
    with repeatable_numerics():
        if data is None:
            trained, chosen = load_trained(run, weights), split
        else:
            others = interval is not None or any(each.split != "data" for each in requirements)
            trained, chosen = _with_data(run, weights, data, others), "data"
        scored = evaluate(trained, chosen or default_split(trained.experiment), intervals)
        verdicts = judge_run(trained, scored, requirements)
        covered = None if interval is None else _coverage(trained, scored, interval, weights, data)
        calibration = calibration_effect(trained, scored.split)
    warn((*trained.notes, *scored.notes))
    document = {"run_id": run.run_id, "weights": weights, **scored.to_json()}
    if covered is not None:
        warn(covered.calibrated.columns.unpromised)
        document["coverage"] = covered.to_json()
    if calibration is not None:
        document["calibration"] = calibration
    document["required"] = [verdict.to_json() for verdict in verdicts]
    failed = [verdict.sentence for verdict in verdicts if not verdict.passed]
    if failed:
        raise GateFailed(f"{'; '.join(failed)}.")
    return Document(document, text_of(_tables(trained.record, document)))


def _coverage(
    trained: Trained,
    scored: SplitEvaluation,
    interval: Interval,
    weights: Weights,
    data: DataFrame | AnyPath | None,
) -> Coverage:
    level, method, by = interval
    if method != "cross" or data is None:
        return coverage(trained, scored.split, level, method, by=by)

    def other_rows(run: Run) -> Trained:
        return _with_data(run, weights, data, needs_splits=False)

    return cross_coverage(trained, level, by, weights, other_rows)


def _tables(record: RunRecord, document: dict[str, Any]) -> Iterator[Grid]:
    yield from scores_tables(record, document)
    if "classes" in document:
        yield class_table(document)
        yield confusion_table(document)
    if "coverage" in document:
        yield coverage_table(document["coverage"])
    calibration = document.get("calibration", {})
    if "before" in calibration:
        yield calibration_table(calibration["before"], calibration["after"])


def _with_data(
    run: Run, weights: Weights, data: DataFrame | AnyPath, needs_splits: bool
) -> Trained:
    """The run with other rows as its split `data`."""
    from bpcli.workflows.other_data import load_to_score, with_frame, with_other_data

    trained, notes = load_to_score(run, weights, needs_splits)
    if isinstance(data, str | os.PathLike):
        trained, more = with_other_data(trained, Path(data), {})
        warn((*notes, *more))
        return trained
    encoder = trained.experiment.table.encoder
    if encoder is None:
        raise RunError(
            "`data` needs a run that was trained on a table in a file, because columns are "
            "matched by name."
        )
    trained, others = with_frame(trained, data, encoder)
    warn((*notes, *others))
    return trained
