"""The settings of a sweep that a sampler chooses, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpcli.config.load import Config
from bpcli.runs.layout import SETTINGS
from bpcli.sweeps.chosen import Settings, keep_settings, read_settings
from bpcli.sweeps.folder import SweepFolder
from bpcli.sweeps.plan import Plan
from bpcli.sweeps.sampler import BATCH, Observed, propose
from bpcli.sweeps.seeds import trainings_of
from bpcli.sweeps.space import Space, with_values
from bpcli.sweeps.training import Training, TrainingResult


@dataclass(frozen=True)
class Sampled:
    """Chooses settings from the results of others, and keeps them in the folder of the sweep."""

    config: Config
    space: Space

    def first(self, sweep: SweepFolder | None) -> Settings:
        """The settings that a sweep has begun with, or else those of the first batch."""
        known = {} if sweep is None else read_settings(sweep.folder / SETTINGS, self.space.random)
        numbers = range(min(len(self.space), len(known)))
        return {number: known[number] for number in numbers} or self._batch(0, [])

    def keep(self, plan: Plan) -> None:
        """Write the settings of a plan, unless they are known. Raises `RunError` if that fails."""
        keep_settings(plan.folder / SETTINGS, self.space.random, plan.settings)

    def more(self, plan: Plan, results: Mapping[str, TrainingResult]) -> list[Training]:
        """Choose further settings, write them, and add them to the plan; return their trainings.

        `results` has those of all trainings of the plan.
        """
        number = len(plan.settings)
        if number >= len(self.space):
            return []
        earlier = [_observed(each, plan) for each in plan.summaries(results)]
        chosen = self._batch(number, earlier)
        settings = keep_settings(plan.folder / SETTINGS, self.space.random, chosen)
        trainings = self.trainings(settings)
        plan.add(settings, trainings)
        return trainings

    def trainings(self, settings: Settings) -> list[Training]:
        """The trainings of settings.

        Values that do not fit together make trainings that fail: as the sweep may have begun, its
        other trainings go on.
        """
        assert self.config.spec.sweep is not None, "`Space.of` has checked it"
        trainings: list[Training] = []
        for number, values in settings.items():
            made, issues = with_values(self.config, values)
            invalid = "; ".join(issue.message for issue in issues)
            seeds = self.config.spec.sweep.seeds
            trainings += trainings_of(number, made or self.config, seeds, invalid=invalid)
        return trainings

    def _batch(self, number: int, earlier: Sequence[Observed]) -> dict[int, Mapping[str, Any]]:
        """The settings of a batch from a number on.

        Batches begin at fixed numbers, and only earlier ones are known. So a sweep whose last batch
        was cut short, and that is extended, has the settings that it would have had at once.
        """
        batch = number // BATCH
        start = batch * BATCH
        drawn = propose(self.space.random, self.space.seed, batch, earlier[:start])
        end = min(start + BATCH, len(self.space))
        return {each: drawn[each - start] for each in range(number, end)}


def _observed(setting: Mapping[str, Any], plan: Plan) -> Observed:
    """What a sampler gets of a setting in the document of a sweep."""
    mean = setting["mean"]
    cost = None if mean is None else plan.criterion.as_cost(mean)
    return Observed(setting["values"], cost, setting["stopped"])
