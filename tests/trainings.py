"""Trainings of a sweep and their results, made up or run in a folder."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from small_configs import MOONS, load

from bpcli.config.load import Config
from bpcli.experiment import build
from bpcli.sweeps.folder import SweepFolder, new_record
from bpcli.sweeps.places import Place, Processes
from bpcli.sweeps.ranking import Criterion
from bpcli.sweeps.restarts import restart_config
from bpcli.sweeps.runner import InOrder, Runner, Schedule
from bpcli.sweeps.training import ResultStatus, Training, TrainingResult
from bpcli.workflows.interrupts import StopRequest

VAL_LOSS = Criterion("val.loss")


def moons(*overrides: str) -> Config:
    """A training of some milliseconds, with a validation set."""
    shared = ["data.noise=0.2", "data.split={val: 0.3}", "training.epochs=12"]
    return load(MOONS, *shared, *overrides)


def trainings_of(configs: Iterable[Config], seeds: Sequence[int] = (0,)) -> list[Training]:
    """A training of each config, a setting each, with each seed."""
    return [
        Training(number, seed, None, config)
        for number, config in enumerate(configs)
        for seed in seeds
    ]


def restarts(count: int, *overrides: str) -> list[Training]:
    """Trainings that differ in their initial parameters."""
    config = moons(*overrides)
    return trainings_of(restart_config(config, number) for number in range(count))


def result(training: Training, value: float | None, **changes: Any) -> TrainingResult:
    """A result as `result_of` would give it, with a validation loss."""
    status: ResultStatus = "finished" if training.until is None else "paused"
    epochs = training.config.spec.training.epochs if training.until is None else training.until
    plain = TrainingResult(
        training.name, training.setting, training.seed, training.fold, training.until,
        status if value is not None else "failed", epochs=epochs,
        metrics={} if value is None else {"val.loss": value},
    )  # fmt: skip
    return replace(plain, **changes)


class Recorder:
    """What a runner has told, and what is to be done then."""

    def __init__(self, on_end: Callable[[TrainingResult], None] = lambda _: None) -> None:
        self.started: list[str] = []
        self.ended: list[TrainingResult] = []
        self.stopped: list[int] = []
        self.on_start: Callable[[Training], None] = lambda _: None
        self.on_tick: Callable[[], None] = lambda: None
        self._on_end = on_end

    def on_training_start(self, training: Training) -> None:
        self.started.append(training.name)
        self.on_start(training)

    def on_training_end(self, result: TrainingResult) -> None:
        self.ended.append(result)
        self._on_end(result)

    def on_stop(self, count: int) -> None:
        self.stopped.append(count)

    def tick(self) -> None:
        self.on_tick()


def sweep_in(folder: Path) -> SweepFolder:
    """A new folder of a sweep."""
    config = moons()
    record = new_record("sweep", config, build(config), 3, "val.loss")
    return SweepFolder.new(folder, config, record)


def run(
    sweep: SweepFolder,
    trainings: Sequence[Training],
    processes: int = 2,
    *,
    place: Place[Any] | None = None,
    schedule: Schedule | None = None,
    request: StopRequest | None = None,
    recorder: Recorder | None = None,
    data_files: Mapping[str, str] = MappingProxyType({}),
) -> list[TrainingResult]:
    """Run what is left of some trainings; return all results in the order of the journal."""
    with sweep.open() as (before, journal):
        known = {each.key: each for each in before}
        told = recorder or Recorder()
        by_name = {each.name: each for each in trainings}
        here = Processes(sweep.trainings, by_name, processes) if place is None else place
        runner = Runner(
            sweep.trainings, journal, here, request or StopRequest(), told, known, data_files
        )
        runner.run(schedule or InOrder(trainings))
    return sweep.results()


def ask_to_stop(request: StopRequest) -> None:
    """What a signal does."""
    request.receive(signal.SIGTERM, None)
