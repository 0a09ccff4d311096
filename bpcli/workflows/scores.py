"""Metrics of the splits of an experiment at some parameters, by paths such as `val.accuracy`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.data.types import SPLITS, SplitName
from bpcli.experiment import Experiment
from bpcli.metrics.baselines import constant_of, constant_predictions, principal_components
from bpcli.metrics.metrics import (
    Predictions,
    Sample,
    mean_of,
    measure,
    measure_targets,
    output_activations,
    predictions,
    ratio_of,
    samples,
)
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import PROBABILITIES
from bpcli.nn.units import UnitCounter, UnitCounts
from bpcli.training.loop import Epoch
from bpcli.training.objective import NetworkObjective

Scores = dict[str, float | None]


def split_objective(experiment: Experiment, name: SplitName) -> NetworkObjective:
    """Return the mean loss of a split, computed without workers."""
    return NetworkObjective(experiment.network, experiment.rows(name))


def split_predictions(
    experiment: Experiment, name: SplitName, params: Vector, objective: NetworkObjective
) -> Predictions:
    """Return the predictions for one split; the objective is that split's."""
    Z = objective.outputs(params)
    return predictions(experiment.network, Z, experiment.preprocessor, experiment.splits[name])


def split_scores(
    experiment: Experiment, name: SplitName, params: Vector, objective: NetworkObjective
) -> Scores:
    """Return the mean loss of one split and its metrics by name; the objective is that split's.

    Several targets have metrics of their own too, such as `rmse.height`. `loss_original` is that of
    outputs and targets in original units, if these were scaled.
    """
    predicted = split_predictions(experiment, name, params, objective)
    split = experiment.splits[name]
    return {
        "loss": objective.mean_loss(params),
        **{key: sample.measure() for key, sample in _original_loss(experiment, split, predicted)},
        **measure(experiment.metrics, split, predicted),
        **measure_targets(experiment.metrics, split, predicted),
    }


def split_samples(
    experiment: Experiment, name: SplitName, params: Vector, objective: NetworkObjective
) -> dict[str, Sample]:
    """Return the row-wise terms of `split_scores`, without undefined ones and single targets."""
    Z, split = objective.outputs(params), experiment.splits[name]
    predicted = predictions(experiment.network, Z, experiment.preprocessor, split)
    metrics = samples(experiment.metrics, split, predicted)
    return {
        "loss": _loss(experiment, split, Z),
        **dict(_original_loss(experiment, split, predicted)),
        **{metric: sample for metric, sample in metrics.items() if sample is not None},
    }


def _loss(experiment: Experiment, split: Split, Z: Array) -> Sample:
    A = output_activations(experiment.network, Z)
    return _weighted_mean(experiment.network.loss.per_sample(Z, A, split.Y.T), split)


def _weighted_mean(losses: Array, split: Split) -> Sample:
    """Σ_i w_i loss_i / Σ_i w_i."""
    if split.weight is None:
        return Sample(losses[np.newaxis], mean_of)
    return Sample(np.stack([split.weight * losses, split.weight]), ratio_of)


def _original_loss(
    experiment: Experiment, split: Split, predicted: Predictions
) -> Iterator[tuple[str, Sample]]:
    """Return the loss in original units, if targets were scaled; cross-entropies have none."""
    loss, preprocessor = experiment.network.loss, experiment.preprocessor
    if preprocessor.targets.changes_units and loss.targets not in PROBABILITIES:
        A, Y = predicted.outputs.T, preprocessor.original(split.Y).T
        with np.errstate(divide="ignore"):  # an output that was rounded to 0
            losses = loss.per_sample(_z_of(experiment, A), A, Y)
        yield "loss_original", _weighted_mean(losses, split)


def _z_of(experiment: Experiment, A: Array) -> Array:
    """The output layer's z where the loss reads it, from the outputs; other losses read A alone."""
    network = experiment.network
    return network.layers[-1].activation.link(A) if network.loss.is_canonical else A


def _split_metrics(
    experiment: Experiment, name: SplitName, params: Vector, objective: NetworkObjective
) -> Scores:
    predicted = split_predictions(experiment, name, params, objective)
    return measure(experiment.metrics, experiment.splits[name], predicted)


def all_scores(experiment: Experiment, params: Vector) -> Scores:
    """Return the scores of every split that has rows, by path."""
    return {
        f"{name}.{metric}": value
        for name in SPLITS
        if len(experiment.splits[name])
        for metric, value in split_scores(
            experiment, name, params, split_objective(experiment, name)
        ).items()
    }


def losses(epoch: Epoch) -> Scores:
    """Return the mean losses of an epoch by path, which are already computed."""
    train: Scores = {"train.loss": epoch.mean_loss}
    return train if epoch.val_loss is None else train | {"val.loss": epoch.val_loss}


class EpochScores:
    """Scores of the training and validation sets at an epoch, computed once per epoch."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._latest: tuple[int, Scores] = (-1, {})
        self._latest_units: tuple[int, UnitCounts] = (-1, UnitCounts([], []))

    def of(self, epoch: Epoch) -> Scores:
        """Return the scores by path."""
        if self._latest[0] != epoch.number:
            splits: dict[SplitName, NetworkObjective | None] = {
                "train": epoch.objective,
                "val": None if epoch.validation is None else epoch.validation.objective,
            }
            metrics = {
                f"{name}.{metric}": value
                for name, objective in splits.items()
                if objective is not None
                for metric, value in _split_metrics(
                    self._experiment, name, epoch.params, objective
                ).items()
            }
            self._latest = (epoch.number, losses(epoch) | metrics)
        return self._latest[1]

    def units(self, epoch: Epoch) -> UnitCounts:
        """Count dead and saturated units over some training rows."""
        if self._latest_units[0] != epoch.number:
            self._latest_units = (epoch.number, self._unit_counter.count(epoch.params))
        return self._latest_units[1]

    @cached_property
    def _unit_counter(self) -> UnitCounter:
        """The counter; created once, as that takes as long as counting."""
        return unit_counter(self._experiment)


def unit_counter(experiment: Experiment) -> UnitCounter:
    """Return a counter of dead and saturated units over some training rows."""
    return UnitCounter(experiment.network, experiment.rows("train").some().inputs)


def constant_loss(experiment: Experiment, name: SplitName) -> float | None:
    """Return the mean loss of a split with the mean of the training targets as constant outputs.

    None if the output layer cannot give those.
    """
    loss, training, rows = experiment.network.loss, experiment.rows("train"), experiment.rows(name)
    sums = [_weighted_sum(block.targets, block.weight) for block in training.blocks()]
    a = (np.sum(sums, axis=0) / training.total_weight)[:, np.newaxis]
    total = 0.0
    with np.errstate(all="ignore"):  # a mean of 0 or 1 has an infinite z: None follows
        z = _z_of(experiment, a)
        for block in rows.blocks():
            Z, A = (np.repeat(column, block.samples, axis=1) for column in (z, a))
            losses = loss.per_sample(Z, A, block.targets)
            total += float(_weighted_sum(losses, block.weight))
    mean = total / rows.total_weight
    return mean if math.isfinite(mean) else None


def _weighted_sum(values: Array, weight: Array | None) -> Array:
    """Σ_i w_i value_i over the last axis, in double precision."""
    numbers = values.astype(np.float64)
    total: Array = (numbers if weight is None else numbers * weight).sum(axis=-1)
    return total


def baselines(
    experiment: Experiment, name: SplitName, recorded: Sequence[float] = ()
) -> dict[str, Scores]:
    """Return the metrics of predictions without a network, by the baseline's name.

    `constant` is computed from the training targets alone, or is `recorded` if the training rows
    are not loaded. An autoencoder is also compared with as many principal components of the
    training rows as its narrowest layer has units.
    """
    split, training = experiment.splits[name], experiment.splits["train"]
    constant = constant_of(training) if len(training) else np.array(recorded)
    predicted = {"constant": constant_predictions(constant, split)} if len(constant) else {}
    if experiment.table.is_autoencoder:
        width = min(layer.units for layer in experiment.network.layers)
        if width < min(len(training), experiment.network.inputs):
            label = f"{width} principal components"
            predicted[label] = principal_components(training, split, width)
    names = experiment.metrics
    return {
        label: measure(names, split, each) | measure_targets(names, split, each)
        for label, each in predicted.items()
    }


def all_baselines(experiment: Experiment) -> dict[str, Scores]:
    """Return the baselines' metrics on every split that has rows, by name and by path."""
    metrics: dict[str, Scores] = {}
    for split in SPLITS:
        if len(experiment.splits[split]):
            for label, scores in baselines(experiment, split).items():
                paths = {f"{split}.{metric}": value for metric, value in scores.items()}
                metrics.setdefault(label, {}).update(paths)
    return metrics
