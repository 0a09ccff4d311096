"""The residuals and the Jacobian that scipy's solvers call, with their clock and their counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.solution.problem import Problem
from benchmarks.solution.progress import Progress, Solution
from benchmarks.solution.solvers.numpy_network import NumpyNetwork


class CountedResiduals:
    """objective = ½ Σ residual². After `begin`, `solution` tells what was found until then."""

    def __init__(self, folder: Path) -> None:
        self._network = NumpyNetwork(Problem.load(folder))

    def begin(self, target: float | None, budget: float) -> np.ndarray:
        """Start the clock; return the parameters to start from."""
        self._jacobians = self._losses = 0
        start = self._network.problem.vector
        self._progress = Progress(target, budget)
        return start

    def value(self, vector: np.ndarray) -> np.ndarray:
        self._losses += 1
        residuals = self._network.residuals(vector)
        self._progress.see(0.5 * float(residuals.dot(residuals)))
        return residuals

    def jacobian(self, vector: np.ndarray) -> np.ndarray:
        self._jacobians += 1
        return self._network.jacobian(vector)

    def solution(self, now: float) -> Solution:
        seconds = now - self._progress.began
        counts = {"jacobians": self._jacobians, "losses": self._losses}
        return Solution(self._progress.lowest, seconds, **counts)
