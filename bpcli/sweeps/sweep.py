"""A sweep: train the config with other values of some keys, and compare the settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bpcli.config.load import Config, validate
from bpcli.config.sweep_spec import SweepSpec
from bpcli.errors import ConfigError, ConfigIssue
from bpcli.experiment import Experiment, build
from bpcli.sweeps.batches import Growing, InBatches
from bpcli.sweeps.chosen import Settings
from bpcli.sweeps.folder import SweepFolder, SweepRecord, new_record
from bpcli.sweeps.halving import Halving
from bpcli.sweeps.options import SweepOptions, add_options
from bpcli.sweeps.plan import Plan
from bpcli.sweeps.planned import Planned
from bpcli.sweeps.ranking import OBJECTIVE, Criterion
from bpcli.sweeps.runner import InOrder, Schedule
from bpcli.sweeps.sampled import Sampled
from bpcli.sweeps.seeds import trainings_of
from bpcli.sweeps.space import Space, configs
from bpcli.sweeps.training import MOST_TRAININGS, Training

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class PlannedSweep(Planned):
    """A sweep before its first training: its settings are valid, and the first can be built.

    `warnings` name likely mistakes. With a sampler, `settings` are those that are known, and later
    ones are chosen while it runs.
    """

    space: Space
    settings: Settings
    test_metric: str | None
    warnings: tuple[str, ...]

    def plan(self, folder: Path) -> Plan:
        """The plan, with its trainings in a folder."""
        return Plan(
            self.config.spec.name,
            folder,
            "setting",
            self.criterion,
            self.test_metric,
            self.settings,
            self.trainings,
            total=len(self.space),
        )

    @property
    def record(self) -> SweepRecord:
        """The record of the sweep, if it began now."""
        count, metric = self.plan(Path()).n_trainings, self.criterion.name
        return new_record("sweep", self.config, self.first, count, metric)

    def schedule(self, plan: Plan) -> Schedule:
        """The trainings in order, or with halving; in batches with a sampler."""
        schedule: Growing = InOrder(self.trainings)
        if _sweep(self.config).halving:
            schedule = Halving(self.trainings, self.criterion)
        if _sweep(self.config).sampler == "random":
            return schedule
        sampled = Sampled(self.config, self.space)
        sampled.keep(plan)
        return InBatches(schedule, partial(sampled.more, plan))


def plan_sweep(config: Config, sweep: SweepFolder | None = None) -> PlannedSweep:
    """Derive the trainings of a sweep, those that it has begun with if it is resumed.

    Raises `ConfigError` for values or data that do not fit, or without the package of a sampler.
    """
    space = Space.of(config.spec)
    _refuse_too_many(config, len(space))
    # With a sampler too: a mistake in the ranges is found before the first training.
    trainings = _trainings(config, space)
    settings: Settings = {number: space.setting(number) for number in range(len(space))}
    if _sweep(config).sampler != "random":
        sampled = Sampled(config, space)
        settings = sampled.first(sweep)
        trainings = sampled.trainings(settings)
    experiment = build(trainings[0].config)
    criterion, warnings = _criterion(config, experiment)
    warnings = (*warnings, *_untried(space))
    notes = [note for note in experiment.notes if not note.startswith("`sweep`")]
    if config.spec.training.all_restarts.count > 1:
        notes.append("`training.restarts` is not used by a sweep, which has `seeds`")
    return PlannedSweep(
        config,
        experiment,
        criterion,
        trainings,
        tuple(notes),
        space,
        settings,
        test_metric_of(experiment),
        warnings,
    )


def _trainings(config: Config, space: Space) -> list[Training]:
    """The trainings of all settings of a grid or of independent draws, in order."""
    made, seeds = configs(config, space, range(len(space))), _sweep(config).seeds
    return [
        each for number in range(len(space)) for each in trainings_of(number, made[number], seeds)
    ]


def resumed_config(sweep: SweepFolder, options: SweepOptions) -> Config:
    """The config of a sweep with options such as more seeds. Raises `ConfigError`.

    With halving, seeds and metric stay: settings were stopped by them.
    """
    if _sweep(sweep.config()).halving and (options.seeds or options.metric):
        raise ConfigError(
            f"{sweep.sweep_id} has stopped settings by halving, with its seeds and its metric: "
            "only --trials can change. Begin a new sweep for another metric, or more seeds."
        )
    source = sweep.source()
    add_options(source, options)
    return replace(validate(source), overrides=tuple(sweep.record().overrides))


def _sweep(config: Config) -> SweepSpec:
    assert config.spec.sweep is not None, "`Space.of` has checked it"
    return config.spec.sweep


def _criterion(config: Config, experiment: Experiment) -> tuple[Criterion, tuple[str, ...]]:
    """What ranks the settings, with warnings."""
    given = _sweep(config).metric
    if given != "auto":
        _refuse_unknown(config, given, experiment)
        is_test = given.startswith("test.") and experiment.spec.data.split.folds is None
        return Criterion(given), (_BY_TEST,) if is_test else ()
    if len(experiment.splits["val"]):
        return Criterion("val.loss"), ()
    if experiment.spec.data.split.folds is not None:
        return Criterion("test.loss"), ()
    warning = (
        "there are no validation rows, so settings are ranked by what training minimises, which "
        "favours large networks and little regularization: set `data.split.val` or "
        "`data.split.folds`"
    )
    return Criterion(OBJECTIVE), (warning,)


_BY_TEST = (
    "settings are ranked by their test scores, so the best score is too optimistic: keep the "
    "test rows for the end, and rank by a metric of the validation rows"
)


def _refuse_too_many(config: Config, settings: int) -> None:
    """Raise `ConfigError` for more trainings than can be planned."""
    split = config.spec.data.split
    folds, seeds = (split.folds or 1) if split.has_all_folds else 1, _sweep(config).seeds
    count = settings * seeds * folds
    if count > MOST_TRAININGS:
        raise ConfigError(
            f"{settings:,} settings × {seeds:,} seeds × {folds:,} folds are {count:,} trainings, "
            f"more than {MOST_TRAININGS:,}: set fewer `trials` or `seeds`."
        )


def _untried(space: Space) -> Iterator[str]:
    """Warn of combinations of a grid that no setting has, or fewer than others."""
    trials, combinations = len(space), space.combinations
    if trials < combinations:
        yield (
            f"{combinations - trials:,} of the {combinations:,} combinations of the grid are not "
            f"tried, as `trials` is {trials:,}"
        )
    elif trials % combinations:
        yield (
            f"some of the {combinations:,} combinations of the grid are tried once more than "
            f"others, as `trials` ({trials:,}) is not a multiple of {combinations:,}"
        )


def _refuse_unknown(config: Config, path: str, experiment: Experiment) -> None:
    """Raise `ConfigError` if the trainings will not have this metric."""
    splits = [name for name, split in experiment.splits.items() if len(split)]
    known = [f"{split}.{name}" for split in splits for name in ("loss", *experiment.metrics)]
    if path not in known:
        issue = ConfigIssue(
            f"found `{path}`, expected one of {', '.join(known)}", ("sweep", "metric")
        )
        raise config.source.error([issue])


def test_metric_of(experiment: Experiment) -> str | None:
    """The path of the first metric of the test split that is not a loss; None without test rows."""
    if not len(experiment.splits["test"]) or not experiment.metrics:
        return None
    return f"test.{experiment.metrics[0]}"
