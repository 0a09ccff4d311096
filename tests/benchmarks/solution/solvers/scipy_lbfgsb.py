"""scipy's L-BFGS-B, with the objective in plain numpy."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from time import process_time

import numpy as np
from scipy.optimize import minimize

from benchmarks.solution.problem import Problem
from benchmarks.solution.progress import Ended, Progress, Solution
from benchmarks.solution.solvers.numpy_network import NumpyNetwork

_ENDLESS = {"ftol": 0, "gtol": 0, "maxiter": 10**9, "maxfun": 10**9, "maxls": 50}


class Solver:
    """Ten pairs are its default; bpnet's is 30."""

    def __init__(self, folder: Path) -> None:
        self._network = NumpyNetwork(Problem.load(folder))

    def run(self, target: float | None, budget: float, counted: bool) -> Solution:
        gradients, progress = 0, Progress(target, budget)

        def fun(vector: np.ndarray) -> tuple[float, np.ndarray]:
            nonlocal gradients
            gradients += 1
            value, grad = self._network.value_and_grad(vector)
            progress.see(value)
            return value, grad

        with suppress(Ended):
            minimize(
                fun, self._network.problem.vector, jac=True, method="L-BFGS-B", options=_ENDLESS
            )
        return Solution(progress.lowest, process_time() - progress.began, gradients)
