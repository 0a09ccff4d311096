"""Whether the files of a run are as bpnet wrote them, all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bpcli.errors import RunError
from bpcli.runs.checkpoint import Checkpoints
from bpcli.runs.layout import METRICS
from bpcli.runs.metrics_log import LogLine
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.runs.tags import saved_tags


def changed_files(run: Run, record: RunRecord, files: Iterable[str]) -> Iterator[str]:
    """A sentence for each file that is missing, or whose digest is not the one in the record."""
    for file in files:
        try:
            run.checked(file, record)
        except RunError as error:
            yield str(error)


def checked_log(run: Run) -> list[LogLine]:
    """The lines of metrics.jsonl; where the record has no digest of it, checkpoints vouch for them.

    Raises `RunError` where they are damaged.
    """
    record = run.record()
    if METRICS not in record.sha256:
        checkpoints = Checkpoints(run, record.identity)
        checkpoints.newest()
        for error in checkpoints.faults:
            if f"does not fit {METRICS}" in error:
                raise RunError(f"{run.path(METRICS)} is damaged: {error}")
    return run.metrics()


def check_files(run: Run, record: RunRecord) -> None:
    """Check every file of a run: those with a digest in its record, checkpoints and tags.

    Raises `RunError` with a sentence for each that is missing or damaged.
    """
    checkpoints = Checkpoints(run, record.identity)
    checkpoints.newest()
    found = [*changed_files(run, record, record.sha256), *checkpoints.faults]
    try:
        saved_tags(run)
    except RunError as error:
        found.append(str(error))
    if found:
        raise RunError("\n".join(found))
