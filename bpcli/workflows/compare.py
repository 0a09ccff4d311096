"""Train one network from the same initial parameters with several optimizers, and compare them.

Trainings with the same seed have the same data, split and initial parameters. Nothing is saved.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import median
from typing import Any, Protocol

from bpcli.config.alternatives import Alternative
from bpcli.data.types import SplitName
from bpcli.engine.pool.base import WorkerPool
from bpcli.errors import ConfigError, Diverged, Interrupted
from bpcli.experiment import Experiment, build
from bpcli.nn.numerics import repeatable_numerics
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.schedules import rate_record
from bpcli.registry import as_mapping
from bpcli.runs.record import describe
from bpcli.runs.run_json import Description
from bpcli.training.epoch import Epoch
from bpcli.training.loop import every_epoch, train_epochs
from bpcli.training.metered import METERED, Metered
from bpcli.training.stopping import Best
from bpcli.workflows.evaluate import default_split
from bpcli.workflows.interrupts import StopRequest, stop_requests
from bpcli.workflows.run_epochs import Callback, Ending, earliest_due, run_epochs
from bpcli.workflows.scores import EpochScores, split_objective, split_scores
from bpcli.workflows.stop_decision import StopDecision, needs_every_epoch, stop_rules
from bpcli.workflows.workers import pool_for, workers_for


@dataclass
class Curve:
    """The loss over a training: points for some epochs, including the first and the last."""

    epochs: list[int] = field(default_factory=list)
    gradient_evaluations: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)

    def add(self, epoch: Epoch) -> None:
        self.epochs.append(epoch.number)
        self.gradient_evaluations.append(epoch.diagnostics["gradient_evaluations"])
        self.seconds.append(epoch.diagnostics["seconds"])
        self.loss.append(epoch.loss)


def points(epochs: int) -> list[int]:
    """Return the epochs of a curve's points: each up to 40, then in steps of 1/20 of the epoch.

    On a log axis, the latter are evenly spaced; 10^12 epochs have 500 points.
    """
    numbers = [0]
    while numbers[-1] < epochs:
        numbers.append(min(epochs, numbers[-1] + max(1, numbers[-1] // 20)))
    return numbers


@dataclass(frozen=True)
class Trial:
    """One training: its cost and result; loss and metric are None if it diverged."""

    optimizer: str
    seed: int
    epochs: int
    gradient_evaluations: float
    loss_evaluations: float
    seconds: float
    loss: float | None
    metric: float | None
    stop_reason: str
    message: str | None
    curve: Curve

    @property
    def diverged(self) -> bool:
        return self.stop_reason == "diverged"


_MEASURES = ("epochs", *METERED, "loss", "metric")


@dataclass
class Comparison:
    """The trials so far, grouped by seed."""

    alternatives: Sequence[Alternative]
    seeds: Sequence[int]
    facts: Description
    split: SplitName
    metric: str
    trials: list[Trial] = field(default_factory=list)
    signal_number: int | None = None

    @property
    def failure(self) -> Diverged | None:
        """The failure of the comparison, if every training diverged."""
        if not self.trials or not all(trial.diverged for trial in self.trials):
            return None
        first = self.trials[0].message
        if len(self.trials) == 1:
            return Diverged(str(first))
        return Diverged(f"All {len(self.trials)} trainings diverged. The first one: {first}")

    def to_json(self) -> dict[str, Any]:
        """The document of `--json`: what was compared, a summary per optimizer, each training."""
        return {
            "name": self.facts.name,
            "loss": self.facts.loss,
            "reduction": self.facts.reduction,
            "l2": self.facts.l2,
            "batch_size": self.facts.batch_size,
            "rows": self.facts.rows.to_json(),
            "seeds": list(self.seeds),
            "split": self.split,
            "metric": f"{self.split}.{self.metric}",
            "interrupted": self.signal_number is not None,
            "optimizers": [self._summary(each) for each in self.alternatives],
            "trainings": [asdict(trial) for trial in self.trials],
        }

    def _summary(self, alternative: Alternative) -> dict[str, Any]:
        """Return the medians of an optimizer over the seeds, and its trainings by stop reason.

        Diverged trainings are left out of the medians, unless all diverged.
        """
        training = alternative.config.spec.training
        trials = [trial for trial in self.trials if trial.optimizer == alternative.label]
        counted = [trial for trial in trials if not trial.diverged] or trials
        return {
            "label": alternative.label,
            "optimizer": as_mapping(OPTIMIZERS, training.optimizer),
            "learning_rate": rate_record(training.learning_rate),
            "trainings": len(trials),
            "stop_reason": dict(Counter(trial.stop_reason for trial in trials).most_common()),
            **{name: _median([getattr(trial, name) for trial in counted]) for name in _MEASURES},
        }


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


class ComparisonCallback(Callback, Protocol):
    """Shows the trainings that are compared."""

    def on_trial_start(self, label: str, seed: int, epochs: int) -> None: ...

    def on_trial_end(self, trial: Trial) -> None: ...


def begin(alternatives: Sequence[Alternative], seeds: int) -> Comparison:
    """Prepare a comparison over so many seeds: the config's seed and the next ones.

    Raises `ConfigError` if the data do not allow a training with one of the optimizers.
    """
    refused: dict[str, ConfigError] = {}
    for each in alternatives:
        try:
            comparison = _of(build(each.config), alternatives, seeds)
        except ConfigError as error:
            refused[str(error)] = error
    if refused:
        issues = dict.fromkeys(issue for error in refused.values() for issue in error.issues)
        raise ConfigError("\n".join(refused), issues)
    return comparison


def _of(experiment: Experiment, alternatives: Sequence[Alternative], seeds: int) -> Comparison:
    first = experiment.spec.seed
    metric = experiment.metrics[0] if experiment.metrics else "loss"
    split = default_split(experiment)
    return Comparison(
        alternatives, range(first, first + seeds), describe(experiment), split, metric
    )


def compare(comparison: Comparison, callback: ComparisonCallback) -> None:
    """Train with each optimizer and each seed.

    A diverged training counts as a result. After a signal, the comparison contains the trainings
    that had finished.
    """
    with stop_requests() as request, repeatable_numerics():
        for seed in comparison.seeds:
            for alternative in comparison.alternatives:
                if request.signal_number is None:
                    epochs = alternative.config.spec.training.epochs
                    callback.on_trial_start(alternative.label, seed, epochs)
                    trial = _trial(alternative, seed, comparison, request, callback)
                    if trial is not None:
                        callback.on_trial_end(trial)
                        comparison.trials.append(trial)
        comparison.signal_number = request.signal_number


def experiment_of(alternative: Alternative, seed: int) -> Experiment:
    """Build a trial's experiment: data, split and initial parameters depend on the seed only."""
    config = alternative.config
    return build(replace(config, spec=config.spec.model_copy(update={"seed": seed})))


def _trial(
    alternative: Alternative,
    seed: int,
    comparison: Comparison,
    request: StopRequest,
    callback: ComparisonCallback,
) -> Trial | None:
    """Run one training; None if a signal interrupted it."""
    experiment = experiment_of(alternative, seed)
    decision = StopDecision(stop_rules(experiment), request)
    recorder = CurveRecorder(experiment.spec.training.epochs)
    callbacks = [recorder, callback]
    with pool_for(experiment, workers_for(experiment)) as pool:
        epochs = _epochs(experiment, pool, recorder, callbacks)
        ending = run_epochs(epochs, decision, callbacks, EpochScores(experiment))
    if isinstance(ending.failure, Interrupted):
        return None
    if ending.failure is not None and not isinstance(ending.failure, Diverged):
        raise ending.failure
    metric = None if ending.failure is not None else _score(experiment, decision.best, comparison)
    return _trial_of(alternative.label, seed, ending, metric, recorder.curve)


class CurveRecorder:
    """Records a curve: the epochs of `points`, and the last epoch."""

    def __init__(self, epochs: int) -> None:
        self.curve = Curve()
        self._points = points(epochs)

    def has_point(self, number: int) -> bool:
        """True if an epoch is a point even if it is not the last."""
        return self._points[bisect_right(self._points, number) - 1] == number

    def next_due(self, number: int) -> int:
        """Return the next point."""
        return self._points[bisect_right(self._points, number)]

    def on_epoch(self, epoch: Epoch, scores: EpochScores, is_last: bool) -> None:
        """Add the epoch if it is a point."""
        if is_last or self.has_point(epoch.number):
            self.curve.add(epoch)


def _epochs(
    experiment: Experiment,
    pool: WorkerPool,
    recorder: CurveRecorder,
    callbacks: Sequence[Callback],
) -> Iterator[Epoch]:
    """Yield the epochs of a metered training; their seconds are those of the steps only."""
    objective = experiment.objective(pool)
    metered = Metered(experiment.spec.training.optimizer, objective.n_rows)
    epochs = train_epochs(
        experiment.training(objective, metered),
        experiment.spec.training.epochs,
        validation=experiment.validation(pool),
        next_due=every_epoch if needs_every_epoch(experiment) else earliest_due(callbacks),
        is_checked=recorder.has_point,
    )
    for epoch in epochs:
        epoch.seconds = epoch.diagnostics["seconds"]  # which `max_seconds` measures too
        yield epoch


def _score(experiment: Experiment, best: Best, comparison: Comparison) -> float | None:
    """The metric of the best weights, as `bpnet eval` computes it."""
    assert best.params is not None, "a training that has not diverged has a first epoch"
    objective = split_objective(experiment, comparison.split)
    scores = split_scores(experiment, comparison.split, best.params, objective)
    return scores[comparison.metric]


def _trial_of(label: str, seed: int, ending: Ending, metric: float | None, curve: Curve) -> Trial:
    """Summarise a training in numbers."""
    last = ending.last  # None if the loss of the initial parameters is not finite
    message = ending.failure or (last and last.ended)
    return Trial(
        optimizer=label,
        seed=seed,
        epochs=0 if last is None else last.number,
        **(dict.fromkeys(METERED, 0.0) if last is None else last.diagnostics),
        loss=None if last is None or ending.failure is not None else last.loss,
        metric=metric,
        stop_reason=ending.reason,
        message=None if message is None else str(message),
        curve=curve,
    )
