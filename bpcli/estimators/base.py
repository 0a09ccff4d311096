"""What both estimators share: `fit` and its attributes, and the outputs for new rows.

A fit is a training as any other: the parameters become a config, the config an experiment, and the
experiment is trained by the loop that trains for `bpnet train`. The same data, seed and options
give the same weights to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from bpcli.api.run import Run
from bpcli.config.load import config_of
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.table import table_without_rows, value_names
from bpcli.data.types import SPLITS, numbered
from bpcli.errors import ConfigError, Diverged
from bpcli.estimators.bridges import Trained, of_model
from bpcli.estimators.callbacks import (
    CallbackSupport,
    EpochTasks,
    Evaluations,
    History,
    with_callbacks,
)
from bpcli.estimators.ending import raise_failure, warn_unless_converged
from bpcli.estimators.options import is_first_order, network_of, training_of
from bpcli.estimators.partial import PartialFit
from bpcli.estimators.rows import FitRows
from bpcli.estimators.validity import ParameterError, parameter_error, require_valid
from bpcli.experiment import Experiment, build
from bpcli.export.model import Model, load_model
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Network
from bpcli.nn.numerics import repeatable_numerics
from bpcli.nn.propagation import predict as network_outputs
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.lbfgs import Lbfgs
from bpcli.optimizers.schedules import rate_record
from bpcli.registry import as_mapping, name_of
from bpcli.runs.references import find_run
from bpcli.runs.trained import Weights, load_spec
from bpcli.training.loop import Epoch, TrainState
from bpcli.training.metered import Metered
from bpcli.workflows.data_file import with_data_file
from bpcli.workflows.in_memory import Fit, fit
from bpcli.workflows.save_trained import Curves, TrainedInMemory, save_trained
from bpcli.workflows.stop_decision import Observer

_ROWS_NOT_KEPT = "rows-that-were-not-kept.npz"
_OF_CALLBACKS = ("_callback", "_skl")
_NOT_PARAMETERS = {"self", "__class__"}
_LARGEST_SEED = 2**31 - 1


class BPEstimator(CallbackSupport, BaseEstimator):
    """A network trained by back-propagation, as an estimator."""

    hidden_layer_sizes: Any
    activation: Any
    solver: Any
    alpha: float | None
    batch_size: Any
    learning_rate: Any
    learning_rate_init: float | None
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    loss: Any
    output_activation: Any
    init: Any
    scale: Any
    dtype: Any
    stop: Mapping[str, Any] | None
    callback: Callable[[Epoch], bool | None] | None
    n_jobs: int | None

    n_features_in_: int
    loss_curve_: list[float]
    _means: dict[str, list[float]]
    t_: int
    _network: Network
    _preprocessor: Preprocessor
    _params: Vector
    _last_params: Vector
    _fit_seed: int
    _fit_rows: int
    _state: TrainState | None

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
        """The config's keys that depend on the task: parts of `data` and `training`, `loss`."""
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
        `X_val` and `y_val` are a validation set: the epoch with the lowest validation loss is kept,
        and training ends early as with `early_stopping`.
        """
        require_valid(self)
        if (X_val is None) != (y_val is None):
            missing = "X_val" if X_val is None else "y_val"
            raise ParameterError(f"`X_val` and `y_val` belong together: `{missing}` is missing.")
        with self._unchanged_by_failure():
            self._fit(X, y, sample_weight, X_val, y_val)
        return self

    def _fit(self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any) -> None:
        goes_on = self.warm_start and self.__sklearn_is_fitted__()
        rows = self._rows(X, y, sample_weight, is_first=not goes_on).without_weight_0()
        seed = self._seed()
        if X_val is not None:
            val = self._rows(X_val, y_val, None, is_first=False, dtype=rows.X.dtype)
            rows = rows.with_validation(val)
        elif self.early_stopping:
            rows = rows.held_out(self.validation_fraction, seed)
        start = self._params if goes_on else None
        self._train(rows, seed, start, self.max_iter)

    @PartialFit
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch on X and y, from where the last call ended.

        The first call decides the classes (`classes`, or those of `y`) and the scales.
        """
        require_valid(self)
        is_first = not self.__sklearn_is_fitted__()
        with self._unchanged_by_failure():
            rows = self._rows(X, y, sample_weight, is_first=is_first, classes=classes)
            start = None if is_first else self._state or self._params
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
            added = [name for name in vars(self) if name not in before]
            for name in added:
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
            self._require_same_layers(experiment)
            experiment = experiment.with_preprocessor(self._preprocessor)
        history = History(has_val_scores=rows.val is not None, is_verbose=bool(self.verbose))
        evaluations, optimizer = Evaluations(self.max_fun), experiment.spec.training.optimizer
        observers: list[Observer] = [history]
        if self.callback is not None:
            observers.append(self.callback)
        if isinstance(optimizer, Lbfgs) and evaluations.can_reach(self.max_fun, epochs):
            optimizer = Metered(optimizer, len(rows.training_rows))
            observers.append(evaluations)
        with self._told_callbacks(experiment, rows, epochs, observers):
            fitted = fit(experiment, observers, start=start, optimizer=optimizer)
        raise_failure(fitted, has_validation=rows.val is not None)
        self._keep(experiment, fitted, history, is_partial=is_partial)
        self._fit_seed, self._fit_rows = seed, len(rows.training_rows)
        if evaluations.is_reached:
            self.stop_reason_ = "max_fun"
        if not is_partial:
            warn_unless_converged(self.stop_reason_, self.max_iter, self.max_fun)

    def _require_same_layers(self, experiment: Experiment) -> None:
        if experiment.network.layers != self._network.layers:
            raise ParameterError(
                f"the network was fitted as {self._network.summary}, and the parameters now "
                f"describe {experiment.network.summary}: give the same `hidden_layer_sizes` and "
                "`activation`, or set `warm_start=False`."
            )

    @contextmanager
    def _told_callbacks(
        self, experiment: Experiment, rows: FitRows, epochs: int, observers: list[Observer]
    ) -> Iterator[None]:
        """Tell the callbacks that `set_callbacks` set, if there are any, of the fit."""
        if not getattr(self, "_skl_callbacks", None):
            yield
            return

        def fitted(epoch: Epoch) -> dict[str, Any]:
            return {
                "_network": experiment.network,
                "_preprocessor": experiment.preprocessor,
                "_params": epoch.params,
            }

        train = rows.training_rows
        metadata = None if rows.weight is None else {"sample_weight": rows.weight[train]}
        y = self._decode(rows.y[train])
        tasks = EpochTasks(self, epochs, fitted, X=rows.X[train], y=y, metadata=metadata)
        observers.append(tasks)
        yield
        tasks.close()

    def _experiment(self, rows: FitRows, seed: int, epochs: int, name: str = "") -> Experiment:
        """The experiment of a fit. Raises `ParameterError` for what does not fit together."""
        data = {**rows.data(), "input_names": self._input_names(), **self._task(rows)["data"]}
        count, dtype = len(rows.training_rows), str(rows.X.dtype)
        tree = self._tree(data, rows.X.shape[1], dtype, count, epochs, rows)
        name = name or type(self).__name__
        try:
            return build(config_of({**tree, "name": name, "seed": seed}, name=name))
        except ConfigError as error:
            raise parameter_error(error) from None

    def _tree(
        self,
        data: dict[str, Any],
        inputs: int,
        dtype: str,
        rows: int,
        epochs: int,
        fitted: FitRows | None = None,
    ) -> dict[str, Any]:
        """The config of a fit, without name and seed; `fitted` are its rows, if they are known."""
        outputs, output_activation = self._outputs_and_activation()
        task = self._task(fitted)
        mean_weight = 1.0 if fitted is None else fitted.mean_weight
        training = training_of(self, rows, epochs, mean_weight)
        return {
            "data": data,
            "network": network_of(self, inputs, outputs, output_activation, dtype),
            "loss": task["loss"],
            "training": {**training, **task["training"]},
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
            return self._params.dtype
        return [np.float64, np.float32] if self.dtype is None else np.dtype(self.dtype)

    def _keep(
        self, experiment: Experiment, fitted: Fit, history: History, *, is_partial: bool
    ) -> None:
        """Set the attributes that end with an underscore."""
        self._network = experiment.network
        self._preprocessor = experiment.preprocessor
        self._params = fitted.params.copy()
        self._last_params = fitted.state.params
        goes_on = is_partial and hasattr(self, "loss_curve_")
        self._state = fitted.state if is_first_order(self.solver) else None
        if self._state is not None and not is_partial:  # a next epoch counts on from here
            self._state = self._state._replace(ended=None)
        self.n_iter_ = 1 if is_partial else fitted.state.number
        self.n_layers_ = len(self._network.layers) + 1
        self.n_outputs_ = self._network.outputs
        seen = self.n_iter_ * len(experiment.splits["train"])
        self.t_ = seen + (self.t_ if goes_on else 0)
        self.loss_curve_ = (self.loss_curve_ if goes_on else []) + history.losses
        self.loss_ = fitted.loss
        before = self._means if goes_on else {}
        self._means = {path: before.get(path, []) + new for path, new in history.means.items()}
        self.validation_scores_ = history.val_scores
        if history.val_scores is not None and isinstance(fitted.ending.failure, Diverged):
            history.val_scores.append(np.nan)
        scores = [score for score in history.val_scores or [] if not np.isnan(score)]
        self.best_validation_score_ = max(scores) if scores else None
        self.best_loss_ = (
            None if history.val_scores is not None else min(self.loss_curve_, default=self.loss_)
        )
        self.stop_reason_ = fitted.ending.reason
        self.best_epoch_ = fitted.best.number

    def _adopt(self, trained: Trained) -> Self:
        """Take a network that was trained elsewhere."""
        self._network = trained.network
        self._params = trained.params.copy()
        self._last_params = trained.params
        self._preprocessor = trained.preprocessor
        self._state = None
        self._fit_seed, self._fit_rows = 0, 1
        self.n_features_in_ = self._network.inputs
        self.n_layers_ = len(self._network.layers) + 1
        self.n_outputs_ = self._network.outputs
        return self

    @classmethod
    def _of_run(cls, run: Any, runs_dir: str | Path, weights: Weights) -> tuple[Self, Model]:
        """An estimator with the network and the options of a run, and the run's model."""
        stored = find_run(str(getattr(run, "folder", run)), Path(runs_dir))
        model, spec = load_model(stored, weights), load_spec(stored)
        trained = of_model(model)
        training = spec.training
        rate = rate_record(training.learning_rate)
        estimator = cls(
            **trained.parameters,
            solver=as_mapping(OPTIMIZERS, training.optimizer),
            **{"learning_rate" if isinstance(rate, dict) else "learning_rate_init": rate},
            alpha=training.l2,
            max_iter=max(1, training.epochs),
            random_state=spec.seed,
            loss=name_of(LOSSES, spec.loss),
        )
        estimator._adopt(trained)
        names = [column.name for column in model.encoder.inputs]
        if names != [*numbered("x", len(names))]:
            estimator.feature_names_in_ = np.array(names, object)
        estimator.n_iter_ = stored.record().epochs
        return estimator, model

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
        predicts, exports, and scores files. `name` names the run; the default is the class's name.
        Raises `RunError` if it cannot be written.
        """
        check_is_fitted(self)
        name, folder = name or type(self).__name__, Path(runs_dir)
        if X is None:
            experiment = self._experiment_without_rows(name)
        else:
            rows = self._rows(X, y, sample_weight, is_first=False).without_weight_0()
            if self.early_stopping:
                rows = rows.held_out(self.validation_fraction, self._fit_seed)
            made = self._experiment(rows, self._fit_seed, self.max_iter, name)
            experiment = made.with_preprocessor(self._preprocessor)
        losses = getattr(self, "loss_curve_", [])
        trained = TrainedInMemory(
            with_data_file(experiment, folder),
            self._params,
            self._last_params,
            Curves(losses, getattr(self, "_means", {})),
            len(losses) or getattr(self, "n_iter_", 0),
            getattr(self, "best_epoch_", 0),
            getattr(self, "stop_reason_", "epochs"),
        )
        self.run_ = Run(save_trained(trained, folder))
        return self.run_

    def _experiment_without_rows(self, name: str) -> Experiment:
        """The experiment of the fit, with the name of a file in place of its rows."""
        network, preprocessor = self._network, self._preprocessor
        names = tuple(self._input_names() or numbered("x", network.inputs))
        targets = tuple(preprocessor.words) or value_names(network.outputs)
        table = table_without_rows(
            names, None, preprocessor.class_names, targets, preprocessor.words
        )
        data = {"file": _ROWS_NOT_KEPT, "scale": self._task()["data"]["scale"]}
        dtype, rows = str(self._params.dtype), self._fit_rows
        tree = self._tree(data, network.inputs, dtype, rows, self.max_iter)
        config = config_of({**tree, "name": name, "seed": self._fit_seed}, name=name)
        none = np.empty(0, np.intp)
        splits = {split: preprocessor.split(split, table, none) for split in SPLITS}
        return Experiment(config, table, preprocessor, splits, network)

    # The fitted network.

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_params")

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer (inputs, units), for scaled inputs: changes take effect."""
        matrices = self._fitted_matrices("coefs_")
        layers = self._network.layers
        return [matrix[:, : layer.inputs].T for layer, matrix in zip(layers, matrices, strict=True)]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer (units,): changes take effect."""
        return [matrix[:, -1] for matrix in self._fitted_matrices("intercepts_")]

    def _fitted_matrices(self, name: str) -> list[Array]:
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has no {name} before `fit`.")
        return self._network.matrices(self._params)

    @property
    def out_activation_(self) -> str:
        """The name of the output activation, as scikit-learn spells it."""
        self._fitted_matrices("out_activation_")
        name = name_of(ACTIVATIONS, self._network.layers[-1].activation)
        return {"sigmoid": "logistic", "exponential": "exp"}.get(name, name)

    def _outputs(self, X: Any) -> Array:
        """The outputs (n, K) for rows X (n, d), in original units. Threads may share it."""
        prepared = self._prepared(X)
        with repeatable_numerics():
            A = network_outputs(self._network, self._params, prepared)
            return self._preprocessor.original(A)

    def _prepared(self, X: Any) -> Array:
        """The scaled inputs (n, d). Raises `ValueError` if X is not as in `fit`."""
        check_is_fitted(self)
        if not self._is_plain(X):
            X = validate_data(
                self, X, reset=False, accept_sparse=True, dtype=self._params.dtype, order="C"
            )
            X = X if isinstance(X, np.ndarray) else X.toarray(order="C")
        return self._preprocessor.inputs.apply(X)

    def _is_plain(self, X: Any) -> bool:
        """Whether X needs no further check: that takes longer than one row through the network."""
        return (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.flags.c_contiguous
            and X.dtype == self._params.dtype
            and X.shape[1] == self.n_features_in_
            and len(X) > 0
            and not hasattr(self, "feature_names_in_")
            and bool(np.isfinite(X).all())
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _weights(sample_weight: Any, X: Array) -> Array | None:
    """The weight of each row (n,). Raises `ParameterError` if there is one below 0."""
    if sample_weight is None:
        return None
    given: Array = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if given.ndim == 0:
        given = np.full(len(X), given)
    if given.shape != (len(X),):
        raise ParameterError(
            f"`sample_weight` has the shape {given.shape}, but X has {len(X)} rows: give one "
            "number for each row."
        )
    if (given < 0).any():
        raise ParameterError("`sample_weight` has negative values: a weight is 0 or more.")
    return given
