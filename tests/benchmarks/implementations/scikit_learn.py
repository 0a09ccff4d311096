"""scikit-learn's MLPClassifier and MLPRegressor, one batch of all rows an epoch."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.problem import Problem, named

warnings.simplefilter("ignore", ConvergenceWarning)


class Trainer:
    """The clock runs in the epochs alone, not while `fit` checks the data."""

    def __init__(self, folder: Path) -> None:
        self.problem = problem = Problem.load(folder)
        self._targets = problem.labels if problem.has_classes else problem.Y[:, 0]
        estimator = _TimedClassifier if problem.has_classes else _TimedRegressor
        self._estimator = estimator(
            hidden_layer_sizes=[len(W) for W in problem.weights[:-1]],
            activation=problem.hidden,
            solver="sgd",
            alpha=0,
            batch_size=len(problem.X),
            learning_rate_init=problem.learning_rate,
            max_iter=1,
            shuffle=False,
            tol=0,
            warm_start=True,
            momentum=0,
            n_iter_no_change=2**31 - 1,
        )
        self._estimator.fit(problem.X, self._targets)  # a warm start needs a fit before it

    def run(self, epochs: int) -> float:
        estimator = self._estimator.set_params(max_iter=epochs)
        estimator.coefs_ = [W.T.copy() for W in self.problem.weights]
        estimator.intercepts_ = [b.copy() for b in self.problem.biases]
        estimator.n_iter_ = estimator.t_ = 0
        estimator.fit(self.problem.X, self._targets)
        if estimator.n_iter_ != epochs:
            raise RuntimeError(f"it went through {estimator.n_iter_} epochs, not {epochs}")
        return estimator.seconds

    def params(self) -> dict[str, np.ndarray]:
        return named([W.T for W in self._estimator.coefs_], self._estimator.intercepts_)


class _TimedEpochs:
    seconds = 0.0

    def _fit_stochastic(self, *arguments: Any) -> None:
        began = time.perf_counter()
        super()._fit_stochastic(*arguments)  # type: ignore[misc]  # it is mixed in below
        self.seconds = time.perf_counter() - began


class _TimedClassifier(_TimedEpochs, MLPClassifier):
    pass


class _TimedRegressor(_TimedEpochs, MLPRegressor):
    pass
