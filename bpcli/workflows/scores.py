"""Metrics of the splits of an experiment at some parameters, by paths such as `val.accuracy`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.data.types import SPLITS, SplitName
from bpcli.engine.passes import Tally
from bpcli.engine.rows import RowBlocks
from bpcli.experiment import Experiment
from bpcli.metrics.baselines import ConstantBaseline, PrincipalComponents, constant_of
from bpcli.metrics.measures import Measures, Predictor, Scores, weighted
from bpcli.metrics.metrics import (
    Sample,
    mean_of,
    output_activations,
    ratio_of,
)
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.units import UnitCounter, UnitCounts
from bpcli.training.epoch import Epoch
from bpcli.training.objective import NetworkObjective


def split_objective(
    experiment: Experiment,
    name: SplitName,
    rows: RowBlocks | None = None,
    tallies: Sequence[Tally] = (),
) -> NetworkObjective:
    """Return the mean loss of a split, computed without workers.

    `rows` may be its copied rows; `tallies` are asked for besides its metrics.
    """
    tallies = [experiment.measures(name, in_detail=True), *tallies]
    rows = experiment.rows(name) if rows is None else rows
    return NetworkObjective(experiment.network, rows, tallies=tallies)


def split_scores(
    experiment: Experiment, name: SplitName, params: Vector, objective: NetworkObjective
) -> Scores:
    """Return the mean loss of one split and its metrics by name; the objective is that split's.

    Several targets have metrics of their own too, such as `rmse.height`. `loss_original` is that of
    outputs and targets in original units, if these were scaled.
    """
    loss, measures = objective.mean_loss(params), experiment.measures(name, in_detail=True)
    return {"loss": loss} | measures.values(objective.tally(params, measures))


def split_samples(
    experiment: Experiment, name: SplitName, params: Vector, objective: NetworkObjective
) -> dict[str, Sample]:
    """Return the row-wise terms of `split_scores`, without undefined ones and single targets."""
    Z = objective.outputs(params)
    loss = _loss(experiment, experiment.splits[name], Z)
    return {"loss": loss} | experiment.measures(name, in_detail=True).samples(Z)


def _loss(experiment: Experiment, split: Split, Z: Array) -> Sample:
    A = output_activations(experiment.network, Z)
    losses = experiment.network.loss.per_sample(Z, A, split.Y.T)
    return Sample(weighted(losses, split), mean_of if split.weight is None else ratio_of)


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
                for metric, value in self._of_split(name, objective, epoch.params).items()
            }
            self._latest = (epoch.number, losses(epoch) | metrics)
        return self._latest[1]

    def _of_split(self, name: SplitName, objective: NetworkObjective, params: Vector) -> Scores:
        measures = self._experiment.measures(name)
        return measures.values(objective.tally(params, measures))

    def units(self, epoch: Epoch) -> UnitCounts:
        """Count dead and saturated units over some training rows."""
        if self._latest_units[0] != epoch.number:
            self._latest_units = (epoch.number, self._unit_counter.count(epoch.params))
        return self._latest_units[1]

    @cached_property
    def _unit_counter(self) -> UnitCounter:
        """The counter; created once, as that takes as long as counting."""
        return self._experiment.unit_counter()


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
    predictors: dict[str, Predictor] = {}
    if len(constant):
        predictors["constant"] = ConstantBaseline(constant)
    if experiment.table.is_autoencoder:
        width = min(layer.units for layer in experiment.network.layers)
        if width < min(len(training), experiment.network.inputs):
            label = f"{width} principal components"
            predictors[label] = PrincipalComponents.fit(training, width)
    no_z = np.empty((0, len(split)))
    return {
        label: Measures(predictor, split, experiment.metrics).of(no_z)
        for label, predictor in predictors.items()
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
