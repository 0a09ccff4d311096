"""Resume a run from its newest checkpoint, with the same bits as an uninterrupted training.

The length of the training, its log and its checkpoints may change; data and network may not.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bpcli.config.load import Config, validate
from bpcli.config.overrides import override
from bpcli.errors import RunError
from bpcli.experiment import Experiment, build
from bpcli.nn.arrays import Array
from bpcli.runs.checkpoint import Checkpoint, Checkpoints, misfit, misfit_of_rate
from bpcli.runs.files import remove_unfinished
from bpcli.runs.integrity import changed_files
from bpcli.runs.layout import CONFIG, RESOLVED, SPLIT, STARTS, WEIGHTS
from bpcli.runs.listing import differences
from bpcli.runs.machines import decisive, in_words, sessions_of
from bpcli.runs.provenance import data_digest, machine, since
from bpcli.runs.record import argv, describe, now
from bpcli.runs.run_json import Machine, ResumedSession, RunRecord
from bpcli.runs.store import Run
from bpcli.runs.trained import read_config, require_same_splits
from bpcli.training.stopping import Best, Criterion, Stopping
from bpcli.workflows.beginning import Beginning
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.run_epochs import TrainingCallback
from bpcli.workflows.session import RunToTrain
from bpcli.workflows.stop_decision import stop_rules
from bpcli.workflows.train import train_on

CHANGEABLE = (
    "training.epochs",
    "training.stop",
    "training.learning_rate",
    "training.workers",
    "training.engine",
    "training.scheduler",
    "training.numerics",
    "training.tensorboard",
    "training.log_every",
    "training.metrics_every",
    "training.checkpoint_every",
)
"""The keys that may be changed on resume."""

_UNCHANGED = {CONFIG, SPLIT, WEIGHTS, *STARTS}
"""The files that a training does not change before it ends."""


@dataclass(frozen=True)
class Resumption(RunToTrain):
    """A run to resume, with the record of its earlier training, on this machine."""

    machine: Machine

    @property
    def warnings(self) -> list[str]:
        """Warnings of damaged checkpoints and files, and of conditions that may change bits.

        Files that training does not read keep their old digests, so that `verify` detects them.
        """
        damaged = changed_files(self.run, self.record, (CONFIG, SPLIT))
        return [*self.checkpoints.errors, *damaged, *filter(None, [self.other_bits])]

    @property
    def other_bits(self) -> str | None:
        """A warning if numerics, kernels or versions are not those of the epochs so far."""
        before = [facts for epoch, facts in sessions_of(self.record) if epoch < self.at_epoch]
        changes = decisive(before[-1], self.machine) if self.at_epoch else []
        if not changes:
            return None
        return (
            f"{self.run.run_id} is resumed under different conditions than before, so a single "
            f"machine may not reproduce it bit for bit: {in_words(changes)}"
        )

    @property
    def at_epoch(self) -> int:
        """The epoch that it resumes at."""
        return 0 if self.start is None else self.start.number

    @property
    def note(self) -> str:
        """A note on where it resumes."""
        if self.start is None:
            return f"{self.run.run_id} has no checkpoint: it starts again at epoch 0"
        return f"{self.run.run_id} resumes at epoch {self.start.number}"


@contextmanager
def resumption(run: Run, overrides: Sequence[str]) -> Iterator[Resumption]:
    """Lock a run and load its newest checkpoint.

    Raises `RunError` if another process trains it, if its files or data have changed, if the
    overrides change keys that may not change, and if the training is already done; `ConfigError`
    for overrides that are not valid.
    """
    with closing(run.lock()):
        record = run.record()
        config = _config(run, overrides)
        experiment = build(config)
        if data_digest(experiment.table) != record.data_sha256:
            raise RunError(
                f"{run.run_id} cannot be resumed: its data have changed since it began. Restore "
                f"the data files, or train again.{since(record)}"
            )
        _require_same_start(run, record, experiment)
        require_same_splits(run, record, experiment)
        checkpoints = Checkpoints(run, record.identity)
        start = checkpoints.newest()
        if start is None and checkpoints.errors:
            raise RunError(_useless(run, checkpoints.errors))
        _refuse_misfit(run, start, experiment)
        _refuse_nothing_to_do(run, record, start, experiment)
        yield Resumption(experiment, run, record, checkpoints, start, machine())


def resume(
    resumption: Resumption, callback: TrainingCallback, *, workers: int | None = None
) -> Outcome:
    """Resume training; failures are returned or raised as by `train`."""
    remove_unfinished(resumption.run.folder)
    return train_on(replace(resumption, record=_record(resumption)), callback, workers=workers)


def _record(resumption: Resumption) -> RunRecord:
    """Return the record of a run that is being resumed, without earlier results.

    It has no digests of files that will change, so that record and files agree whenever this
    process is killed.
    """
    old, new = resumption.record, describe(resumption.experiment)
    session = ResumedSession(
        at_epoch=resumption.at_epoch,
        when=now(),
        overrides=new.overrides,
        changed=[*differences(old.config, new.config)],
        argv=argv(),
        machine=resumption.machine,
        warning=resumption.other_bits,
    )
    return replace(
        old,
        **vars(replace(new, overrides=[*old.overrides, *new.overrides])),
        status="running",
        sha256={file: old.sha256[file] for file in _UNCHANGED & old.sha256.keys()},
        warnings=Beginning(resumption.experiment).warnings,
        resumed=[*old.resumed, session],
        stop=[],
        stop_reason="",
        stop_message=None,
        ended="",
        error="",
    )


def _config(run: Run, overrides: Sequence[str]) -> Config:
    """Return the config with overrides. Raises `RunError` for keys that may not change."""
    source = read_config(run)
    before = validate(source).spec.model_dump()
    for assignment in overrides:
        override(source, assignment)
    config = replace(validate(source), overrides=tuple(overrides))
    differing = list(_differing(before, config.spec.model_dump()))
    if differing:
        raise RunError(
            f"{', '.join(f'`{key}`' for key in differing)} of {run.run_id} cannot be changed on "
            f"resume; you may change {', '.join(f'`{key}`' for key in CHANGEABLE)}."
        )
    return config


def _differing(
    before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = ""
) -> Iterator[str]:
    """Yield the full names of keys that differ and may not."""
    for key in dict.fromkeys([*before, *after]):
        name, old, new = f"{prefix}{key}", before.get(key), after.get(key)
        if old == new or name in CHANGEABLE:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differing(old, new, f"{name}.")
        else:
            yield name


def _require_same_start(run: Run, record: RunRecord, experiment: Experiment) -> None:
    """Raise `RunError` if the network that the training started from has changed."""
    start, known = experiment.start, record.started_from
    if start is not None and (known is None or known.sha256 != start.sha256):
        raise RunError(
            f"{run.run_id} cannot be resumed: {start.file.name} in its folder is not the network "
            "that it started from."
        )


def _useless(run: Run, errors: Sequence[str]) -> str:
    """The error if no checkpoint can be used: starting again would overwrite the run's files."""
    again = f"bpnet train {shlex.quote(str(run.path(RESOLVED)))}"
    head = f"{run.run_id} cannot be resumed: none of its checkpoints can be used."
    return "\n".join([head, *errors, f"Train it again, as a new run, with: {again}"])


def _refuse_misfit(run: Run, start: Checkpoint | None, experiment: Experiment) -> None:
    if start is None:
        return
    training, params = experiment.spec.training, experiment.initial_params
    optimizer = training.optimizer
    name = misfit(start, params, optimizer.init(params), optimizer.bounds)
    name = name or misfit_of_rate(start, training.learning_rate)
    if name is None and not _fits_stop_rules(experiment, start):
        name = "stopping"
    if name is not None:
        raise RunError(
            f"The checkpoint of {run.run_id} at epoch {start.number} does not match its config: "
            f"its `{name}` differs."
        )


def _fits_stop_rules(experiment: Experiment, start: Checkpoint) -> bool:
    """True if the saved state of the stop rules has the form that they expect."""
    if not all(_is_memory(name, array) for name, array in start.stopping.items()):
        return False
    try:
        Stopping(stop_rules(experiment), Best()).restore(start.stopping)
    except (KeyError, ValueError):  # an array is missing, or has another number of entries
        return False
    return True


def _is_memory(name: str, array: Array) -> bool:
    field = name.rpartition(".")[2]
    if field == "losses":
        return array.ndim == 1 and array.dtype == np.float64
    return array.ndim == 0 and array.dtype.kind in ("b" if field == "is_fresh" else "if")


def _refuse_nothing_to_do(
    run: Run, record: RunRecord, start: Checkpoint | None, experiment: Experiment
) -> None:
    is_finished = record.status == "finished"
    if start is None:
        if is_finished:
            raise RunError(f"{run.run_id} has finished, and has no checkpoint to resume from.")
        return
    epochs = experiment.spec.training.epochs
    if epochs < start.number:
        raise RunError(
            f"{run.run_id} has already been trained for {start.number} epochs: `training.epochs` "
            f"is the total number, so {epochs} is too small."
        )
    if is_finished:
        _refuse_finished(run, start, experiment)


def _refuse_finished(run: Run, start: Checkpoint, experiment: Experiment) -> None:
    """Raise `RunError` for a run that would stop again at once."""
    stopping = Stopping(stop_rules(experiment), Best())
    stopping.restore(start.stopping)
    met = next((rule for rule in stopping.criteria if rule.is_met), None)
    has_finished = f"{run.run_id} has finished at epoch {start.number}"
    if met is not None:
        raise RunError(f"{has_finished}: {_advice(met)}")
    if start.state.ended is not None:
        raise RunError(f"{has_finished}. {start.state.ended}")


def _advice(rule: Criterion) -> str:
    key = _KEYS.get(rule.name, f"training.stop.{rule.name}")
    sign = "<=" if rule.falls else ">="
    return (
        f"`{rule.name}` ({rule.meaning}) is {rule.now:g}, and training stops at {sign} "
        f"{rule.target:g}. Set another target with --set {key}=…"
    )


_KEYS = {"epochs": "training.epochs", "plateau": "training.stop.plateau.epochs"}
"""The keys of targets that are not keys of `training.stop`."""
