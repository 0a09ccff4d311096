"""What pruning did, as the document of `bpnet prune --json`."""

from __future__ import annotations

from typing import Any

from bpcli.workflows.prune import Path
from bpcli.workflows.pruned_run import KeptRun


def pruning_document(path: Path, kept: KeptRun | None) -> dict[str, Any]:
    """The path, the network that is kept, and the run that was trained of it, if there is one."""
    experiment, steps = path.trained.experiment, path.steps
    first, last = steps[0].remaining, path.kept.remaining
    removed = [step.removed for step in steps[1 : path.kept_number + 1] if step.removed]
    return {
        "run_id": path.trained.run.run_id,
        "name": path.trained.record.name,
        "method": path.how.method,
        "only": path.how.only,
        "patience": path.how.patience,
        "rows": {name: len(split) for name, split in experiment.splits.items()},
        "steps": [step.to_json() for step in steps],
        "ended": path.ended,
        "best": path.best_number,
        "kept": path.kept_number,
        "limit": path.limit,
        "inputs": {
            "kept": [column.name for column in last.columns],
            "removed": [group.name for group in removed if group.kind == "input"],
        },
        "units": {"before": first.hidden, "kept": last.hidden},
        "network": last.network.summary,
        "pruned": None if kept is None else _run(kept),
        "paired": None if kept is None or kept.paired is None else kept.paired.to_json(),
    }


def _run(kept: KeptRun) -> dict[str, Any]:
    outcome = kept.outcome
    return {
        "run_id": outcome.run.run_id,
        "folder": str(outcome.run.folder),
        "status": outcome.record.status,
        "metrics": outcome.record.metrics,
    }
