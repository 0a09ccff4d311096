"""What a sweep trains: its settings, their trainings, and the document of their results."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from bpcli.runs.layout import GIVEN, TRAININGS
from bpcli.sweeps.ranking import Criterion
from bpcli.sweeps.training import Training, TrainingResult


@dataclass
class Plan:
    """Settings by number, their trainings in order, and what ranks them.

    `noun` is what a setting is called: a setting, a restart or a size. `test_metric` is the path of
    a metric to report besides, such as `test.accuracy`. `total` is the number of settings, if not
    all of them are known yet.
    """

    name: str
    folder: Path
    noun: str
    criterion: Criterion
    test_metric: str | None
    settings: Mapping[int, Mapping[str, Any]]
    trainings: Sequence[Training]
    total: int | None = None

    def add(self, settings: Mapping[int, Mapping[str, Any]], trainings: Sequence[Training]) -> None:
        """Add settings with greater numbers, and their trainings."""
        self.settings = {**self.settings, **settings}
        self.trainings = [*self.trainings, *trainings]
        self.by_name.update({training.name: training for training in trainings})

    @property
    def n_settings(self) -> int:
        """The number of settings, with those that are not known yet."""
        return len(self.settings) if self.total is None else self.total

    @property
    def n_trainings(self) -> int:
        """The number of trainings; settings that are not known yet have as many as others."""
        unknown = self.n_settings - len(self.settings)
        return len(self.trainings) + unknown * (len(self.trainings) // max(1, len(self.settings)))

    @cached_property
    def by_name(self) -> dict[str, Training]:
        """The trainings by their names; those that are added appear in it."""
        return {training.name: training for training in self.trainings}

    @cached_property
    def _seeds(self) -> list[int]:
        return [*dict.fromkeys(each.seed for each in self.trainings)]

    @cached_property
    def keys(self) -> list[str]:
        """The keys in which settings differ."""
        return list(dict.fromkeys(key for values in self.settings.values() for key in values))

    def command_of(self, setting: int) -> str:
        """The shell command that trains a setting with its first seed, as a run of its own."""
        config = next(each.config for each in self.trainings if each.setting == setting)
        sets = [part for each in config.overrides for part in ("--set", each)]
        name = config.source.name if Path(config.source.name).is_file() else self.folder / GIVEN
        return shlex.join(["bpnet", "train", str(name), *sets])

    def document(
        self,
        results: Mapping[str, TrainingResult],
        *,
        is_interrupted: bool = False,
        has_ended: bool = True,
    ) -> dict[str, Any]:
        """The document of a sweep: its settings, the best first, and its trainings in order.

        `results` are the latest results by the trainings' names. Trainings that halving has paused
        are stopped if the sweep has ended, and else are missing.
        """
        trainings = [self.training(each, results.get(each.name)) for each in self.trainings]
        settings = self.summaries(results)
        statuses = [each["status"] for each in trainings]
        if not has_ended:
            statuses = ["missing" if each == "stopped" else each for each in statuses]
        return {
            "sweep": self.folder.name,
            "name": self.name,
            "folder": str(self.folder),
            "noun": self.noun,
            "metric": self.criterion.name,
            "greater_is_better": self.criterion.greater_is_better,
            "keys": self.keys,
            "seeds": self._seeds,
            "folds": len({each.fold for each in self.trainings} - {None}) or None,
            "counts": {
                "settings": self.n_settings,
                "trainings": self.n_trainings,
                "finished": statuses.count("finished"),
                "failed": statuses.count("failed") + statuses.count("diverged"),
                "stopped": statuses.count("stopped"),
                "missing": statuses.count("missing") + self.n_trainings - len(trainings),
            },
            "interrupted": is_interrupted,
            "settings": sorted(settings, key=lambda each: self.criterion.as_cost(each["mean"])),
            "trainings": trainings,
        }

    def summaries(self, results: Mapping[str, TrainingResult]) -> list[dict[str, Any]]:
        """The settings in the document of the sweep, in the order of their numbers."""
        return [
            self._setting(number, [results.get(each.name) for each in group])
            for number, group in groupby(self.trainings, lambda each: each.setting)
        ]

    def training(self, training: Training, result: TrainingResult | None) -> dict[str, Any]:
        """A training in the document of the sweep."""
        facts: dict[str, Any] = {"status": "missing"} if result is None else result.to_json()
        for internal in ("name", "until", "n_params"):
            facts.pop(internal, None)
        if facts["status"] == "paused":
            facts["status"] = "stopped"
        return {
            "label": self._label(training),
            "setting": training.setting,
            "seed": training.seed,
            "fold": training.fold,
            "folder": str(self.folder / TRAININGS / training.name),
            "value": None if result is None else self.criterion.value_of(result),
            **facts,
        }

    def _label(self, training: Training) -> str:
        """A training by its setting, seed and fold: setting 3, seed 1, fold 2."""
        parts = [f"{self.noun} {training.setting}"]
        if len(self._seeds) > 1:
            parts.append(f"seed {training.seed}")
        if training.fold is not None and self.noun != "restart":
            parts.append(f"fold {training.fold}")
        if training.restart is not None:
            parts.append(f"restart {training.restart}")
        return ", ".join(parts)

    def _setting(self, number: int, results: Sequence[TrainingResult | None]) -> dict[str, Any]:
        known = [result for result in results if result is not None]
        ended = [each for each in known if not each.has_failed]
        values = [None if each is None else self.criterion.value_of(each) for each in results]
        paused = [each.epochs for each in known if each.status == "paused"]
        return {
            "setting": number,
            "values": dict(self.settings[number]),
            "trainings": len(results),
            "failed": len(known) - len(ended),
            "stopped": max(paused, default=None),
            **spread(values),
            "values_by_training": values,
            "test": self.test_spread(ended),
            "epochs": median_of([each.epochs for each in ended]),
            "seconds": median_of([each.seconds for each in ended]),
            "n_params": median_of([each.n_params for each in ended]),
        }

    def test_spread(self, results: Sequence[TrainingResult]) -> dict[str, Any] | None:
        """Mean and standard deviation of the test metric in a document; None without one."""
        if self.test_metric is None:
            return None
        values = [each.metrics.get(self.test_metric) for each in results]
        return {"metric": self.test_metric, **spread(values)}


def spread(values: Sequence[float | None]) -> dict[str, float | None]:
    """Mean and standard deviation (n - 1) of the values that are known and finite."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    try:
        sd = stdev(known) if len(known) > 1 else None
    except OverflowError:  # larger than any float
        sd = None
    return {"mean": mean(known) if known else None, "sd": sd}


def median_of(values: Sequence[float]) -> float | None:
    """The median; None of no values."""
    return median(values) if values else None
