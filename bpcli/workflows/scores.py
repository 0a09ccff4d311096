"""Metrics of the parts of an experiment at some parameters, under paths such as `val.accuracy`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from bpcli.data.preprocessing import PARTS, Part, PartName
from bpcli.experiment import Experiment
from bpcli.metrics.metrics import (
    Predictions,
    Sample,
    constant_predictions,
    mean_of,
    measure,
    output_activations,
    predictions,
    ratio_of,
    samples,
)
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.units import UnitCounter, UnitCounts, rows_to_look_at
from bpcli.training.loop import Epoch
from bpcli.training.objective import Objective

Scores = dict[str, float | None]


def part_objective(experiment: Experiment, name: PartName) -> Objective:
    """The mean loss of a part, computed by this process alone."""
    return Objective(experiment.network, experiment.rows(name))


def part_predictions(
    experiment: Experiment, name: PartName, params: Vector, objective: Objective
) -> Predictions:
    """What the network predicts for one part; the objective is that part's."""
    Z = objective.outputs(params)
    return predictions(experiment.network, Z, experiment.preparation, experiment.parts[name])


def part_scores(
    experiment: Experiment, name: PartName, params: Vector, objective: Objective
) -> Scores:
    """The mean loss of one part and its metrics, by name; the objective is that part's.

    `loss_original` is that of outputs and targets in original units, where these were scaled.
    """
    predicted = part_predictions(experiment, name, params, objective)
    part = experiment.parts[name]
    return {
        "loss": objective.mean_loss(params),
        **{key: sample.measure() for key, sample in _original_loss(experiment, part, predicted)},
        **measure(experiment.metrics, part, predicted),
    }


def part_samples(
    experiment: Experiment, name: PartName, params: Vector, objective: Objective
) -> dict[str, Sample]:
    """What `part_scores` measures, row by row; without what is undefined."""
    Z, part = objective.outputs(params), experiment.parts[name]
    predicted = predictions(experiment.network, Z, experiment.preparation, part)
    found = samples(experiment.metrics, part, predicted)
    return {
        "loss": _loss(experiment, part, Z),
        **dict(_original_loss(experiment, part, predicted)),
        **{metric: sample for metric, sample in found.items() if sample is not None},
    }


def _loss(experiment: Experiment, part: Part, Z: Array) -> Sample:
    A = output_activations(experiment.network, Z)
    return _weighted_mean(experiment.network.loss.per_sample(Z, A, part.Y.T), part)


def _weighted_mean(losses: Array, part: Part) -> Sample:
    """Σ_i w_i loss_i / Σ_i w_i."""
    if part.weight is None:
        return Sample(losses[np.newaxis], mean_of)
    return Sample(np.stack([part.weight * losses, part.weight]), ratio_of)


def _original_loss(
    experiment: Experiment, part: Part, predicted: Predictions
) -> Iterator[tuple[str, Sample]]:
    """The loss by its formula in original units, where they are others; cross-entropies have none.

    Losses of values read outputs and targets alone, so the outputs stand for z as well.
    """
    loss, preparation = experiment.network.loss, experiment.preparation
    if preparation.targets.changes_units and loss.targets == "values":
        A, Y = predicted.outputs.T, preparation.original(part.Y).T
        yield "loss_original", _weighted_mean(loss.per_sample(A, A, Y), part)


def _part_metrics(
    experiment: Experiment, name: PartName, params: Vector, objective: Objective
) -> Scores:
    predicted = part_predictions(experiment, name, params, objective)
    return measure(experiment.metrics, experiment.parts[name], predicted)


def all_scores(experiment: Experiment, params: Vector) -> Scores:
    """The scores of every part that has rows, by path."""
    return {
        f"{name}.{metric}": value
        for name in PARTS
        if len(experiment.parts[name])
        for metric, value in part_scores(
            experiment, name, params, part_objective(experiment, name)
        ).items()
    }


def losses(epoch: Epoch) -> Scores:
    """The mean losses of an epoch by path: those of its scores that cost nothing more."""
    found: Scores = {"train.loss": epoch.mean_loss}
    return found if epoch.val_loss is None else found | {"val.loss": epoch.val_loss}


class EpochScores:
    """Scores of the training and validation parts at an epoch, computed once an epoch."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._latest: tuple[int, Scores] = (-1, {})
        self._latest_units: tuple[int, UnitCounts] = (-1, UnitCounts([], []))

    def of(self, epoch: Epoch) -> Scores:
        """The scores by path."""
        if self._latest[0] != epoch.number:
            parts: dict[PartName, Objective | None] = {
                "train": epoch.objective,
                "val": epoch.validation,
            }
            metrics = {
                f"{name}.{metric}": value
                for name, objective in parts.items()
                if objective is not None
                for metric, value in _part_metrics(
                    self._experiment, name, epoch.params, objective
                ).items()
            }
            self._latest = (epoch.number, losses(epoch) | metrics)
        return self._latest[1]

    def units(self, epoch: Epoch) -> UnitCounts:
        """Dead and saturated units, over some rows of the training part."""
        if self._latest_units[0] != epoch.number:
            self._latest_units = (epoch.number, self._unit_counter.count(epoch.params))
        return self._latest_units[1]

    @cached_property
    def _unit_counter(self) -> UnitCounter:
        """Of the rows that are looked at; to make it anew takes as long as to count."""
        rows = self._experiment.rows("train")
        index = rows_to_look_at(len(rows))
        block = rows.empty_block(len(index))
        rows.gather(index, block)
        return UnitCounter(self._experiment.network, block.inputs)


def baselines(experiment: Experiment, name: PartName) -> dict[str, Scores]:
    """The metrics of predictions that use no network, by the baseline's name.

    `constant` knows only the training targets. A reconstruction is also measured against as many
    principal components of the training rows as its narrowest layer has units: the best that a
    linear autoencoder of that width can do (Baldi & Hornik 1989, Neural Networks 2, 53).
    """
    part, training = experiment.parts[name], experiment.parts["train"]
    found = {"constant": constant_predictions(training, part)}
    if experiment.table.reconstructs:
        width = min(layer.units for layer in experiment.network.layers)
        if width < min(len(training), experiment.network.inputs):
            label = f"{width} principal components"
            found[label] = _principal_components(training, part, width)
    return {
        label: measure(experiment.metrics, part, predicted) for label, predicted in found.items()
    }


def all_baselines(experiment: Experiment) -> dict[str, Scores]:
    """The baselines' metrics on every part that has rows, by the baseline's name and by path."""
    found: dict[str, Scores] = {}
    for part in PARTS:
        if len(experiment.parts[part]):
            for label, scores in baselines(experiment, part).items():
                paths = {f"{part}.{metric}": value for metric, value in scores.items()}
                found.setdefault(label, {}).update(paths)
    return found


def _principal_components(training: Part, part: Part, count: int) -> Predictions:
    known, wanted = _values(training), _values(part)
    mean = known.mean(axis=0)
    axes = np.linalg.svd(known - mean, full_matrices=False)[2][:count]
    return Predictions((wanted - mean) @ axes.T @ axes + mean)


def _values(part: Part) -> Array:
    assert part.values is not None, "a reconstruction has values"
    return part.values
