"""Check that the files of a run are as bpnet wrote them."""

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
    """Return one sentence for each file that is missing or does not have the recorded digest."""
    for file in files:
        try:
            run.checked(file, record)
        except RunError as error:
            yield str(error)


def checked_log(run: Run) -> list[LogLine]:
    """Return the lines of metrics.jsonl, checked by the digest in the record or by checkpoints.

    Raises `RunError` if they are damaged.
    """
    record = run.record()
    if METRICS not in record.sha256:
        checkpoints = Checkpoints(run, record.identity)
        checkpoints.newest()
        for error in checkpoints.errors:
            if f"does not match {METRICS}" in error:
                raise RunError(f"{run.path(METRICS)} is damaged: {error}")
    return run.metrics()


def check_files(run: Run, record: RunRecord) -> None:
    """Check every file of a run: those with a digest in its record, checkpoints and tags.

    Raises `RunError` with a sentence for each that is missing or damaged.
    """
    checkpoints = Checkpoints(run, record.identity)
    checkpoints.newest()
    damage = [*changed_files(run, record, record.sha256), *checkpoints.errors]
    try:
        saved_tags(run)
    except RunError as error:
        damage.append(str(error))
    if damage:
        raise RunError("\n".join(damage))
