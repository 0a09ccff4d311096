"""`bpnet eval`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from bpcli.cli.common import (
    console,
    examples,
    interval_asked,
    method_options,
    say_notes,
    was_given,
)
from bpcli.cli.dialect import dialect_options
from bpcli.cli.documents import print_json
from bpcli.cli.references import Reference, run_options
from bpcli.errors import ConfigError
from bpcli.text import plural

if TYPE_CHECKING:
    from bpcli.data.types import SplitName
    from bpcli.runs.trained import Trained
    from bpcli.workflows.evaluate import SplitEvaluation
    from bpcli.workflows.intervals import Coverage, Method
    from bpcli.workflows.score_run import Asked, RowsToScore, ScoredRun


@click.command(
    "eval",
    epilog=examples("eval"),
)
@click.argument("run")
@click.argument("other", required=False)
@click.option(
    "--paired",
    is_flag=True,
    help="Compare RUN with OTHER on the same rows: the difference of every metric, with its 95 % "
    "interval, and a test of whether one is better.",
)
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    help="The split to score; default: the test set, else the validation set, else the "
    "training set.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Score the rows of another file with the same columns; this split is called `data`.",
)
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="METRIC>=NUMBER",
    help="Exit with code 4 unless the metric meets this condition (>=, <=, > or <). May be "
    "repeated.",
)
@click.option(
    "--intervals/--no-intervals",
    "with_intervals",
    default=None,
    help="Whether to compute 95 % intervals of the metrics by the bootstrap; default: for up to "
    "20,000 rows.",
)
@click.option(
    "--interval",
    "level",
    type=float,
    metavar="LEVEL",
    help="Measure how often the intervals of `predict --interval LEVEL` contain the targets of the "
    "scored rows, and how wide they are.",
)
@method_options
@dialect_options
@run_options
def command(
    run: Reference,
    other: str | None,
    paired: bool,
    split: SplitName | None,
    data: Path | None,
    required: tuple[str, ...],
    with_intervals: bool | None,
    level: float | None,
    method: Method | None,
    by: str | None,
    signs: Mapping[str, Any],
    as_json: bool,
) -> None:
    """Score a run beside a baseline.

    RUN is an id, a unique beginning of one, a tag, a name, `latest`, `latest~1`, or a path. Metrics
    are in the data's original units. The baseline is a constant prediction from the training
    targets. Exit code 4 if a metric is not as required. The options from --encoding to
    --missing-only describe how the file of --data differs from the training file.

    RUN OTHER --paired compares two runs on the rows that the split has in both.
    """
    chosen = _rows_asked(split, data, signs)
    interval = interval_asked(level, method, by)
    if paired or other is not None:
        compared = _other(run, other, is_paired=paired, has_requirements=bool(required))
        _compare(run, compared, chosen, with_intervals, as_json)
        return
    from bpcli.metrics.requirements import Requirement
    from bpcli.workflows.score_run import Asked

    requirements = [Requirement.parse(text) for text in required]
    scored = _scored(run, chosen, Asked(with_intervals, requirements, interval))
    if as_json:
        print_json(scored.to_json())
    else:
        _print(scored, chosen)
    scored.require_passed()


class RowsAsked(NamedTuple):
    """The rows to score: those of a split, or of another file, with its settings."""

    split: SplitName | None
    data: Path | None
    signs: Mapping[str, Any]

    def load(self, run: Reference, *, needs_splits: bool = False) -> RowsToScore:
        """Load a run with these rows, and print notes on both."""
        from bpcli.workflows.score_run import load_given_rows, load_rows

        if self.data is None:
            rows = load_rows(run.find(), run.weights, self.split)
        else:
            rows = load_given_rows(
                run.find(), run.weights, self.data, self.signs, needs_splits=needs_splits
            )
        say_notes(rows.notes)
        return rows


def _rows_asked(split: SplitName | None, data: Path | None, signs: Mapping[str, Any]) -> RowsAsked:
    """Raises `ConfigError` for options that say different things."""
    if data is not None and split is not None:
        raise ConfigError("--data and --split both select the rows to score: use only one.")
    if data is None and signs:
        raise ConfigError("The options from --encoding to --missing-only need --data.")
    return RowsAsked(split, data, signs)


# The scores of one run.


def _scored(run: Reference, chosen: RowsAsked, asked: Asked) -> ScoredRun:
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.workflows.score_run import score_run

    with repeatable_numerics():
        return score_run(chosen.load(run, needs_splits=asked.needs_splits), asked)


def _print(scored: ScoredRun, chosen: RowsAsked) -> None:
    evaluation = scored.evaluation
    where = f"on the {evaluation.split} split" if chosen.data is None else f"on {chosen.data}"
    default = "" if chosen.data or chosen.split else "; --split chooses another"
    rows = plural(evaluation.rows, "row")
    say = console(stderr=True).say
    say(f"{scored.trained.run.run_id}: {scored.trained.weights} weights {where} ({rows}{default})")
    say_notes(evaluation.notes)
    _print_tables(scored.trained, evaluation)
    if scored.calibration is not None:
        _print_calibration(scored.trained, scored.calibration)
    if scored.coverage is not None:
        _print_coverage(scored.coverage)


def _print_coverage(covered: Coverage) -> None:
    from bpcli.terminal.scores import coverage_table

    say_notes(covered.calibrated.notes)
    console().show(coverage_table(covered.to_json()))


def _print_calibration(trained: Trained, calibration: Mapping[str, Any]) -> None:
    from bpcli.terminal.calibration import calibration_line, calibration_table

    assert trained.record.calibration is not None, "its effect was measured"
    console().say(calibration_line(trained.record.calibration, trained.weights))
    if "before" in calibration:
        console().show(calibration_table(calibration["before"], calibration["after"]))


def _print_tables(trained: Trained, evaluation: SplitEvaluation) -> None:
    from bpcli.terminal.scores import class_table, confusion_table, scores_tables

    document = evaluation.to_json()
    out = console()
    for table in scores_tables(trained.record, document):
        out.show(table)
    if "classes" in document:
        out.show(class_table(document))
        out.show(confusion_table(document))


# Two runs on the same rows.


def _other(
    run: Reference, other: str | None, *, is_paired: bool, has_requirements: bool
) -> Reference:
    """The run to compare with. Raises `ConfigError` for options that say something else."""
    if other is None:
        raise ConfigError("--paired needs two runs: bpnet eval RUN OTHER --paired.")
    if not is_paired:
        raise ConfigError("To compare two runs on the same rows, add --paired.")
    if has_requirements:
        raise ConfigError(
            "--require checks the scores of one run: it cannot be combined with --paired."
        )
    if was_given("level"):
        raise ConfigError(
            "--interval checks the predictions of one run: it cannot be combined with --paired."
        )
    return replace(run, name=other)


def _compare(
    run: Reference,
    other: Reference,
    chosen: RowsAsked,
    with_intervals: bool | None,
    as_json: bool,
) -> None:
    """Compare two runs on the same rows."""
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.terminal.scores import paired_table
    from bpcli.workflows.paired import paired

    with repeatable_numerics():
        first, second = chosen.load(run), chosen.load(other)
        comparison = paired(first.trained, second.trained, first.split, with_intervals)
    if as_json:
        print_json({"weights": run.weights, **comparison.to_json()})
        return
    say_notes(comparison.notes)
    out = console()
    out.show(paired_table(comparison.to_json()))
    for sentence in comparison.sentences:
        out.say(sentence)
