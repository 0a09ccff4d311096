"""scikit-learn's MLPClassifier and MLPRegressor with `solver="lbfgs"`.

It has no option for the relative tolerance of L-BFGS-B, 2.2e-9: it may end before the target.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from time import process_time
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.solution.problem import Problem
from benchmarks.solution.progress import Ended, Progress, Solution

warnings.simplefilter("ignore", ConvergenceWarning)


class Solver:
    """The clock runs in L-BFGS alone, not while `fit` checks the data."""

    def __init__(self, folder: Path) -> None:
        self._problem = problem = Problem.load(folder)
        self._targets = problem.labels if problem.has_classes else problem.Y[:, 0]
        estimator = _WatchedClassifier if problem.has_classes else _WatchedRegressor
        self._estimator = estimator(
            hidden_layer_sizes=[len(problem.start[1])],
            activation="tanh",
            solver="lbfgs",
            alpha=problem.l2,
            max_iter=1,
            max_fun=10**9,
            tol=0,
            warm_start=True,
        )
        self._estimator.fit(problem.X, self._targets)  # a warm start needs a fit before it

    def run(self, target: float | None, budget: float, counted: bool) -> Solution:
        W1, b1, W2, b2 = self._problem.start
        estimator = self._estimator.set_params(max_iter=10**9)
        estimator.coefs_, estimator.intercepts_ = [W1.T.copy(), W2.T.copy()], [b1.copy(), b2.copy()]
        estimator.wanted = (target, budget)
        with suppress(Ended):
            estimator.fit(self._problem.X, self._targets)
        progress = estimator.progress
        return Solution(progress.lowest, process_time() - progress.began, estimator.gradients)


class _Watched:
    wanted: tuple[float | None, float] = (None, float("inf"))

    def _fit_lbfgs(self, *arguments: Any, **options: Any) -> None:
        self.progress, self.gradients = Progress(*self.wanted), 0
        super()._fit_lbfgs(*arguments, **options)  # type: ignore[misc]  # it is mixed in below

    def _loss_grad_lbfgs(self, *arguments: Any) -> Any:
        found = super()._loss_grad_lbfgs(*arguments)  # type: ignore[misc]
        self.gradients += 1
        self.progress.see(float(found[0]))
        return found


class _WatchedClassifier(_Watched, MLPClassifier):
    pass


class _WatchedRegressor(_Watched, MLPRegressor):
    pass
