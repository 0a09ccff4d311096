"""How an estimator is fitted.

A fit is a training like any other: the parameters become a config, the config an experiment, and
the experiment is trained by the loop that trains for `bpnet train`. The same data, seed and
options give the same weights to the bit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

import numpy as np

from bpcli.errors import Diverged
from bpcli.estimators.calibration import scores_of_validation
from bpcli.estimators.callbacks import EpochTasks, Evaluations, History, with_callbacks
from bpcli.estimators.ending import raise_failure, warn_unless_converged
from bpcli.estimators.fitted import Fitted
from bpcli.estimators.network import NetworkEstimator
from bpcli.estimators.options import is_first_order, penalty_of
from bpcli.estimators.partial import PartialFit
from bpcli.estimators.rows import FitRows
from bpcli.estimators.validity import ParameterError, require_valid
from bpcli.experiment import Experiment
from bpcli.nn.arrays import Vector
from bpcli.optimizers.lbfgs import Lbfgs
from bpcli.training.epoch import Epoch
from bpcli.training.metered import Metered
from bpcli.training.state import TrainState
from bpcli.workflows.in_memory import Fit, fit
from bpcli.workflows.stop_decision import Observer

_OF_CALLBACKS = ("_callback", "_skl")


class TrainableEstimator(NetworkEstimator):
    """An estimator that is trained on rows, all at once or one epoch after another."""

    loss_curve_: list[float]
    best_loss_: float | None
    best_validation_score_: float | None
    _means: dict[str, list[float]]
    t_: int

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
