"""A search for the number of hidden units: train each size several times, and compare them.

Each size is trained on several random splits, which are the same for all sizes, and on each split
from several initialisations. Of these, the one with the lowest training loss counts. Its validation
loss is an unbiased estimate, unlike the lowest of several validation losses, which is too low, and
most so where they differ most.

The number of splits decides how good the answer is: in 2,000 searches with splits drawn from 20 of
200 rows of Friedman's first problem, the size that is called enough had a test error within 10 % of
the best size in 95 % of those with 10 splits, and in 72 % of those with 5, with 10 restarts each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from bpcli.config.domains import grid_values, is_call
from bpcli.config.load import Config, validate_all
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.config.writing import inline
from bpcli.data.row_index import same_rows
from bpcli.errors import ConfigError, RunError
from bpcli.experiment import Experiment, build
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.layout import SWEEP
from bpcli.runs.provenance import data_digest
from bpcli.sweeps.folder import SweepRecord, new_record
from bpcli.sweeps.plan import Plan, median_of, spread
from bpcli.sweeps.planned import Planned
from bpcli.sweeps.ranking import EVIDENCE, Criterion
from bpcli.sweeps.restarts import restart_config
from bpcli.sweeps.run_plan import PlanResults
from bpcli.sweeps.seeds import replicas
from bpcli.sweeps.space import with_seed
from bpcli.sweeps.sweep import test_metric_of
from bpcli.sweeps.training import MOST_TRAININGS, Training, TrainingResult

if TYPE_CHECKING:
    pass

_MOST_UNITS = 10_000
_SEEDS = 2**63
_FEWEST = 2
_CLEARLY = 0.98
"""A mean loss above this fraction of that of a constant prediction is no better."""
_EQUAL_EVIDENCE = 1.0
"""A smaller difference of log evidences is "not worth more than a bare mention": Kass & Raftery
1995, Journal of the American Statistical Association 90, 773, Table 3."""


@dataclass(frozen=True)
class Sizes:
    """What to try: sizes of the hidden layers, restarts on each split, and random splits."""

    hidden: Sequence[int]
    restarts: int
    splits: int


@dataclass(frozen=True)
class PlannedSearch(Planned):
    """A search before its first training."""

    sizes: Sizes

    @property
    def record(self) -> SweepRecord:
        """The record of the search, if it began now."""
        count, metric = len(self.trainings), self.criterion.name
        return replace(
            new_record("size", self.config, self.first, count, metric),
            hidden=[*self.sizes.hidden],
            restarts=self.sizes.restarts,
            splits=self.sizes.splits,
        )

    def plan(self, folder: Path) -> Plan:
        """The plan, with its trainings in a folder. The number of a setting is its size."""
        return Plan(
            self.config.spec.name,
            folder,
            "size",
            self.criterion,
            test_metric_of(self.first),
            {size: {} for size in self.sizes.hidden},
            self.trainings,
        )


def parsed_sizes(text: str) -> list[int]:
    """The sizes in a text such as `1..20` or `1,2,4,8`, in order. Raises `ConfigError`."""
    try:
        values = grid_values(text if is_call(text) else Source.parse(f"v: [{text}]", "").tree["v"])
    except (ValueError, ConfigError):
        values = []
    if not (values and all(type(each) is int and 0 < each <= _MOST_UNITS for each in values)):
        raise ConfigError(f"--hidden {text}: {_EXPECTED}.")
    return sorted(values)


_EXPECTED = (
    f"expected different numbers of hidden units from 1 to {_MOST_UNITS:,}, such as 1..20 or "
    "1,2,4,8"
)


def plan_search(config: Config, sizes: Sizes) -> PlannedSearch:
    """Derive the trainings of a search.

    Raises `ConfigError` if the network has no hidden layer, if there is nothing to rank sizes by,
    or if the data do not allow the training.
    """
    if len(config.spec.network.layers) < _LEAST_LAYERS:
        raise ConfigError(
            "The network has no hidden layer whose size could be searched: add one to "
            "`network.layers`."
        )
    count = len(sizes.hidden) * sizes.restarts * sizes.splits
    if count > MOST_TRAININGS:
        raise ConfigError(
            f"{len(sizes.hidden):,} sizes × {sizes.splits:,} splits × {sizes.restarts:,} restarts "
            f"are {count:,} trainings, more than {MOST_TRAININGS:,}: try fewer sizes, such as "
            "--hidden 1,2,4,8,16."
        )
    if config.spec.seed + sizes.splits > _SEEDS:
        raise ConfigError(
            f"{sizes.splits:,} splits from the seed {config.spec.seed} on exceed the largest seed, "
            f"{_SEEDS - 1}: use a smaller `seed`."
        )
    configs = _configs(config, sizes.hidden)
    first = build(next(iter(replicas(configs[0]))))
    criterion = _criterion(first)
    has_folds = config.spec.data.split.has_all_folds
    if has_folds or (sizes.splits > 1 and _has_one_split(first, configs[0])):
        sizes = replace(sizes, splits=1)
    trainings = [
        Training(size, each.spec.seed, each.spec.data.split.fold, restart_config(each, n), n)
        for size, sized in zip(sizes.hidden, configs, strict=True)
        for split in range(sizes.splits)
        for each in replicas(with_seed(sized, split))
        for n in range(sizes.restarts)
    ]
    notes = tuple(note for note in first.notes if not note.startswith("`sweep`"))
    return PlannedSearch(config, first, criterion, trainings, notes, sizes)


_LEAST_LAYERS = 3


def _configs(config: Config, hidden: Sequence[int]) -> list[Config]:
    """The config with each size for its hidden layers."""
    first, *between, last = config.spec.network.layers
    sources = []
    for size in hidden:
        source = config.source.copy()
        source.tree.pop("sweep", None)
        layers = inline([first, *[size] * len(between), last])
        override(source, f"network.layers={layers}", option="--hidden")
        sources.append(source)
    overrides = [
        f"network.layers={inline(source.get(('network', 'layers')))}" for source in sources
    ]
    return [
        replace(each, overrides=(*config.overrides, own))
        for each, own in zip(validate_all(sources), overrides, strict=True)
    ]


def _criterion(first: Experiment) -> Criterion:
    """What ranks sizes. Raises `ConfigError` if that would be the training loss."""
    if len(first.splits["val"]):
        return Criterion("val.loss")
    if first.spec.training.optimizer.finds_l2:
        return Criterion(EVIDENCE)
    if first.spec.data.split.folds is not None:
        return Criterion("test.loss")
    raise ConfigError(
        "There are no validation rows to compare sizes on: set `data.split.val`, for example "
        "--set data.split.val=0.2, or use `data.split.folds` or `bayesian_regularization`."
    )


def _has_one_split(first: Experiment, config: Config) -> bool:
    """Whether another seed gives the same data and the same split."""
    other = build(next(iter(replicas(with_seed(config, 1)))))
    return data_digest(first.table) == data_digest(other.table) and all(
        same_rows(split.index, other.splits[name].index) for name, split in first.splits.items()
    )


def sizes_of(record: SweepRecord) -> Sizes:
    """The sizes of a search that was begun. Raises `RunError` if there are none."""
    if not record.hidden:
        raise RunError(f"{SWEEP} is damaged: the search has no sizes.")
    return Sizes(record.hidden, record.restarts, record.splits)


def size_document(planned: PlannedSearch, done: PlanResults) -> dict[str, Any]:
    """The document of a search: each size with its values, the best one, and which is enough.

    Enough is the smallest size that is at most one standard error worse than the best (Breiman et
    al. 1984, "Classification and Regression Trees", §3.4.3): that of the best mean, or that of the
    difference between the two over the splits, whichever is smaller. If log evidences are ranked,
    it is the smallest that is at most 1 below the best. None is enough as long as trainings are
    missing, and if no size is better than a constant prediction.

    On 1,000 rows of two spirals, the size that is enough had a test loss within 10 % of the best in
    all of 150 resampled searches; in 14 % of them without the standard error of the difference.
    """
    criterion, plan = done.plan.criterion, done.plan
    by_size = groupby(plan.trainings, lambda each: each.setting)
    sizes = [_size(size, list(group), done) for size, group in by_size]
    known = [each for each in sizes if each["mean"] is not None]
    best = min(known, key=lambda each: criterion.as_cost(each["mean"]), default=None)
    is_paired = planned.sizes.splits > 1 or planned.config.spec.data.split.has_all_folds
    enough = [each["hidden"] for each in known if _is_enough(criterion, each, best, is_paired)]
    missing, constant = len(plan.trainings) - len(done.in_order), _constant_loss(planned)
    has_learned = best is not None and (constant is None or best["mean"] < _CLEARLY * constant)
    return {
        "sweep": plan.folder.name,
        "name": plan.name,
        "folder": str(plan.folder),
        "metric": criterion.name,
        "greater_is_better": criterion.greater_is_better,
        "hidden_layers": len(planned.config.spec.network.layers) - 2,
        "restarts": planned.sizes.restarts,
        "splits": planned.sizes.splits,
        "counts": {
            "trainings": len(plan.trainings),
            "finished": sum(each.status == "finished" for each in done.in_order),
            "failed": sum(each["failed"] for each in sizes),
            "missing": missing,
        },
        "repetitions": max((len(each["values"]) for each in sizes), default=0),
        "sizes": sizes,
        "best": None if best is None else best["hidden"],
        "enough": min(enough, default=None) if has_learned and not missing else None,
        "limit": None if best is None else _limit(criterion, best),
        "constant": constant,
        "interrupted": done.signal_number is not None,
    }


def _limit(criterion: Criterion, best: Mapping[str, Any]) -> float:
    """The worst mean that is within one standard error of the best mean."""
    margin = _EQUAL_EVIDENCE if criterion.name == EVIDENCE else best["se"] or 0.0
    return float(best["mean"] + (-margin if criterion.greater_is_better else margin))


def _is_enough(
    criterion: Criterion, size: Mapping[str, Any], best: Mapping[str, Any] | None, is_paired: bool
) -> bool:
    """Whether a size is at most one standard error worse than the best."""
    if best is None or size is best:
        return best is not None
    limit = criterion.as_cost(_limit(criterion, best))
    if criterion.as_cost(size["mean"]) > limit:
        return False
    if not is_paired or criterion.name == EVIDENCE:
        return True
    pairs = zip(size["values"], best["values"], strict=True)
    differences = [one - other for one, other in pairs if one is not None and other is not None]
    if len(differences) < _FEWEST:
        return True
    error = stdev(differences) / math.sqrt(len(differences))
    return bool(abs(mean(differences)) <= error)


def _constant_loss(planned: PlannedSearch) -> float | None:
    """The loss of a constant prediction on the first split, if a loss ranks the sizes."""
    split, _, metric = planned.criterion.name.partition(".")
    if metric != "loss":
        return None
    with repeatable_numerics():
        return planned.first.constant_loss("test" if split == "test" else "val")


def _size(size: int, trainings: Sequence[Training], done: PlanResults) -> dict[str, Any]:
    """A size in the document; a value is that of the restart that counts on a split."""
    criterion = done.plan.criterion
    ended = [done.results[each.name] for each in trainings if each.name in done.results]
    chosen = _best_of_each_split(trainings, done)
    values = [None if each is None else criterion.value_of(each) for each in chosen]
    best = [each for each in chosen if each is not None]
    known, measures = [each for each in values if each is not None], spread(values)
    return {
        "hidden": size,
        "n_params": best[0].n_params if best else None,
        **measures,
        "se": None if measures["sd"] is None else measures["sd"] / math.sqrt(len(known)),
        "lowest": min(known, default=None),
        "highest": max(known, default=None),
        "values": values,
        "failed": sum(each.has_failed for each in ended),
        "test": done.plan.test_spread(best),
        "evidence": _evidence(best),
        "effective_params": median_of(_diagnostics("effective_params", best)),
        "epochs": median_of([each.epochs for each in best]),
        "seconds": median_of([each.seconds for each in best]),
    }


def _best_of_each_split(
    trainings: Sequence[Training], done: PlanResults
) -> list[TrainingResult | None]:
    """The result on each split with the lowest training loss, or with the highest evidence.

    With one split, all results.
    """
    criterion = done.plan.criterion
    choice = criterion if criterion.name == EVIDENCE else Criterion("train.loss")
    splits = [list(group) for _, group in groupby(trainings, lambda each: (each.seed, each.fold))]
    if len(splits) == 1:
        return [done.results.get(each.name) for each in splits[0]]
    chosen = []
    for split in splits:
        results = [done.results[each.name] for each in split if each.name in done.results]
        chosen.append(next(iter(choice.ranked(results)), None))
    return chosen


def _evidence(best: Sequence[TrainingResult]) -> dict[str, Any] | None:
    known = _diagnostics(EVIDENCE, best)
    return {**spread(known), "highest": max(known)} if known else None


def _diagnostics(name: str, best: Sequence[TrainingResult]) -> list[float]:
    """The known values of a diagnostic."""
    values = (each.diagnostics.get(name) for each in best)
    return [value for value in values if value is not None]
