"""The experiment of a lesson: a config whose epochs are recorded, and are not too many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bpcli.config.load import Config, load_config
from bpcli.errors import ConfigError
from bpcli.experiment import Experiment, build
from bpcli.report.lesson.trials import work_of_epoch

_MOST_NUMBERS = 8e6
"""The most parameters of all epochs together: 64 MB."""

_MOST_WORK = 2e10
"""Multiplications of the training: some seconds."""

_ALWAYS = ("training.record_params=true",)
_EPOCHS = "training.epochs="


def lesson_experiment(path: Path, overrides: Sequence[str]) -> tuple[Experiment, list[str]]:
    """The experiment of a config for a lesson, and notes on what was changed.

    Raises `ConfigError` if the config describes several trainings of different rows.
    """
    config = _loaded(path, overrides)
    if config.spec.data.split.has_all_folds:
        raise ConfigError("A lesson is about one training: add --set data.split.fold=1.")
    notes = list[str]()
    restarts = config.spec.training.all_restarts.count
    if restarts > 1:
        overrides = (*overrides, "training.restarts=1")
        config = _loaded(path, overrides)
        notes.append(f"a lesson is about one training: the first of {restarts} restarts")
    experiment = build(config)
    given, epochs = config.spec.training.epochs, _affordable(experiment)
    if given <= epochs or any(each.strip().startswith(_EPOCHS) for each in overrides):
        return experiment, notes
    notes.append(
        f"the lesson has {epochs:,} of the {given:,} epochs of the config, so that it is made "
        f"quickly: --set {_EPOCHS}{given} trains all"
    )
    return build(_loaded(path, (*overrides, f"{_EPOCHS}{epochs}"))), notes


def _loaded(path: Path, overrides: Sequence[str]) -> Config:
    return load_config(path, (*overrides, *_ALWAYS))


def _affordable(experiment: Experiment) -> int:
    """The epochs that the limits allow, with one or two digits that are not 0."""
    numbers, work = (
        _MOST_NUMBERS / experiment.network.n_params,
        _MOST_WORK / work_of_epoch(experiment),
    )
    most = max(10, int(min(numbers, work)))
    rounding = int(f"1{'0' * max(0, len(str(most)) - 2)}")
    return most // rounding * rounding
