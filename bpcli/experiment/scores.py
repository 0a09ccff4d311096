"""Metrics of the parts of an experiment at some parameters, under paths such as `val.accuracy`."""

from __future__ import annotations

import numpy as np

from bpcli.build import Experiment
from bpcli.data.prepare import PARTS, Part, PartName
from bpcli.nn.arrays import Array, Vector
from bpcli.training.loop import Epoch
from bpcli.training.metrics import Predictions, constant_predictions, measure, predictions
from bpcli.training.objective import Objective

Scores = dict[str, float | None]


def part_predictions(experiment: Experiment, name: PartName, params: Vector) -> Predictions:
    """What the network predicts for one part."""
    part, inputs = experiment.parts[name], experiment.rows(name).inputs
    return predictions(experiment.network, params, experiment.preparation, part, inputs)


def part_scores(
    experiment: Experiment,
    name: PartName,
    params: Vector,
    *,
    mean_loss: float | None = None,
    predicted: Predictions | None = None,
) -> Scores:
    """The mean loss of one part and its metrics, by name; what is known already is not redone."""
    if mean_loss is None:
        mean_loss = Objective(experiment.network, experiment.rows(name)).mean_loss(params)
    if predicted is None:
        predicted = part_predictions(experiment, name, params)
    return {
        "loss": mean_loss,
        **measure(experiment.metrics, experiment.parts[name], predicted),
    }


def all_scores(experiment: Experiment, params: Vector) -> Scores:
    """The scores of every part that has rows, by path."""
    return {
        f"{name}.{metric}": value
        for name in PARTS
        if len(experiment.parts[name])
        for metric, value in part_scores(experiment, name, params).items()
    }


class EpochScores:
    """Scores of the training and validation parts at an epoch, computed once an epoch."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._latest: tuple[int, Scores] = (-1, {})

    def of(self, epoch: Epoch) -> Scores:
        """The scores by path."""
        if self._latest[0] != epoch.number:
            losses: dict[PartName, float] = {"train": epoch.mean_loss}
            if epoch.val_loss is not None:
                losses["val"] = epoch.val_loss
            scores = {
                f"{name}.{metric}": value
                for name, loss in losses.items()
                for metric, value in part_scores(
                    self._experiment, name, epoch.params, mean_loss=loss
                ).items()
            }
            self._latest = (epoch.number, scores)
        return self._latest[1]


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
