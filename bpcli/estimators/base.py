"""What both estimators share: `fit` and its attributes, and the outputs for new rows.

A fit is a training like any other: the parameters become a config, the config an experiment, and
the experiment is trained by the loop that trains for `bpnet train`. The same data, seed and
options give the same weights to the bit.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from bpcli.api.run import Run
from bpcli.config.load import config_of
from bpcli.data.types import numbered
from bpcli.data.values import refuse_control_characters
from bpcli.errors import ConfigError, Diverged
from bpcli.estimators.bridges import (
    SAME_IN_SCIKIT_LEARN,
    of_model,
    of_scikit_learn,
    options_of,
)
from bpcli.estimators.calibration import scores_of_validation
from bpcli.estimators.callbacks import (
    CallbackSupport,
    EpochTasks,
    Evaluations,
    History,
    with_callbacks,
)
from bpcli.estimators.ending import raise_failure, warn_unless_converged
from bpcli.estimators.fitted import Fitted
from bpcli.estimators.options import Parameters, is_first_order, network_of, penalty_of, training_of
from bpcli.estimators.partial import PartialFit
from bpcli.estimators.rows import FitRows
from bpcli.estimators.saving import ROWS_NOT_KEPT, experiment_without_rows
from bpcli.estimators.validity import ParameterError, parameter_error, require_valid
from bpcli.experiment import Experiment, build
from bpcli.experiment.streams import seed_of
from bpcli.export.model import Model, load_model, uncalibrated
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import Loss
from bpcli.optimizers.lbfgs import Lbfgs
from bpcli.runs.references import find_run
from bpcli.runs.trained import Weights, load_spec
from bpcli.training.loop import Epoch
from bpcli.training.metered import Metered
from bpcli.training.state import TrainState
from bpcli.workflows.data_file import with_data_file
from bpcli.workflows.in_memory import Fit, fit
from bpcli.workflows.save_trained import IMPORTED, Curves, TrainedInMemory, save_trained
from bpcli.workflows.stop_decision import Observer

_OF_CALLBACKS = ("_callback", "_skl")
_NOT_PARAMETERS = {"self", "__class__"}
_LARGEST_SEED = 2**31 - 1


class BPEstimator(Parameters, CallbackSupport, BaseEstimator):
    """A network trained by back-propagation, as an estimator."""

    n_features_in_: int
    loss_curve_: list[float]
    best_loss_: float | None
    best_validation_score_: float | None
    _means: dict[str, list[float]]
    t_: int
    _fitted: Fitted

    def _set(self, given: Mapping[str, Any]) -> None:
        """Set each parameter that the estimator was made with, from the names of its `__init__`."""
        for name in given.keys() - _NOT_PARAMETERS:
            setattr(self, name, given[name])

    # What the two estimators differ in.

    def _encode(self, y: Any, classes: Any, *, is_first: bool) -> tuple[Array, Array | None]:
        """Targets as the config takes them, and the classes by which to stratify, if any."""
        raise NotImplementedError

    def _decode(self, y: Array) -> Array:
        """Targets as `fit` takes them, from those of the config."""
        raise NotImplementedError

    def _task(self, rows: FitRows | None = None) -> dict[str, Any]:
        """The keys of the config's `data` and `training` that depend on the task."""
        raise NotImplementedError

    def _loss(self) -> Any:
        """The config's `loss`."""
        raise NotImplementedError

    def _outputs_and_activation(self) -> tuple[int, Any]:
        """The number of outputs, and their activation."""
        raise NotImplementedError

    # Fitting.

    @with_callbacks
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None
    ) -> Self:
        """Train on X (n, d) and y.

        A row of weight k counts as k equal rows, to rounding, unless rows come in mini-batches.
        `bayesian_regularization` takes weights as relative, and counts rows.
        `X_val` and `y_val` are a validation set: the epoch with the lowest validation loss is kept,
        and training ends early as with `early_stopping`.

        Raises `ValueError` for parameters or rows that are not valid, and if the loss becomes
        infinite. An error on parameters is a `ConfigError`, too, and one on the loss a `Diverged`.
        """
        require_valid(self)
        if (X_val is None) != (y_val is None):
            missing = "X_val" if X_val is None else "y_val"
            raise ParameterError(
                f"`X_val` and `y_val` must be given together: `{missing}` is missing."
            )
        with self._unchanged_by_failure():
            self._fit(X, y, sample_weight, X_val, y_val)
        return self

    def _fit(self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any) -> None:
        goes_on = self.warm_start and self.__sklearn_is_fitted__()
        rows = self._rows(X, y, sample_weight, is_first=not goes_on).without_weight_0()
        seed = self._seed()
        if X_val is not None:
            val = self._rows(X_val, y_val, None, **self._as_fitted(), dtype=rows.X.dtype)
            rows = rows.with_validation(val)
        elif self.early_stopping:
            rows = rows.held_out(self.validation_fraction, seed)
        start = self._fitted.params if goes_on else None
        self._train(rows, seed, start, self.max_iter)
        if X_val is not None:  # a run has the rows of `fit` alone
            self._fitted = replace(self._fitted, is_repeatable=False)

    @PartialFit
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch on X and y, from where the last call ended.

        The first call decides the classes (`classes`, or those of `y`) and the scales.
        """
        require_valid(self)
        is_first = not self.__sklearn_is_fitted__()
        with self._unchanged_by_failure():
            rows = self._rows(X, y, sample_weight, is_first=is_first, classes=classes)
            start = None if is_first else self._fitted.start
            epochs = 1 + (start.number if isinstance(start, TrainState) else 0)
            self._train(rows.without_weight_0(), self._seed(), start, epochs, is_partial=True)
        return self

    @contextmanager
    def _unchanged_by_failure(self) -> Iterator[None]:
        """Restore all attributes if the block fails, so that an earlier fit stays whole.

        Those that scikit-learn keeps for callbacks are its own.
        """
        before = {**vars(self)}
        try:
            yield
        except BaseException:
            for name in vars(self).keys() - before.keys():
                if not name.startswith(_OF_CALLBACKS):
                    delattr(self, name)
            self.__dict__.update(before)
            raise

    def _rows(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        is_first: bool,
        classes: Any = None,
        dtype: Any = None,
    ) -> FitRows:
        X, y = validate_data(
            self,
            X,
            y,
            reset=is_first,
            accept_sparse=True,
            dtype=dtype or self._dtypes(is_first),
            order="C",  # in another order, sums over columns have other bits
            multi_output=True,
            y_numeric=is_regressor(self),
        )
        dense = X if isinstance(X, np.ndarray) else X.toarray(order="C")
        targets, strata = self._encode(y, classes, is_first=is_first)
        return FitRows(dense, targets, _weights(sample_weight, dense), strata)

    def _as_fitted(self) -> dict[str, Any]:
        """For rows of a fit that need not have all of its classes."""
        return {"is_first": False, "classes": getattr(self, "classes_", None)}

    def _train(
        self,
        rows: FitRows,
        seed: int,
        start: TrainState | Vector | None,
        epochs: int,
        *,
        is_partial: bool = False,
    ) -> None:
        experiment = self._experiment(rows, seed, epochs)
        if start is not None:
            self._fitted.require_layers(experiment.network)
            experiment = experiment.with_preprocessor(self._fitted.preprocessor)
        history = History(has_val_scores=rows.val is not None, is_verbose=bool(self.verbose))
        evaluations, optimizer = Evaluations(self.max_fun), experiment.spec.training.optimizer
        observers: list[Observer] = [history]
        if self.callback is not None:
            observers.append(self.callback)
        if isinstance(optimizer, Lbfgs) and evaluations.can_reach(self.max_fun, epochs):
            optimizer = Metered(optimizer, len(rows.training_rows))
            observers.append(evaluations)
        with self._told_callbacks(experiment, rows, epochs, observers):
            done = fit(experiment, observers, start=start, optimizer=optimizer)
        raise_failure(done, has_validation=rows.val is not None)
        self._keep(experiment, done, seed, is_repeatable=start is None and not is_partial)
        self._keep_history(done, history, is_partial=is_partial)
        if evaluations.is_reached:
            self.stop_reason_ = "max_fun"
        if is_partial:
            return
        if self.verbose:
            sys.stdout.write(f"Stopped by {self.stop_reason_}; best epoch {self.best_epoch_}.\n")
        warn_unless_converged(self.stop_reason_, self.max_iter, self.max_fun)

    @contextmanager
    def _told_callbacks(
        self, experiment: Experiment, rows: FitRows, epochs: int, observers: list[Observer]
    ) -> Iterator[None]:
        """Tell the callbacks that `set_callbacks` set, if there are any, of the fit."""
        if not getattr(self, "_skl_callbacks", None):
            yield
            return

        def fitted(epoch: Epoch) -> dict[str, Any]:
            params = epoch.params.copy()
            return {"_fitted": Fitted(experiment.network, params, experiment.preprocessor, params)}

        train = rows.training_rows
        metadata = None if rows.weight is None else {"sample_weight": rows.weight[train]}
        y = self._decode(rows.y[train])
        tasks = EpochTasks(self, epochs, fitted, X=rows.X[train], y=y, metadata=metadata)
        observers.append(tasks)
        yield
        tasks.close()

    def _experiment(self, rows: FitRows, seed: int, epochs: int, name: str = "") -> Experiment:
        """The experiment of a fit. Raises `ParameterError` for what does not fit together."""
        task, count = self._task(rows), len(rows.training_rows)
        data = {**rows.data(), "input_names": self._input_names(), **task["data"]}
        training = {**training_of(self, count, epochs, rows.mean_weight), **task["training"]}
        tree = self._tree(seed, data, training, rows.X.dtype, name)
        try:
            return build(config_of(tree, name=tree["name"]))
        except ConfigError as error:
            hidden = len(tree["network"]["layers"]) - 2
            raise parameter_error(error, hidden) from None

    def _tree(
        self, seed: int, data: dict[str, Any], training: dict[str, Any], dtype: Any, name: str
    ) -> dict[str, Any]:
        """The config of a fit."""
        outputs, output_activation = self._outputs_and_activation()
        inputs = self.n_features_in_
        return {
            "name": name or type(self).__name__,
            "seed": seed,
            "data": data,
            "network": network_of(self, inputs, outputs, output_activation, str(dtype)),
            "loss": self._loss(),
            "training": training,
        }

    def _input_names(self) -> list[str] | None:
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else [str(name) for name in names]

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(_LARGEST_SEED))

    def _dtypes(self, is_first: bool) -> Any:
        """The precision: that of X by default, and once fitted, that of the parameters."""
        if not is_first:
            return self._fitted.params.dtype
        return [np.float64, np.float32] if self.dtype is None else np.dtype(self.dtype)

    def _keep(self, experiment: Experiment, done: Fit, seed: int, *, is_repeatable: bool) -> None:
        """Keep the network, and the state from which `partial_fit` goes on."""
        goes_on = is_first_order(self.solver)
        params = done.params.copy()
        self._adopt(
            Fitted(
                experiment.network,
                params,
                experiment.preprocessor,
                params if done.best.number == done.state.number else done.state.params,
                done.state._replace(ended=None) if goes_on else None,
                seed,
                len(experiment.splits["train"]),
                is_repeatable,
                scores_of_validation(experiment, params),
            )
        )
        self.alpha_ = penalty_of(self)
        self.best_epoch_ = done.best.number
        self.stop_reason_ = done.ending.reason
        self._seconds = done.seconds
        self.__dict__.pop("run_", None)  # it has the network of an earlier fit

    def _keep_history(self, done: Fit, history: History, *, is_partial: bool) -> None:
        """Keep the curves; those of `partial_fit` go on."""
        goes_on = is_partial and hasattr(self, "loss_curve_")
        self.n_iter_ = 1 if is_partial else done.state.number
        self.t_ = self.n_iter_ * self._fitted.rows + (self.t_ if goes_on else 0)
        self.loss_curve_ = (self.loss_curve_ if goes_on else []) + history.losses
        self.loss_ = done.loss
        before = self._means if goes_on else {}
        self._means = {path: before.get(path, []) + new for path, new in history.means.items()}
        self.validation_scores_ = scores = history.val_scores
        if scores is None:
            self.best_loss_ = min(self.loss_curve_, default=self.loss_)
            self.best_validation_score_ = None
            return
        if isinstance(done.ending.failure, Diverged):
            scores.append(np.nan)  # as in scikit-learn: of the epoch that is not kept
        self.best_loss_ = None
        self.best_validation_score_ = float(np.nanmax(scores, initial=-np.inf))

    def _adopt(self, fitted: Fitted) -> Self:
        """Take a network."""
        self._fitted = fitted
        self.n_features_in_ = fitted.network.inputs
        self.n_layers_ = len(fitted.network.layers) + 1
        self.n_outputs_ = fitted.network.outputs
        return self

    @classmethod
    def _of_run(cls, run: Any, runs_dir: str | Path, weights: Weights) -> tuple[Self, Model]:
        """An estimator with the network and the options of a run, and the run's model."""
        stored = find_run(str(getattr(run, "folder", run)), Path(runs_dir))
        model = load_model(stored, weights)
        spec, record = load_spec(stored), stored.record()
        fitted = replace(of_model(model), seed=seed_of(spec, "init"), rows=record.rows.train)
        trained = of_model(uncalibrated(model, stored))
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

    # The fitted network.

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_fitted")

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer (inputs, units), for scaled inputs: changes take effect."""
        return self._known("coefs_").weights

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer (units,): changes take effect."""
        return self._known("intercepts_").biases

    @property
    def out_activation_(self) -> str:
        """The name of the output activation, as scikit-learn spells it."""
        return self._known("out_activation_").activation_name

    def _known(self, attribute: str) -> Fitted:
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has no {attribute} before `fit`.")
        return self._fitted

    def _checked(self, X: Any) -> Array:
        """The rows of X (n, d). Raises `ValueError` if X is not as in `fit`."""
        check_is_fitted(self)
        if self._is_plain(X):
            return X
        dtype = self._fitted.params.dtype
        X = validate_data(self, X, reset=False, accept_sparse=True, dtype=dtype, order="C")
        return X if isinstance(X, np.ndarray) else X.toarray(order="C")

    def _is_plain(self, X: Any) -> bool:
        """Whether X needs no further check: that takes longer than one row through the network."""
        return (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.flags.c_contiguous
            and X.dtype == self._fitted.params.dtype
            and X.shape[1] == self.n_features_in_
            and len(X) > 0
            and not hasattr(self, "feature_names_in_")
            and bool(np.isfinite(X).all())
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _folder(runs_dir: Any) -> Path:
    """Raises `ParameterError` for anything that is not a path, such as rows."""
    if not isinstance(runs_dir, str | os.PathLike):
        raise ParameterError(
            f"`runs_dir` is {type(runs_dir).__name__}, expected the path of a folder; give rows as "
            "X=… and y=…."
        )
    return Path(runs_dir)


def _weights(sample_weight: Any, X: Array) -> Array | None:
    """The weight of each row (n,). Raises `ParameterError` if there is one below 0."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(len(X), sample_weight)
    given: Array = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if given.shape != (len(X),):
        raise ParameterError(
            f"`sample_weight` has the shape {given.shape}, but X has {len(X)} rows: give one "
            "number for each row."
        )
    if (given < 0).any():
        raise ParameterError("`sample_weight` has negative values: a weight is 0 or more.")
    return given
