"""Performance profiles: how often each of several solvers is nearly the fastest.

With t[p, s] what solver s takes for problem p (seconds or evaluations; infinite if it fails),

    r[p, s] = t[p, s] / min over s of t[p, s]
    ρ_s(τ) = the fraction of all problems p with r[p, s] ≤ τ

so ρ_s(1) says how often s is the fastest, and ρ_s(∞) how often it solves a problem at all. Dolan &
Moré 2002, Math. Programming 91, 201. A problem that nobody solves still counts as a problem. A
profile ranks only against the best: without the best solver, the order of the others can change
(Gould & Scott 2016, ACM Trans. Math. Softw. 43, 15).

A problem is solved where the objective is at most

    f_best + tolerance · (f_start - f_best)

with f_best the lowest value that any solver reaches. Moré & Wild 2009, SIAM J. Optim. 20, 172,
eq. 2.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = Sequence[float] | npt.NDArray[np.float64]


def target(start: float, best: float, tolerance: float) -> float:
    """The objective at which a problem counts as solved."""
    return best + tolerance * (start - best)


def cost_to_reach(goal: float, objectives: Numbers, costs: Numbers) -> float:
    """The cost at the first objective that is at most `goal`; infinite if there is none.

    Both have an entry for each iteration; a cost is what was spent up to this iteration.
    """
    reached = np.flatnonzero(np.asarray(objectives) <= goal)
    return float(costs[reached[0]]) if reached.size else np.inf


@dataclass(frozen=True)
class Profiles:
    """r[p, s] by solver: an array with an entry for each problem."""

    ratios: Mapping[str, npt.NDArray[np.float64]]

    @classmethod
    def of(cls, costs: Mapping[str, Numbers]) -> Profiles:
        """From what each solver takes for each problem, in the same order for all solvers.

        Raises `ValueError` if a cost is not positive, or the number of problems differs.
        """
        matrix = np.array([np.asarray(row, dtype=np.float64) for row in costs.values()])
        if not (matrix > 0).all():
            raise ValueError("costs must be positive, or infinite where a solver fails")
        best = matrix.min(axis=0)
        ratios = np.full(matrix.shape, np.inf)
        np.divide(matrix, best, out=ratios, where=np.isfinite(matrix))
        return cls(dict(zip(costs, ratios, strict=True)))

    def within(self, solver: str, factor: float) -> float:
        """ρ_s(τ): the fraction of problems solved in at most `factor` times the best cost."""
        return float(np.mean(self.ratios[solver] <= factor))

    def solved(self, solver: str) -> float:
        """ρ_s(∞): the fraction of problems solved."""
        return float(np.mean(np.isfinite(self.ratios[solver])))

    def area(self, solver: str, limit: float) -> float:
        """The area under ρ_s over log2 τ from 1 to `limit`, divided by log2(limit): 0 to 1.

        A problem contributes the part of the axis from its ratio on, 1 - log2 r / log2(limit).
        """
        parts = 1 - np.log2(self.ratios[solver]) / np.log2(limit)
        return float(np.mean(np.maximum(parts, 0)))

    def steps(
        self, solver: str, limit: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The corners of ρ_s from τ = 1 to `limit`: at each factor, the fraction from there on."""
        ratios = np.sort(self.ratios[solver])
        inner = np.unique(ratios[(ratios > 1) & (ratios < limit)])
        factors = np.concatenate([[1.0], inner, [limit]])
        return factors, np.searchsorted(ratios, factors, side="right") / len(ratios)
