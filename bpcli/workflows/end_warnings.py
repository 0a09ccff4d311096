"""Warnings about likely mistakes that only a finished training shows, with the next step."""

from __future__ import annotations

from bpcli.diagnosis.diagnose import findings_at_end
from bpcli.diagnosis.finding import Finding
from bpcli.experiment import Experiment
from bpcli.nn.arrays import Vector
from bpcli.runs.run_json import RunRecord
from bpcli.runs.subject import Subject
from bpcli.runs.trained import Trained
from bpcli.workflows.session import Session

_SAID_BEFORE = ("unscaled", "out_of_range")
"""Kinds of findings that a training begins with as warnings: they are only said again as the cause
of something else."""


def end_warnings(
    session: Session, record: RunRecord, experiment: Experiment, params: Vector
) -> list[str]:
    """The findings of the cheap rules, in a line each; `record` has the results of `params`."""
    target = session.target
    trained = Trained(target.run, record, experiment, params)
    subject = Subject(
        record.run_id,
        record,
        session.log.lines,
        trained,
        "best",
        "train",  # the split to show, which no cheap rule reads
        None,
        {},
        target.run.folder,
    )
    return [finding.line for finding in findings_at_end(subject) if _is_said(finding)]


def _is_said(finding: Finding) -> bool:
    is_new = finding.kind not in _SAID_BEFORE or bool(finding.explains)
    return is_new and finding.severity != "note"
