"""`bpnet eval`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import (
    console,
    examples,
    load_run,
    method_options,
    require_interval,
    run_options,
    say_notes,
    was_given,
)
from bpcli.cli.dialect import dialect_options
from bpcli.cli.documents import print_json
from bpcli.errors import ConfigError, GateFailed
from bpcli.text import plural

if TYPE_CHECKING:
    from bpcli.metrics.requirements import Requirement, Verdict
    from bpcli.runs.store import Run
    from bpcli.runs.trained import Trained
    from bpcli.workflows.evaluate import SplitEvaluation
    from bpcli.workflows.intervals import Coverage, Method


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
    run: str,
    other: str | None,
    paired: bool,
    split: str | None,
    data: Path | None,
    required: tuple[str, ...],
    with_intervals: bool | None,
    level: float | None,
    method: Method | None,
    by: str | None,
    signs: Mapping[str, Any],
    weights: str,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Score a run beside a baseline.

    RUN is an id, a unique beginning of one, a tag, a name, `latest`, `latest~1`, or a path. Metrics
    are in the data's original units. The baseline is a constant prediction from the training
    targets. Exit code 4 if a metric is not as required. The options from --encoding to
    --missing-only describe how the file of --data differs from the training file.

    RUN OTHER --paired compares two runs on the rows that the split has in both.
    """
    from bpcli.metrics.requirements import Requirement
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.workflows.calibrate import calibration_effect

    if data is not None and split is not None:
        raise ConfigError("--data and --split both select the rows to score: use only one.")
    require_interval(level, method, by)
    if data is None and signs:
        raise ConfigError("The options from --encoding to --missing-only need --data.")
    requirements = [Requirement.parse(text) for text in required]
    if paired or other is not None:
        runs = _both(run, other, is_paired=paired, has_requirements=bool(required))
        _compare(runs, split, data, signs, with_intervals, weights, runs_dir, as_json)
        return
    with repeatable_numerics():
        if data is None:
            trained = load_run(run, runs_dir, weights)
        else:
            needs_splits = level is not None or any(each.split != "data" for each in requirements)
            trained = _with_rows_of(data, signs, run, runs_dir, weights, needs_splits)
        scored = split if data is None else "data"
        evaluation, verdicts = _score(trained, scored, with_intervals, requirements)
        covered = None
        if level is not None and method == "cross" and data is not None:
            covered = _cross_coverage(trained, level, by, data, signs, weights)
        elif level is not None:
            covered = _coverage(trained, evaluation, level, method, by)
        calibration = calibration_effect(trained, evaluation.split)
    if as_json:
        document = {"run_id": trained.run.run_id, "weights": weights, **evaluation.to_json()}
        document |= {"coverage": covered.to_json()} if covered else {}
        document |= {"calibration": calibration} if calibration else {}
        print_json(document | {"required": [verdict.to_json() for verdict in verdicts]})
    else:
        where = f"on {data}" if data is not None else f"on the {evaluation.split} split"
        default = "" if data or split else "; --split chooses another"
        rows = plural(evaluation.rows, "row")
        say = console(stderr=True).say
        say(f"{trained.run.run_id}: {weights} weights {where} ({rows}{default})")
        say_notes(evaluation.notes)
        _print_tables(trained, evaluation)
        if calibration is not None:
            _print_calibration(trained, calibration)
        if covered is not None:
            _print_coverage(covered)
    failed = [verdict.sentence for verdict in verdicts if not verdict.passed]
    if failed:
        raise GateFailed(f"{'; '.join(failed)}.")


def _both(
    run: str, other: str | None, *, is_paired: bool, has_requirements: bool
) -> tuple[str, str]:
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
    return run, other


def _compare(
    references: tuple[str, str],
    split: str | None,
    data: Path | None,
    signs: Mapping[str, Any],
    with_intervals: bool | None,
    weights: str,
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Compare two runs on the same rows."""
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.terminal.tables import paired_table
    from bpcli.workflows.evaluate import default_split
    from bpcli.workflows.paired import paired

    with repeatable_numerics():
        if data is None:
            first, second = (load_run(each, runs_dir, weights) for each in references)
        else:
            first, second = (
                _with_rows_of(data, signs, each, runs_dir, weights, needs_splits=False)
                for each in references
            )
        chosen = "data" if data is not None else split or default_split(first.experiment)
        found = paired(first, second, chosen, with_intervals)  # type: ignore[arg-type]  # click checked it
    if as_json:
        print_json({"weights": weights, **found.to_json()})
        return
    say_notes(found.notes)
    out = console()
    out.show(paired_table(found.to_json()))
    for sentence in found.sentences:
        out.say(sentence)


def _with_rows_of(
    data: Path,
    signs: Mapping[str, Any],
    run: str,
    runs_dir: Path,
    weights: str,
    needs_splits: bool,
) -> Trained:
    """Load a run with the rows of a file as its split `data`, and print notes on both."""
    from bpcli.runs.references import find_run
    from bpcli.workflows.other_data import load_to_score, with_other_data

    trained, notes = load_to_score(find_run(run, runs_dir), weights, needs_splits)  # type: ignore[arg-type]  # click checked it
    trained, more = with_other_data(trained, data, signs)
    say_notes((*trained.notes, *notes, *more))
    return trained


def _score(
    trained: Trained,
    split: str | None,
    with_intervals: bool | None,
    requirements: list[Requirement],
) -> tuple[SplitEvaluation, list[Verdict]]:
    """Score the rows of a split, and check the requirements."""
    from bpcli.workflows.evaluate import default_split, evaluate, judge_run

    scored = split or default_split(trained.experiment)
    evaluation = evaluate(trained, scored, with_intervals)  # type: ignore[arg-type]  # click checked it
    return evaluation, judge_run(trained, evaluation, requirements)


def _coverage(
    trained: Trained,
    evaluation: SplitEvaluation,
    level: float,
    method: Method | None,
    by: str | None,
) -> Coverage:
    from bpcli.workflows.intervals import coverage

    return coverage(trained, evaluation.split, level, method or "conformal", by=by)


def _cross_coverage(
    trained: Trained,
    level: float,
    by: str | None,
    data: Path,
    signs: Mapping[str, Any],
    weights: str,
) -> Coverage:
    """Measure the coverage on the rows of a file, which each fold encodes by itself."""
    from bpcli.runs.trained import load_without_rows
    from bpcli.workflows.intervals import cross_coverage
    from bpcli.workflows.other_data import with_other_data

    def other_rows(run: Run) -> Trained:
        return with_other_data(load_without_rows(run, weights), data, signs)[0]  # type: ignore[arg-type]  # click checked it

    return cross_coverage(trained, level, by, weights, other_rows)  # type: ignore[arg-type]  # click checked it


def _print_coverage(covered: Coverage) -> None:
    from bpcli.terminal.tables import coverage_table

    say_notes(covered.calibrated.notes)
    console().show(coverage_table(covered.to_json()))


def _print_calibration(trained: Trained, calibration: Mapping[str, Any]) -> None:
    from bpcli.terminal.calibration import calibration_line, calibration_table

    assert trained.record.calibration is not None, "its effect was measured"
    console().say(calibration_line(trained.record.calibration, trained.weights))
    if "before" in calibration:
        console().show(calibration_table(calibration["before"], calibration["after"]))


def _print_tables(trained: Trained, evaluation: SplitEvaluation) -> None:
    from bpcli.terminal.tables import class_table, confusion_table, scores_tables

    document = evaluation.to_json()
    out = console()
    for table in scores_tables(trained.record, document):
        out.show(table)
    if "classes" in document:
        out.show(class_table(document))
        out.show(confusion_table(document))
