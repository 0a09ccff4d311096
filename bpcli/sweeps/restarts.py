"""Restarts: one network trained from several initialisations, to keep the best or their average.

The folder of the trainings becomes the folder of the run: the files of the best training move up,
or those of the average are written, and the others are removed. Each can be trained again alone, by
its own seed of the initial parameters.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bpcli import system
from bpcli.config.load import Config
from bpcli.config.models import Restarts, Seeds
from bpcli.errors import ConfigIssue, Diverged, Interrupted, RunError
from bpcli.experiment import build
from bpcli.experiment.streams import seed_of
from bpcli.nn.averaging import averaged_network, averaged_params, why_not_averaged
from bpcli.nn.network import Layer
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
    WEIGHTS,
)
from bpcli.runs.references import reference_to
from bpcli.runs.run_json import Fold, Restart, RestartsRecord, RunRecord
from bpcli.runs.store import Run
from bpcli.runs.trained import load_trained
from bpcli.sweeps.folder import SweepFolder, new_record
from bpcli.sweeps.ranking import Criterion, criterion_for
from bpcli.sweeps.runner import InOrder, SweepCallback, run_all
from bpcli.sweeps.training import Training, TrainingResult
from bpcli.workflows.interrupts import stop_requests
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.save_trained import Curves, TrainedInMemory, write_trained

AVERAGED = "averaged"
"""The stop reason of the average of several networks."""


def restart_config(config: Config, number: int) -> Config:
    """The config of one restart, which trains it alone: its own seed of the initial parameters."""
    spec = config.spec
    seed = (seed_of(spec, "init") + number) % 2**63
    seeds = (spec.seeds or Seeds()).model_copy(update={"init": seed})
    training = spec.training.model_copy(update={"restarts": 1})
    return replace(config, spec=spec.model_copy(update={"seeds": seeds, "training": training}))


def train_restarts(
    config: Config,
    runs_dir: Path,
    callback: SweepCallback,
    *,
    processes: int | None = None,
    group: str | None = None,
) -> Outcome:
    """Train from each initialisation, and save the best network, or the average, as a new run.

    `group` is the id of the first run of a cross-validation that this run belongs to.

    Raises `ConfigError` if the data do not allow the training; `Diverged` if all trainings
    diverged; `Interrupted` after a signal: `resume_restarts` does what is left then.
    """
    _check(config)
    sweep = SweepFolder.new(runs_dir, config, new_record("restarts", config, group))
    return resume_restarts(sweep, callback, config=config, processes=processes)


def resume_restarts(
    sweep: SweepFolder,
    callback: SweepCallback,
    *,
    config: Config | None = None,
    processes: int | None = None,
) -> Outcome:
    """Train what is left of restarts, and save the result; raises as `train_restarts` does."""
    config = config or sweep.config()
    trainings = _trainings(config)
    with sweep.open() as (results, journal), stop_requests() as request:
        done = {result.name for result in results}
        schedule = InOrder(each for each in trainings if each.name not in done)
        run_all(schedule, sweep.trainings, journal, processes, request, callback)
        results = sorted(sweep.results(), key=lambda result: result.setting)
        if request.signal_number is not None:
            raise _interruption(sweep, len(results), len(trainings), request.signal_number)
        return _Choice.of(sweep, config, trainings, results).saved()


def _trainings(config: Config) -> list[Training]:
    fold, seed = config.spec.data.split.fold, config.spec.seed
    count = config.spec.training.all_restarts.count
    return [Training(n, seed, fold, restart_config(config, n)) for n in range(count)]


def _check(config: Config) -> None:
    """Raise `ConfigError` before any training if the restarts can lead to nothing."""
    first, second = (build(restart_config(config, number)) for number in range(2))
    location: tuple[str, ...] = ("training", "restarts")
    if np.array_equal(first.initial_params, second.initial_params):
        message = (
            "every restart would begin with the same parameters, as `network.init` draws none: "
            "use another initializer, or no restarts"
        )
        raise config.source.error([ConfigIssue(message, location)])
    if config.spec.training.all_restarts.combine == "mean":
        reason = why_not_averaged(first.network)
        if reason is not None:
            raise config.source.error([ConfigIssue(reason, (*location, "combine"))])


def _interruption(sweep: SweepFolder, done: int, count: int, signal_number: int) -> Interrupted:
    error = Interrupted(f"Interrupted: {done} of {count} restarts were finished.", signal_number)
    error.add_note(f"Finish them with: bpnet train --resume {reference_to(Run(sweep.folder))}")
    return error


@dataclass(frozen=True)
class _Choice:
    """The trainings of a finished set of restarts, and those that are kept, the best first."""

    sweep: SweepFolder
    config: Config
    trainings: Sequence[Training]
    results: Sequence[TrainingResult]
    kept: Sequence[TrainingResult]
    criterion: Criterion

    @classmethod
    def of(
        cls,
        sweep: SweepFolder,
        config: Config,
        trainings: Sequence[Training],
        results: Sequence[TrainingResult],
    ) -> _Choice:
        criterion = criterion_for(build(config))
        ranked = criterion.ranked(results)
        if not ranked:
            shutil.rmtree(sweep.folder, ignore_errors=True)
            raise _nothing_to_keep(results)
        count = _kept(config.spec.training.all_restarts)
        return cls(sweep, config, trainings, results, ranked[:count], criterion)

    def saved(self) -> Outcome:
        """Make the folder that of the run."""
        if self.config.spec.training.all_restarts.combine == "mean":
            run = self._average()
        else:
            run = self._best()
        _remove_the_rest(self.sweep)
        return Outcome(run, run.record(), None)

    def _best(self) -> Run:
        """Move the files of the best training up; the record last, which makes it a run.

        If this process was killed here before, some of the files have moved already.
        """
        source, run = Run(self.sweep.trainings / self.kept[0].name), Run(self.sweep.folder)
        if source.path(RECORD).is_file():
            source.write_record(self._told(source.record(), run.run_id))
        for file in (CONFIG, SPLIT, RESOLVED, METRICS, PATH, WEIGHTS, *_checkpoints(source)):
            if source.path(file).is_file():
                system.replace(source.path(file), run.path(file))
        if source.path(RECORD).is_file():
            system.replace(source.path(RECORD), run.path(RECORD))
        system.sync_folder(run.folder)
        return run

    def _average(self) -> Run:
        """Write the average of the kept networks as one wider network."""
        members = [load_trained(Run(self.sweep.trainings / each.name)) for each in self.kept]
        one = members[0].experiment
        network = averaged_network(one.network, len(members))
        params = averaged_params(one.network, [each.params for each in members])
        experiment = replace(one, network=network, config=_widened(self.config, network.layers))
        trained = TrainedInMemory(
            experiment, params, params, Curves([], {}), 0, 0, AVERAGED,
            sum(each.seconds for each in self.results),
        )  # fmt: skip
        run = Run(self.sweep.folder)
        write_trained(run, trained, lambda record: self._told(record, run.run_id))
        return run

    def _told(self, record: RunRecord, run_id: str) -> RunRecord:
        """The record with the restarts, and with the fold's group."""
        fold, group = record.fold, self.sweep.record().group
        if fold is not None:
            fold = Fold(fold.number, fold.of, group or run_id)
        trainings = [
            self._restart(*pair) for pair in zip(self.trainings, self.results, strict=True)
        ]
        combine = self.config.spec.training.all_restarts.combine
        kept = [each.setting for each in self.kept]
        restarts = RestartsRecord(self.criterion.name, combine, kept, trainings)
        return replace(record, fold=fold, restarts=restarts, argv=self.sweep.record().argv)

    def _restart(self, training: Training, result: TrainingResult) -> Restart:
        return Restart(
            result.setting,
            seed_of(training.config.spec, "init"),
            result.status,
            result.stop_reason,
            result.epochs,
            result.seconds,
            self.criterion.value_of(result),
        )


def _kept(restarts: Restarts) -> int:
    return min(restarts.keep, restarts.count) if restarts.combine == "mean" else 1


def _nothing_to_keep(results: Sequence[TrainingResult]) -> Exception:
    first = results[0].error or results[0].stop_reason
    if all(result.status == "diverged" for result in results):
        return Diverged(f"All {len(results)} restarts diverged. The first one: {first}")
    return RunError(f"None of the {len(results)} restarts has a result. The first one: {first}")


def _checkpoints(run: Run) -> list[str]:
    return [path.name for path in run.folder.glob("checkpoint-*.safetensors")]


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


def _remove_the_rest(sweep: SweepFolder) -> None:
    """Remove what belongs to the sweep alone; its record first, so that the folder is a run."""
    for file in (SWEEP, GIVEN, JOURNAL):
        system.unlink(sweep.folder / file)
    shutil.rmtree(sweep.trainings, ignore_errors=True)
