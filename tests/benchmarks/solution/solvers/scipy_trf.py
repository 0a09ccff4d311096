"""scipy's least_squares with the method `trf`, and an analytic Jacobian in numpy."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from time import process_time

import numpy as np
from scipy.optimize import least_squares

from benchmarks.solution.progress import Ended, Solution
from benchmarks.solution.solvers.counted_residuals import CountedResiduals

_LEAST = 2 * float(np.finfo(float).eps)  # it allows no smaller tolerances


class Solver:
    """Parameters are scaled by the norms of the Jacobian's columns, as in MINPACK."""

    def __init__(self, folder: Path) -> None:
        self._residuals = CountedResiduals(folder)

    def run(self, target: float | None, budget: float, counted: bool) -> Solution:
        r, start = self._residuals, self._residuals.begin(target, budget)
        with suppress(Ended):
            least_squares(
                r.value,
                start,
                jac=r.jacobian,
                method="trf",
                x_scale="jac",
                ftol=_LEAST,
                xtol=_LEAST,
                gtol=_LEAST,
                max_nfev=10**9,
            )
        return r.solution(process_time())
