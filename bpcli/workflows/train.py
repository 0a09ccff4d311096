"""Train a network from a config and save the run, or resume one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import safetensors.numpy  # noqa: F401  # imported early: it must not fail after a training

from bpcli import system
from bpcli.errors import RunError
from bpcli.experiment import Experiment
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.checkpoint import Checkpoints
from bpcli.runs.event_files import require_tensorboard
from bpcli.runs.record import first_record
from bpcli.runs.store import Run
from bpcli.workflows.beginning import Beginning
from bpcli.workflows.interrupts import StopRequest, stop_requests
from bpcli.workflows.outcome import Outcome, save_end
from bpcli.workflows.run_epochs import TrainingCallback
from bpcli.workflows.session import RunToTrain, Session, open_session
from bpcli.workflows.stop_decision import Observer
from bpcli.workflows.workers import pool_for, workers_for

Begin: TypeAlias = Callable[[int, StopRequest], AbstractContextManager[Session]]
"""Opens a session for a number of workers and a stop request; closes its files at the end."""


def train(
    experiment: Experiment,
    runs_dir: Path,
    callback: TrainingCallback,
    group: str | None = None,
    observers: Sequence[Observer] = (),
    *,
    folder_name: str | None = None,
    workers: int | None = None,
) -> Outcome:
    """Train, log the metrics of the epochs that are due, and save the run in a new folder.

    `group` is the id of the first run of a cross-validation that this run belongs to. `observers`
    are called after every epoch, and may end training. `folder_name` replaces the id of the run,
    and `workers` the number of the config.

    Divergence, an interrupt or any other failure in training is returned, after the run was saved.
    Raises `RunError` if the run cannot be saved; a run that has not begun leaves no folder.
    """
    claim = partial(Run.claim, runs_dir, experiment.spec.name, folder_name)
    begin = partial(_new_session, experiment, claim, callback, group, observers)
    return _train(experiment, begin, workers, callback)


def train_on(
    target: RunToTrain, callback: TrainingCallback, *, workers: int | None = None
) -> Outcome:
    """Resume a run, which this process has locked; otherwise like `train`."""
    begin = partial(_resumed_session, target, callback)
    return _train(target.experiment, begin, workers, callback)


@contextmanager
def _new_session(
    experiment: Experiment,
    claim: Callable[[], Run],
    callback: TrainingCallback,
    group: str | None,
    observers: Sequence[Observer],
    workers: int,
    request: StopRequest,
) -> Iterator[Session]:
    run = claim()
    with ExitStack() as files:
        try:
            files.enter_context(closing(run.lock()))
            warnings = Beginning(experiment).warnings
            record = first_record(experiment, run.run_id, workers, group or run.run_id, warnings)
            checkpoints = Checkpoints(run, record.identity)
            target = RunToTrain(experiment, run, record, checkpoints, None, observers=observers)
            target.write_new()
            session = open_session(target, request, callback, files)
        except BaseException:
            files.close()  # Windows removes no file that is open
            run.discard()
            raise
        yield session


@contextmanager
def _resumed_session(
    target: RunToTrain, callback: TrainingCallback, workers: int, request: StopRequest
) -> Iterator[Session]:
    target = replace(target, record=replace(target.record, workers=workers))
    target.write_resumed()
    with ExitStack() as files:
        yield open_session(target, request, callback, files)


def _train(
    experiment: Experiment, begin: Begin, workers: int | None, callback: TrainingCallback
) -> Outcome:
    if experiment.spec.training.tensorboard:
        require_tensorboard()
    with ExitStack() as stack:
        request = stack.enter_context(stop_requests())
        stack.enter_context(repeatable_numerics())
        workers = workers or workers_for(experiment)
        # With one task, an epoch is too short to abandon it.
        check = request.check if experiment.tasks > 1 else None
        with pool_for(experiment, workers, check, callback.on_cluster) as pool:
            _require_files_to_save()
            session = stack.enter_context(begin(workers, request))
            ending = session.train(pool)
        return save_end(session, ending)


def _require_files_to_save() -> None:
    """Raise `RunError` if a training could not open the files that save it."""
    if not system.has_room_for_files(_FILES_TO_SAVE):
        raise RunError(
            f"Training needs {_FILES_TO_SAVE} more open files, and the system allows "
            f"{system.most_open_files()} in total: raise the limit with `ulimit -n`."
        )


_FILES_TO_SAVE = 6
"""Lock, log and parameter path; a file being written, its source, and an import."""
