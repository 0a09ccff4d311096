"""The scores of calibration rows by a network: how badly its predictions fit their targets."""

from __future__ import annotations

import numpy as np

from bpcli.data.types import SplitName
from bpcli.experiment import Experiment
from bpcli.intervals.conformal import adaptive_scores
from bpcli.metrics.metrics import class_probabilities, original_outputs
from bpcli.nn.arrays import Array, Vector
from bpcli.runs.trained import Trained


def split_outputs(trained: Trained, name: SplitName) -> Array:
    """The outputs (n, outputs) for a split, in original units."""
    return _outputs(trained.experiment, trained.params, name)


def calibration_scores(experiment: Experiment, params: Vector, name: SplitName) -> Array:
    """The absolute errors (n, targets) of the rows of a split, or the scores of classes (n, 1)."""
    split, outputs = experiment.splits[name], _outputs(experiment, params, name)
    if split.labels is not None:
        scores = adaptive_scores(class_probabilities(outputs))
        return np.take_along_axis(scores, split.labels[:, np.newaxis], axis=1)
    assert split.values is not None, "targets that are no classes are values"
    errors: Array = np.abs(split.values - outputs)
    return errors


def _outputs(experiment: Experiment, params: Vector, name: SplitName) -> Array:
    Z = experiment.output_z(name, params)
    return original_outputs(experiment.network, Z, experiment.preprocessor)
