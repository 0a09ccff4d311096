"""The scores of a run, as `bpnet eval --json` prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bpcli.api.configs import AnyPath
from bpcli.api.documents import Document, text_of
from bpcli.api.warn import warn
from bpcli.data.types import DataFrame, SplitName
from bpcli.errors import ConfigError
from bpcli.metrics.requirements import Requirement
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.runs.trained import Weights
from bpcli.terminal.calibration import calibration_table
from bpcli.terminal.grid import Grid
from bpcli.terminal.scores import class_table, confusion_table, coverage_table, scores_tables
from bpcli.workflows.score_run import Asked, load_given_rows, load_rows, score_run


def evaluation(
    run: Run,
    weights: Weights,
    split: SplitName | None,
    data: DataFrame | AnyPath | None,
    asked: Asked,
) -> Document:
    """The document of the scores; see `Run.evaluate`."""
    if split is not None and data is not None:
        raise ConfigError("`data` and `split` both select the rows to score: use only one.")
    with repeatable_numerics():
        if data is None:
            rows = load_rows(run, weights, split)
        else:
            rows = load_given_rows(run, weights, data, {}, needs_splits=asked.needs_splits)
        scored = score_run(rows, asked)
    warn((*rows.notes, *scored.evaluation.notes))
    if scored.coverage is not None:
        warn(scored.coverage.calibrated.columns.unpromised)
    scored.require_passed()
    document = scored.to_json()
    return Document(document, text_of(_tables(rows.trained.record, document)))


def requirements_of(require: Sequence[str]) -> list[Requirement]:
    """The conditions of a text or of several. Raises `ConfigError` for one that is not valid."""
    conditions = [require] if isinstance(require, str) else require
    return [Requirement.parse(text) for text in conditions]


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
