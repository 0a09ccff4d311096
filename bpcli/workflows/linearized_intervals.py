"""Intervals from the linearized network of a run; see `bpcli.intervals.linearized`."""

from __future__ import annotations

import numpy as np

from bpcli.errors import DataError
from bpcli.intervals.linearized import (
    Fit,
    Linearized,
    delta_spread,
    posterior_spread,
    trained_params,
)
from bpcli.runs.trained import Trained
from bpcli.text import plural
from bpcli.training.objective import NetworkObjective
from bpcli.workflows.calibration_scores import split_outputs
from bpcli.workflows.interval_columns import FittedColumns, IntervalsAndParts

_NAMES = {"delta": "delta method", "posterior": "posterior"}


def linearized_columns(trained: Trained, level: float, method: str) -> FittedColumns:
    """Intervals by `delta` or `posterior`.

    Raises `DataError` for a reason why the method is not defined.
    """
    experiment, network = trained.experiment, trained.experiment.network
    _require_least_squares(trained, method)
    fit = _least_squares_fit(trained)
    spread = (posterior_spread if method == "posterior" else delta_spread)(fit, level)
    scale = experiment.preprocessor.targets.factor
    params = trained.params.astype(np.float64)
    linearized = Linearized(network, params, spread, scale)
    basis = (
        f"about {level:g}, if the noise is normal and equally large everywhere, and the training "
        f"has converged: {_NAMES[method]} over {plural(fit.rows, 'training row')}, condition "
        f"number {spread.condition:.1e}"
    )
    if spread.left_out:
        basis += (
            f", without {plural(spread.left_out, 'direction')} of the {network.n_params:,} "
            "parameters that neither the rows nor weight decay determine"
        )
    columns = IntervalsAndParts(
        linearized,
        experiment.preprocessor.inputs,
        experiment.output_names,
        experiment.table.target_names,
    )
    return FittedColumns(columns, fit.rows, basis)


def _require_least_squares(trained: Trained, method: str) -> None:
    """Raises `DataError` if a run's objective is not the one that a method is made for."""
    experiment = trained.experiment
    network, training = experiment.network, experiment.spec.training
    if experiment.preprocessor.class_names or not network.loss.is_sum_of_squares:
        raise DataError("it needs values as targets, and a loss that is a sum of squares")
    if experiment.splits["train"].weight is not None:
        raise DataError("its rows have weights")
    if network.n_params > _MOST_PARAMS:
        raise DataError(
            f"{network.n_params:,} parameters are more than the {_MOST_PARAMS:,} whose covariance "
            "is computed"
        )
    if training.optimizer.finds_l2 and method == "delta":
        raise DataError("its weight decay was estimated: use --method posterior")
    if method == "posterior" and not training.optimizer.finds_l2:
        raise DataError("only `bayesian_regularization` estimates one: use --method delta")


_MOST_PARAMS = 5_000


def _least_squares_fit(trained: Trained) -> Fit:
    experiment, network = trained.experiment, trained.experiment.network
    rows = experiment.rows("train")
    objective = NetworkObjective(network, rows)
    model = objective.gauss_newton(trained.params)
    kept = trained_params(network)
    JTJ = model.hessian[np.ix_(kept, kept)].astype(np.float64) / model.scale
    # The objective has λ/(2n) Σ w² beside f/n Σ r², so λ/(2f) is added to JᵀJ.
    decay = experiment.spec.training.l2 / 2 / network.loss.factor_of_squares(network.outputs)
    split = experiment.splits["train"]
    errors = split.values - split_outputs(trained, "train")
    residuals = errors / experiment.preprocessor.targets.factor
    return Fit(
        JTJ,
        decay * network.is_weight[kept],
        (residuals**2).sum(axis=0),
        float((trained.params[kept].astype(np.float64) ** 2).sum()),
        len(residuals),
    )
