"""MINPACK's lmder with an analytic Jacobian in numpy, by scipy's leastsq.

It is what `least_squares(method="lm")` calls too, which checks and copies more: leastsq takes half
of its time for 1-10-1, and 0.8 to 0.95 of it for larger networks.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from time import process_time

from scipy.optimize import leastsq

from benchmarks.solution.progress import Ended, Solution
from benchmarks.solution.solvers.counted_residuals import CountedResiduals


class Solver:
    """`col_deriv`: the Jacobian is stored by columns, so that no copy is needed."""

    def __init__(self, folder: Path) -> None:
        self._residuals = CountedResiduals(folder)

    def run(self, target: float | None, budget: float, counted: bool) -> Solution:
        r, start = self._residuals, self._residuals.begin(target, budget)
        with suppress(Ended):
            leastsq(
                r.value,
                start,
                Dfun=lambda vector: r.jacobian(vector).T,
                col_deriv=True,
                full_output=True,  # otherwise it warns where it ends
                ftol=0,
                xtol=0,
                gtol=0,
                maxfev=10**9,
            )
        return r.solution(process_time())
