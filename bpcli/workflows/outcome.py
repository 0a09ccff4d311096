"""The end of a training: a checkpoint, the weights, and the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from bpcli.errors import DataError, Diverged, Interrupted, RunError, WorkerLost
from bpcli.runs.files import array_bytes
from bpcli.runs.layout import WEIGHTS
from bpcli.runs.record import criterion_record, now, weight_arrays, weights_meta
from bpcli.runs.references import reference_to
from bpcli.runs.run_json import RunRecord, Status
from bpcli.runs.store import Run
from bpcli.workflows.calibrate import Calibration, calibrate
from bpcli.workflows.end_warnings import end_warnings
from bpcli.workflows.run_epochs import Ending
from bpcli.workflows.scores import all_baselines, all_scores
from bpcli.workflows.session import RunToTrain, Session


@dataclass(frozen=True)
class Outcome:
    """A trained run, its record, and the failure that ended training early, if any.

    `warnings` are the warnings of the record that appeared only after training. `notes` are on what
    only this process has measured.
    """

    run: Run
    record: RunRecord
    failure: Exception | None
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()


def save_end(session: Session, ending: Ending) -> Outcome:
    """Save a checkpoint, weights and record.

    Raises `RunError` if something cannot be saved; the error is in the record too, if possible.
    """
    target = session.target
    try:
        ending = _with_last_checkpoint(session, ending)
        ending, record = _save_results(session, ending)
    except RunError as error:
        failed = replace(target.record, status="failed", stop_reason="failed", error=str(error))
        with suppress(RunError):
            target.run.write_record(failed)
        error.add_note(_once_it_can_be_saved(target.run))
        raise
    if ending.failure is not None:
        for note in _notes(ending.failure, target.run, record):
            ending.failure.add_note(note)
    late = record.warnings[len(target.record.warnings) :]
    before = 0.0 if target.start is None else target.start.seconds
    notes = [*filter(None, [session.checkpointer.note(record.seconds - before)])]
    return Outcome(target.run, record, ending.failure, late, notes)


def _with_last_checkpoint(session: Session, ending: Ending) -> Ending:
    """Save the last state, if training can resume from it; return the ending with any failure."""
    if isinstance(ending.failure, Diverged | WorkerLost):
        return ending
    try:
        session.checkpointer.save_last(ending.last)
    except RunError as error:
        return _failed(ending, error)
    return ending


def _failed(ending: Ending, error: Exception) -> Ending:
    """The ending with a failure that came after it; an earlier one is not replaced."""
    if ending.failure is None or isinstance(ending.failure, Interrupted):
        return replace(ending, reason="failed", failure=error)
    return ending


def _save_results(session: Session, ending: Ending) -> tuple[Ending, RunRecord]:
    """Save the weights, then the record; return it, and the ending with any failure."""
    target, best = session.target, session.decision.best
    last_params = target.experiment.initial_params if ending.last is None else ending.last.params
    best_params = last_params if best.params is None else best.params
    calibration = calibrate(target.experiment, best_params, last_params)
    _let_weights_change(target)
    meta = weights_meta(calibration.experiment, best.number)
    arrays = weight_arrays(calibration.experiment, calibration.best, calibration.last)
    target.write(WEIGHTS, array_bytes(arrays, meta))
    digests = target.record.sha256 | session.log.finish()
    ending, record = _scored(session, ending, calibration)
    warnings = [*record.warnings, *calibration.warnings]
    record = replace(record, sha256=digests, calibration=calibration.record, warnings=warnings)
    target.run.write_record(record)
    return ending, record


def _scored(session: Session, ending: Ending, calibration: Calibration) -> tuple[Ending, RunRecord]:
    """The record with the results: without metrics if rows in a file cannot be read any more."""
    try:
        return ending, _ended(session, ending, calibration)
    except DataError as error:
        ending = replace(_failed(ending, error), skips_scores=True)
        return ending, _ended(session, ending, calibration)


def _let_weights_change(target: RunToTrain) -> None:
    """Remove the digest of earlier weights from the record, so that record and files agree."""
    if target.record.sha256.pop(WEIGHTS, None):
        target.run.write_record(target.record)


def _ended(session: Session, ending: Ending, calibration: Calibration) -> RunRecord:
    """Return the record with the results; scores are those of the best parameters."""
    experiment, decision, last = calibration.experiment, session.decision, ending.last
    record = replace(
        session.target.record,
        status="finished" if ending.failure is None else _STATUS.get(ending.reason, "failed"),
        stop_reason=ending.reason,
        stop_message=_stop_message(ending),
        diagnostics={} if last is None else {**last.diagnostics},
        epochs=0 if last is None else last.number,
        best_epoch=decision.best.number,
        ended=now(),
        seconds=0.0 if last is None else round(last.seconds, 6),
        watching_seconds=round(ending.callback_seconds, 6),
        stop=[criterion_record(rule) for rule in decision.stopping.criteria],
        metrics={} if ending.skips_scores else all_scores(experiment, calibration.best),
        baselines={} if ending.skips_scores else all_baselines(experiment),
    )
    late = [] if ending.failure else end_warnings(session, record, experiment, calibration.best)
    return replace(record, warnings=[*record.warnings, *late])


_STATUS: Mapping[str, Status] = {"interrupted": "interrupted", "diverged": "diverged"}
"""The status of a run after a failure, by the stop reason; it is `failed` for all others."""


def _stop_message(ending: Ending) -> str | None:
    """Return why the optimizer could take no step, if that is the stop reason."""
    ended = None if ending.last is None else ending.last.ended
    return str(ended) if ended is not None and ended.reason == ending.reason else None


def _notes(failure: Exception, run: Run, record: RunRecord) -> Iterator[str]:
    """Yield where the run was saved, and how to resume it."""
    if isinstance(failure, RunError):
        yield _once_it_can_be_saved(run)
        return
    yield f"The run is saved as {run.run_id} ({record.epochs} epochs)."
    if isinstance(failure, Diverged):
        yield f"Explain it with: bpnet diagnose {reference_to(run)}"
    if isinstance(failure, Interrupted):
        yield f"Resume with: {_resume(run)}"
    if isinstance(failure, DataError):
        yield f"Once the file has the same rows again, resume with: {_resume(run)}"


def _once_it_can_be_saved(run: Run) -> str:
    return f"Once it can be saved, resume with: {_resume(run)}"


def _resume(run: Run) -> str:
    return f"bpnet train --resume {reference_to(run)}"
