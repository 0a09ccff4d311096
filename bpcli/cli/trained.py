"""What `bpnet train` prints when a training has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from bpcli.cli.common import (
    console,
    say_notes,
    say_warnings,
    show_restarts,
)
from bpcli.cli.documents import print_json, print_text

if TYPE_CHECKING:
    from bpcli.experiment import Experiment
    from bpcli.runs.run_json import CalibrationRecord, RunRecord
    from bpcli.runs.store import Run
    from bpcli.workflows.outcome import Outcome


class Printed(NamedTuple):
    """What is printed of a training."""

    quiet: bool
    as_json: bool
    with_profile: bool

    @property
    def is_silent(self) -> bool:
        """Whether nothing is shown during the training."""
        return self.quiet or self.as_json


def print_trained(experiment: Experiment, outcome: Outcome, output: Printed) -> None:
    """Print what came of a training. Raises its failure."""
    profile = _profile(experiment, outcome) if output.with_profile else None
    if output.as_json:
        print_json(outcome.record.to_json() | ({"profile": profile} if profile else {}))
    elif output.quiet:
        print_ids([outcome.run.run_id])
    elif outcome.failure is None:
        _print_result(outcome, experiment, profile)
        say_notes(outcome.notes)
    say_warnings(outcome.warnings)
    if outcome.failure is not None:
        raise outcome.failure


def print_ids(run_ids: Sequence[str]) -> None:
    from bpcli.text import harmless

    print_text("".join(f"{harmless(run_id)}\n" for run_id in run_ids), end="")


def print_folds(records: Sequence[RunRecord], runs: Sequence[Run]) -> None:
    from bpcli.runs.folds import document_of
    from bpcli.runs.references import reference_to
    from bpcli.terminal.folds import folds_table, summary_table

    out = console()
    out.show(folds_table(records))
    out.show(summary_table(document_of(records)))
    first, last = reference_to(runs[0]), reference_to(runs[-1])
    out.say(f"each fold is a run; score one of them with: bpnet eval {last}")
    out.say(f"show all folds with: bpnet runs show {first}")


def _profile(experiment: Experiment, outcome: Outcome) -> dict[str, Any] | None:
    """Return the time that each part of an epoch takes; None after a failure."""
    from bpcli.workflows.profile import profile

    return None if outcome.failure else profile(experiment, outcome.record)


def _print_calibration(calibration: CalibrationRecord) -> None:
    from bpcli.terminal.calibration import calibration_line, calibration_table

    console().say(calibration_line(calibration))
    if calibration.before:
        console().show(calibration_table(calibration.before, calibration.after))


def _print_result(outcome: Outcome, experiment: Experiment, profile: dict[str, Any] | None) -> None:
    from bpcli.config.file_models import FileData
    from bpcli.runs.references import reference_to
    from bpcli.terminal.scores import scores_tables
    from bpcli.terminal.training import profile_table, scored_text, stop_table

    out, record = console(), outcome.record
    if record.restarts is not None:
        show_restarts(record.restarts, record.metrics)
    if record.stop:
        out.show(stop_table(record), ["measures"])
    if record.rows.val or record.restarts is not None:
        out.say(f"Scores of {scored_text(record)}:")
    for table in scores_tables(record, vars(record)):
        out.show(table)
    if record.calibration is not None:
        _print_calibration(record.calibration)
    if profile:
        out.show(profile_table(profile, record.workers))
    if record.stop_message:
        out.say(f"stop reason: {record.stop_reason}. {record.stop_message}")
    out.say(f"saved in {outcome.run.folder}")
    run = reference_to(outcome.run)
    if outcome.warnings:
        out.say(f"explain it with: bpnet diagnose {run}")
    out.say(f"score it with: bpnet eval {run}")
    out.say(f"plot it with: bpnet plot {run}")
    if isinstance(experiment.spec.data, FileData):
        predict = f"bpnet predict {run} FILE -o predictions.csv"
        out.say(f"predict new rows with: {predict}")
