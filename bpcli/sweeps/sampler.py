"""Settings that Optuna proposes from the results of earlier ones, by its sampler TPE.

TPE, the tree-structured Parzen estimator, draws values that are more likely among the best settings
than among the others (Bergstra et al. 2011, NeurIPS, "Algorithms for Hyper-Parameter
Optimization").

Settings are proposed in batches of a fixed size. A batch depends on the seed, its number and the
results of the batches before it: not on the number of processes, nor on what was proposed when.
Nothing of Optuna is kept between batches, and no database is used.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpcli.config.domains import Choice, Distribution, LogUniform, LogWhole, Uniform, Whole
from bpcli.config.writing import inline
from bpcli.errors import ConfigError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

BATCH = 4
"""Settings in a batch, whatever the number of processes; those of the first are drawn at random.

Larger batches keep more processes busy, but learn later. Of 40 settings for a quadratic function of
three keys, the best had a median of 0.29 with batches of 8, 0.12 with 4, and 0.57 if all were
random. The seeds and folds of a setting run at the same time too.
"""


@dataclass(frozen=True)
class Observed:
    """The values of a setting, and its cost; None if all its trainings failed.

    `stopped` is the epoch at which halving stopped it.
    """

    values: Mapping[str, Any]
    cost: float | None
    stopped: int | None = None


def propose(
    domains: Mapping[str, Distribution], seed: int, batch: int, earlier: Sequence[Observed]
) -> list[dict[str, Any]]:
    """The values of the settings of a batch; `earlier` are all those before it, in order.

    Values are rounded as those of `Distribution.at`. Raises `ConfigError` without Optuna.
    """
    _require_optuna()
    parameters = {key: _parameter(domain) for key, domain in domains.items()}
    with _quiet():
        study = _study(seed, batch)
        study.add_trials([_trial(each, domains, parameters) for each in earlier])
        asked = [study.ask(parameters).params for _ in range(BATCH)]
    return [{key: _value(domain, drawn[key]) for key, domain in domains.items()} for drawn in asked]


def _require_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise ConfigError(
            'The sampler `tpe` needs the package optuna: pip install "bpcli[optuna]".'
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's messages, and its warnings that options may change or limits are far."""
    from optuna import logging
    from optuna.exceptions import ExperimentalWarning

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        logging.set_verbosity(before)


def _study(seed: int, batch: int) -> Study:
    """An empty study in memory, whose draws depend on the seed and the number of the batch.

    Settings that are proposed together are kept apart (`constant_liar`), and dependences between
    keys are learned (`multivariate`). Without results, TPE draws at random.
    """
    from optuna import create_study
    from optuna.samplers import TPESampler

    state = np.random.SeedSequence(seed, spawn_key=(batch,)).generate_state(1)
    return create_study(
        sampler=TPESampler(
            n_startup_trials=BATCH, multivariate=True, constant_liar=True, seed=int(state[0])
        )
    )


def _trial(
    setting: Observed,
    domains: Mapping[str, Distribution],
    parameters: Mapping[str, BaseDistribution],
) -> FrozenTrial:
    """A setting with its result. One that was stopped ranks behind those that went on."""
    from optuna.trial import TrialState, create_trial

    params = {key: _to_optuna(domain, setting.values[key]) for key, domain in domains.items()}
    distributions = dict(parameters)
    if setting.cost is None:
        return create_trial(state=TrialState.FAIL, params=params, distributions=distributions)
    if setting.stopped is None:
        return create_trial(value=setting.cost, params=params, distributions=distributions)
    return create_trial(
        state=TrialState.PRUNED,
        params=params,
        distributions=distributions,
        intermediate_values={setting.stopped: setting.cost},
    )


def _parameter(domain: Distribution) -> BaseDistribution:
    """What Optuna calls a distribution; it chooses the index of a choice."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    match domain:
        case Uniform(low, high):
            if math.isinf(high - low):
                raise ConfigError(
                    f"uniform({low}, {high}) is too wide for the sampler `tpe`: use limits that "
                    "are closer"
                )
            return FloatDistribution(low, high)
        case LogUniform(low, high):
            return FloatDistribution(low, high, log=True)
        case Whole(low, high):
            return IntDistribution(low, high)
        case LogWhole(low, high):
            return IntDistribution(low, high, log=True)
        case Choice(values):
            return CategoricalDistribution(range(len(values)))
    raise TypeError(f"no parameter for {domain}")


def _value(domain: Distribution, drawn: Any) -> Any:
    """The value for what Optuna has drawn."""
    if isinstance(domain, Choice):
        return domain.values[drawn]
    return domain.rounded(drawn) if isinstance(domain, Uniform | LogUniform) else drawn


def _to_optuna(domain: Distribution, value: Any) -> Any:
    """What Optuna would have drawn for a value. Texts tell 1 from true, as equality does not."""
    return (
        [*map(inline, domain.values)].index(inline(value)) if isinstance(domain, Choice) else value
    )
