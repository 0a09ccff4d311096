"""What both estimators share: `fit`, and networks that come from runs and go to runs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from bpcli.api.run import Run
from bpcli.data.types import numbered
from bpcli.data.values import refuse_control_characters
from bpcli.estimators.bridges import SAME_IN_SCIKIT_LEARN, of_model, of_scikit_learn, options_of
from bpcli.estimators.fitting import TrainableEstimator
from bpcli.estimators.options import training_of
from bpcli.estimators.saving import ROWS_NOT_KEPT, experiment_without_rows
from bpcli.estimators.validity import ParameterError
from bpcli.experiment import Experiment
from bpcli.experiment.streams import seed_of
from bpcli.export.model import Model, load_model, uncalibrated
from bpcli.nn.losses import Loss
from bpcli.runs.references import find_run
from bpcli.runs.trained import Weights, load_spec
from bpcli.workflows.data_file import with_data_file
from bpcli.workflows.save_trained import IMPORTED, Curves, TrainedInMemory, save_trained


class BPEstimator(TrainableEstimator):
    """A network trained by back-propagation, as an estimator."""

    @classmethod
    def _of_run(cls, run: Any, runs_dir: str | Path, weights: Weights) -> tuple[Self, Model]:
        """An estimator with the network and the options of a run, and the run's model."""
        stored = find_run(str(getattr(run, "folder", run)), Path(runs_dir))
        model = load_model(stored, weights)
        spec, record = load_spec(stored), stored.record()
        fitted = replace(of_model(model), seed=seed_of(spec, "init"), rows=record.rows.train)
        trained = of_model(uncalibrated(model, stored, weights))
        estimator = cls(**trained.parameters, **options_of(spec))._adopt(fitted)
        names = [column.name for column in model.encoder.inputs]
        if names != [*numbered("x", len(names))]:
            estimator.feature_names_in_ = np.array(names, object)
        estimator.n_iter_ = record.epochs
        estimator.run_ = Run(stored, weights, scratch=getattr(run, "_scratch", None))
        return estimator, model

    @classmethod
    def _of_mlp(cls, mlp: Any, loss: Loss, class_names: tuple[str, ...] = ()) -> Self:
        """An estimator with the network and the options of a fitted one of scikit-learn."""
        fitted = of_scikit_learn(mlp, loss, class_names)
        same = {name: getattr(mlp, name) for name in SAME_IN_SCIKIT_LEARN}
        estimator = cls(**same, **fitted.parameters, scale=None)._adopt(fitted)
        if hasattr(mlp, "feature_names_in_"):
            estimator.feature_names_in_ = mlp.feature_names_in_
        return estimator

    def to_run(
        self,
        runs_dir: str | Path = "runs",
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        *,
        name: str | None = None,
    ) -> Run:
        """Save the network as a run, which the command line reads too; no pickle is involved.

        With the rows of `fit`, the run has their scores, and can be verified. Without them, it
        predicts and exports. Its stop reason is `imported` if no training from the start gives
        these weights: after `partial_fit`, `warm_start` or `X_val`, or from another library. `name`
        names the run; the default is the class's name.

        Raises `RunError` if it cannot be written, `DataError` for a class whose name has control
        characters, and `ParameterError` for other rows than those of the fit, as far as their
        number tells.
        """
        check_is_fitted(self)
        refuse_control_characters(self._fitted.preprocessor.class_names, "the class name", "y")
        folder = _folder(runs_dir)
        experiment = self._experiment_of_run(X, y, sample_weight, name or "")
        losses = getattr(self, "loss_curve_", [])
        trained = TrainedInMemory(
            with_data_file(experiment, folder),
            self._fitted.params,
            self._fitted.last_params,
            Curves(losses, getattr(self, "_means", {})),
            len(losses) or getattr(self, "n_iter_", 0),
            getattr(self, "best_epoch_", 0),
            self.stop_reason_ if self._fitted.is_repeatable else IMPORTED,
            getattr(self, "_seconds", 0.0),
        )
        self.run_ = Run(save_trained(trained, folder))
        return self.run_

    def _experiment_of_run(self, X: Any, y: Any, sample_weight: Any, name: str) -> Experiment:
        fitted = self._fitted
        if X is None:
            task = self._task()
            data = {"file": ROWS_NOT_KEPT, "scale": task["data"]["scale"]}
            training = {**training_of(self, fitted.rows, self.max_iter, 1.0), **task["training"]}
            tree = self._tree(fitted.seed, data, training, fitted.params.dtype, name)
            return experiment_without_rows(fitted, tree, self._input_names())
        rows = self._rows(X, y, sample_weight, **self._as_fitted()).without_weight_0()
        if self.early_stopping:
            rows = rows.held_out(self.validation_fraction, fitted.seed)
        count = len(rows.training_rows)
        if fitted.is_repeatable and count != fitted.rows:
            raise ParameterError(
                f"X has {count:,} training rows, but `fit` had {fitted.rows:,}: pass the rows "
                "of `fit`, or none."
            )
        experiment = self._experiment(rows, fitted.seed, self.max_iter, name)
        fitted.require_layers(experiment.network)
        return experiment.with_preprocessor(fitted.preprocessor)


def _folder(runs_dir: Any) -> Path:
    """Raises `ParameterError` for anything that is not a path, such as rows."""
    if not isinstance(runs_dir, str | os.PathLike):
        raise ParameterError(
            f"`runs_dir` is {type(runs_dir).__name__}, expected the path of a folder; give rows as "
            "X=… and y=…."
        )
    return Path(runs_dir)
