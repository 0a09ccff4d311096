"""Train a network from a config and save the run, or go on with one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import safetensors.numpy  # noqa: F401  # now, as what saves a training is not to fail at its end

from bpcli import system
from bpcli.engine.pool.choice import useful_workers, worker_pool
from bpcli.errors import RunError
from bpcli.experiment import Experiment
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.checkpoint import Checkpoint, Checkpoints
from bpcli.runs.record import first_record
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.system import usable_cores
from bpcli.workflows.interrupts import stop_requests
from bpcli.workflows.session import Callback, Closer, Outcome, Session


def train(
    experiment: Experiment, runs_dir: Path, callback: Callback, group: str | None = None
) -> Outcome:
    """Train, keep the metrics of the epochs that are due, and save the run in a new folder.

    `group` is the id of the first of several runs, folds of the same data, that belong together.

    Divergence, an interrupt or any other failure in training is returned, after what there is was
    saved. Raises `RunError` where the run cannot be saved; a run that has not begun leaves nothing.
    """

    def begin(workers: int) -> Session:
        run = Run.claim(runs_dir, experiment.spec.name)
        opened: list[Closer] = []
        try:
            opened.append(run.lock())
            record = first_record(experiment, run.run_id, workers, group or run.run_id)
            session = Session(experiment, run, callback, record, closers=opened)
            session.save_start()
        except BaseException:
            for each in reversed(opened):
                each.close()
            run.discard()
            raise
        return session

    return _train(experiment, begin)


def train_on(
    experiment: Experiment,
    run: Run,
    record: RunRecord,
    checkpoints: Checkpoints,
    start: Checkpoint | None,
    callback: Callback,
) -> Outcome:
    """Go on with a run, which this process has locked, from a checkpoint or from its beginning.

    Like `train`, otherwise.
    """

    def begin(workers: int) -> Session:
        known = replace(record, workers=workers)
        session = Session(experiment, run, callback, known, start, checkpoints)
        session.go_on()
        return session

    return _train(experiment, begin)


def _train(experiment: Experiment, begin: Callable[[int], Session]) -> Outcome:
    with ExitStack() as stack:
        request = stack.enter_context(stop_requests())
        stack.enter_context(repeatable_numerics())
        workers = workers_for(experiment)
        # With one task, an epoch is over before anybody gets impatient.
        with worker_pool(workers, request.check if experiment.tasks > 1 else None) as who:
            _require_files_to_save()
            session = begin(workers)
            stack.callback(session.close)
            failure = session.follow(who, request)
        return session.save_end(failure)


def _require_files_to_save() -> None:
    """No training for hours whose checkpoints cannot be opened."""
    if not system.has_room_for_files(_FILES_TO_SAVE):
        raise RunError(
            f"Training needs {_FILES_TO_SAVE} open files more than the {system.most_open_files()} "
            "that the system allows: raise their number with `ulimit -n`."
        )


_FILES_TO_SAVE = 6
"""Lock, log and path; then one that is written from another, and what that imports."""


def workers_for(experiment: Experiment) -> int:
    """How many workers share the training: as many as the config asks for, or are of use."""
    asked, tasks = experiment.spec.training.workers, experiment.tasks
    if asked == "auto":
        return useful_workers(tasks, experiment.network.n_params, usable_cores())
    return min(tasks, asked)
