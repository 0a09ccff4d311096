"""Restarts: one network trained from several initialisations, to keep the best or their average.

The folder of the trainings becomes the folder of the run: the files of the best training move up,
or those of the average are written, and the others are removed. Each can be trained again alone, by
its own seed of the initial parameters.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from bpcli import system
from bpcli.config.load import Config
from bpcli.config.models import Seeds
from bpcli.config.restart_spec import Restarts
from bpcli.errors import ConfigIssue, Diverged, Interrupted, RunError
from bpcli.experiment import Experiment, build
from bpcli.experiment.streams import seed_of
from bpcli.nn.averaging import averaged_network, averaged_params, why_not_averaged
from bpcli.nn.network import Layer
from bpcli.runs.event_files import require_tensorboard
from bpcli.runs.layout import (
    CONFIG,
    GIVEN,
    JOURNAL,
    METRICS,
    PATH,
    RECORD,
    RESOLVED,
    SPLIT,
    SWEEP,
    TENSORBOARD,
    WEIGHTS,
)
from bpcli.runs.references import reference_to
from bpcli.runs.run_json import Fold, Restart, RestartsRecord, RunRecord
from bpcli.runs.store import Run
from bpcli.runs.trained import load_trained
from bpcli.sweeps.folder import SweepFolder, new_record, refuse_other_data
from bpcli.sweeps.plan import Plan
from bpcli.sweeps.ranking import Criterion, criterion_for
from bpcli.sweeps.run_plan import PlanResults, run_plan
from bpcli.sweeps.runner import InOrder
from bpcli.sweeps.training import Training, TrainingResult, require_own
from bpcli.terminal.sweep import SilentProgress
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.save_trained import AVERAGED, Curves, TrainedInMemory, write_trained

if TYPE_CHECKING:
    from bpcli.cluster.connection import ClusterConnection


def restart_config(config: Config, number: int) -> Config:
    """The config of one restart, which trains it alone: its own seed of the initial parameters."""
    spec = config.spec
    seed = (seed_of(spec, "init") + _DISTANCE * number) % 2**63
    seeds = (spec.seeds or Seeds()).model_copy(update={"init": seed})
    training = spec.training.model_copy(update={"restarts": 1})
    return replace(config, spec=spec.model_copy(update={"seeds": seeds, "training": training}))


_DISTANCE = 1000
"""Between the seeds of two restarts, so that trainings with neighbouring seeds share none."""


def train_restarts(
    config: Config,
    runs_dir: Path,
    view: SilentProgress,
    *,
    processes: int | None = None,
    group: str | None = None,
    cluster: ClusterConnection | None = None,
) -> Outcome:
    """Train from each initialisation, and save the best network, or the average, as a new run.

    `group` is the id of the first run of a cross-validation that this run belongs to.

    If all trainings diverged, the first one is the run, and the failure is returned.

    Raises `ConfigError` if the data do not allow the training; `RunError` if none has a result;
    `Interrupted` after a signal: `resume_restarts` does what is left then.
    """
    first = _checked(config)
    count, metric = config.spec.training.all_restarts.count, criterion_for(first).name
    record = replace(new_record("restarts", config, first, count, metric), group=group)
    sweep = SweepFolder.new(runs_dir, config, record)
    return _train(sweep, config, view, processes, cluster)


def resume_restarts(
    sweep: SweepFolder, view: SilentProgress, *, cluster: ClusterConnection | None = None
) -> Outcome:
    """Train what is left of restarts, and save the result; raises as `train_restarts` does.

    Raises `RunError` if the data have changed.
    """
    config = sweep.config()
    refuse_other_data(sweep, build(restart_config(config, 0)))
    return _train(sweep, config, view, None, cluster)


def _checked(config: Config) -> Experiment:
    """The first restart's experiment. Raises `ConfigError` if restarts can lead to nothing."""
    if config.spec.training.tensorboard:
        require_tensorboard()
    first, second = (build(restart_config(config, number)) for number in range(2))
    location: tuple[str, ...] = ("training", "restarts")
    if np.array_equal(first.initial_params, second.initial_params):
        message = (
            "every restart would begin with the same parameters, because `network.init` is not "
            "random: use another initializer, or no restarts"
        )
        raise config.source.error([ConfigIssue(message, location)])
    if config.spec.training.all_restarts.combine == "mean":
        reason = why_not_averaged(first.network)
        if reason is not None:
            raise config.source.error([ConfigIssue(reason, (*location, "combine"))])
    return first


def _train(
    sweep: SweepFolder,
    config: Config,
    view: SilentProgress,
    processes: int | None,
    cluster: ClusterConnection | None,
) -> Outcome:
    plan = _plan(sweep, config)
    done = run_plan(sweep, plan, InOrder(plan.trainings), view, processes, cluster)
    if done.signal_number is not None:
        raise _interruption(sweep, done, done.signal_number)
    ranked = plan.criterion.ranked(done.in_order)
    failure = None if ranked else _nothing_to_keep(done.in_order)
    if not isinstance(failure, Diverged | None):
        again = reference_to(Run(sweep.folder))
        failure.add_note(f"After removing the cause, try again with: bpnet train --resume {again}")
        raise failure
    for each in done.in_order:
        require_own(Run(sweep.trainings / each.name), plan.by_name[each.name])
    kept = ranked[: _kept(config.spec.training.all_restarts)]
    run = _Choice(sweep, config, done, kept or done.in_order[:1]).save()
    record = run.record()
    return Outcome(run, record, failure, [*_failures(done.in_order), *record.warnings])


def _plan(sweep: SweepFolder, config: Config) -> Plan:
    fold, seed = config.spec.data.split.fold, config.spec.seed
    count = config.spec.training.all_restarts.count
    trainings = [Training(n, seed, fold, restart_config(config, n)) for n in range(count)]
    settings = {
        each.setting: {"seeds.init": seed_of(each.config.spec, "init")} for each in trainings
    }
    criterion = Criterion(sweep.record().metric)
    return Plan(config.spec.name, sweep.folder, "restart", criterion, None, settings, trainings)


def _kept(restarts: Restarts) -> int:
    return min(restarts.keep, restarts.count) if restarts.combine == "mean" else 1


def _interruption(sweep: SweepFolder, done: PlanResults, signal_number: int) -> Interrupted:
    count = f"{len(done.in_order)} of {len(done.plan.trainings)}"
    error = Interrupted(f"Interrupted: {count} restarts were finished.", signal_number)
    error.add_note(f"Finish them with: bpnet train --resume {reference_to(Run(sweep.folder))}")
    return error


def _failures(results: Sequence[TrainingResult]) -> Iterator[str]:
    """Warn of restarts that failed, so that fewer were compared than were asked for."""
    failed = [result for result in results if result.status == "failed"]
    if failed:
        count = f"{len(failed)} of {len(results)} restarts failed"
        yield f"{count}, and were not compared. The first one: {failed[0].error}"


def _nothing_to_keep(results: Sequence[TrainingResult]) -> Exception:
    first = results[0].error or results[0].stop_reason
    if all(result.status == "diverged" for result in results):
        return Diverged(f"All {len(results)} restarts diverged. The first one: {first}")
    return RunError(f"None of the {len(results)} restarts has a result. The first one: {first}")


@dataclass(frozen=True)
class _Choice:
    """The results of a finished set of restarts, and those that are kept, the best first."""

    sweep: SweepFolder
    config: Config
    done: PlanResults
    kept: Sequence[TrainingResult]

    def save(self) -> Run:
        """Make the folder that of the run.

        If a process was killed here before, a part of it has been done already. Raises `RunError`
        if a file is missing or cannot be written; no training is removed then.
        """
        run = Run(self.sweep.folder)
        with closing(run.lock()):
            if run.path(SWEEP).is_file():  # else, another process has just done all of it
                self._save(run)
        return run

    def _save(self, run: Run) -> None:
        if self._combine == "mean":
            self._write_average(run)
        else:
            self._move_up(Run(self.sweep.trainings / self.kept[0].name), run)
        run.checked(WEIGHTS)
        for file in (SWEEP, GIVEN, JOURNAL):  # the sweep's record first: now it is only a run
            system.unlink(run.path(file))
        shutil.rmtree(self.sweep.trainings, ignore_errors=True)

    @property
    def _combine(self) -> Literal["best", "mean"]:
        """How the network is made; of trainings that all diverged, there is no average."""
        if self.kept[0].status == "diverged":
            return "best"
        return self.config.spec.training.all_restarts.combine

    def _move_up(self, best: Run, run: Run) -> None:
        """Move the files of the best training up; the record last, which makes it a run."""
        if best.path(RECORD).is_file():
            best.write_record(self._described(best.record(), run.run_id))
        checkpoints = [path.name for path in best.folder.glob("checkpoint-*.safetensors")]
        if best.path(TENSORBOARD).is_dir():
            system.replace(best.path(TENSORBOARD), run.path(TENSORBOARD))
        for file in (CONFIG, SPLIT, RESOLVED, METRICS, PATH, WEIGHTS, *checkpoints, RECORD):
            if best.path(file).is_file():
                system.replace(best.path(file), run.path(file))
        system.sync_folder(run.folder)

    def _write_average(self, run: Run) -> None:
        """Write the average of the kept networks as one wider network."""
        members = [load_trained(Run(self.sweep.trainings / each.name)) for each in self.kept]
        one = members[0].experiment
        network = averaged_network(one.network, len(members))
        params = averaged_params(one.network, [each.params for each in members])
        experiment = replace(one, network=network, config=_widened(self.config, network.layers))
        seconds = sum(each.seconds for each in self.done.in_order)
        curves = Curves([], {})
        trained = TrainedInMemory(experiment, params, params, curves, 0, 0, AVERAGED, seconds)
        write_trained(run, trained, lambda record: self._described(record, run.run_id))

    def _described(self, record: RunRecord, run_id: str) -> RunRecord:
        """The record with the restarts, with its fold's group, and with the command line."""
        fold, begun = record.fold, self.sweep.record()
        if fold is not None:
            fold = Fold(fold.number, fold.of, begun.group or run_id)
        restarts = RestartsRecord(
            criterion=self.done.plan.criterion.name,
            combine=self._combine,
            kept=[each.setting for each in self.kept],
            trainings=[self._restart(each) for each in self.done.in_order],
        )
        return replace(record, run_id=run_id, fold=fold, restarts=restarts, argv=begun.argv)

    def _restart(self, result: TrainingResult) -> Restart:
        plan = self.done.plan
        return Restart(
            number=result.setting,
            init_seed=plan.settings[result.setting]["seeds.init"],
            status=result.status,
            stop_reason=result.stop_reason,
            epochs=result.epochs,
            seconds=result.seconds,
            value=plan.criterion.value_of(result),
        )


def _widened(config: Config, layers: Sequence[Layer]) -> Config:
    """The config with the sizes of the hidden layers of an average."""
    spec = config.spec
    first, *_, last = spec.network.layers
    sizes = [first, *(layer.units for layer in layers[:-1]), last]
    update = {
        "network": spec.network.model_copy(update={"layers": sizes}),
        "training": spec.training.model_copy(update={"restarts": 1}),
    }
    return replace(config, spec=spec.model_copy(update=update))
