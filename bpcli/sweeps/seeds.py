"""The trainings of a setting: one with each seed, and each fold if there are folds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bpcli.config.load import Config
from bpcli.sweeps.space import with_seed
from bpcli.sweeps.training import Training
from bpcli.workflows.folds import fold_configs


def trainings_of(
    number: int, config: Config, seeds: int, *, invalid: str = ""
) -> Iterator[Training]:
    """The trainings of a setting with a config. `invalid` is why there is no valid config."""
    for seed in range(seeds):
        for replica in replicas(with_seed(config, seed)):
            fold = replica.spec.data.split.fold
            yield Training(number, replica.spec.seed, fold, replica, invalid=invalid)


def replicas(config: Config) -> Iterator[Config]:
    """The config without restarts: itself, or that of each fold."""
    training = config.spec.training.model_copy(update={"restarts": 1})
    config = replace(config, spec=config.spec.model_copy(update={"training": training}))
    return fold_configs(config) if config.spec.data.split.has_all_folds else iter([config])
