"""Intervals and sets for the predictions of an estimator, calibrated on its validation rows."""

from __future__ import annotations

from bpcli.errors import DataError
from bpcli.estimators.validity import ParameterError
from bpcli.experiment import Experiment
from bpcli.intervals.conformal import quantile
from bpcli.nn.arrays import Array, Vector
from bpcli.workflows.calibration_scores import calibration_scores


def scores_of_validation(experiment: Experiment, params: Vector) -> Array | None:
    """The scores (n, targets) of the validation rows; None without rows, or where none is defined.

    There are none for labels, and for classes if the outputs are not probabilities.
    """
    preprocessor, top = experiment.preprocessor, experiment.network.layers[-1].activation
    has_scores = top.gives_probabilities if preprocessor.class_names else not preprocessor.words
    if not has_scores or not len(experiment.splits["val"]):
        return None
    return calibration_scores(experiment, params, "val")


def quantile_of(scores: Array | None, level: float) -> Array:
    """The quantile (targets,) of the scores of validation rows.

    Raises `ParameterError` if there are none, or too few for the level.
    """
    if not 0 < level < 1:
        raise ParameterError(f"`interval` is {level:g}: give a number between 0 and 1.")
    if scores is None:
        raise ParameterError(
            "`interval` needs validation rows: fit with early_stopping=True, or with X_val and "
            "y_val. Labels have no intervals, and classes only with a sigmoid or a softmax."
        )
    try:
        return quantile(scores, level)
    except DataError as error:
        raise ParameterError(f"`interval`: {error}.") from None
