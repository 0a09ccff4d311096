"""The NIST problems of nonlinear regression, and an objective of residuals to fit them with.

NIST Standard Reference Database 140, Statistical Reference Datasets, Nonlinear Regression:
https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml. The files in `data/` are those of NIST,
unchanged: a work of the US government, in the public domain. Each gives its own source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from optimizers.nist.models import MODELS, Model

from bpcli.optimizers.base import Evaluation, GaussNewton, Losses

_DATA = Path(__file__).parent / "data"
_PARAMETERS, _FIRST_ROW = 40, 60  # where they begin in a file, counted from 0


@dataclass(frozen=True, eq=False)
class NistProblem:
    """Observations y (n,) at x, two starts (2, P), and what NIST certifies to 11 digits.

    `deviations` are the standard deviations of the certified parameters.
    """

    name: str
    model: Model
    x: np.ndarray
    y: np.ndarray
    starts: np.ndarray
    certified: np.ndarray
    deviations: np.ndarray
    sum_of_squares: float

    def residuals(self, params: np.ndarray) -> np.ndarray:
        return self.model(params, self.x)[0] - self.y

    def jacobian(self, params: np.ndarray) -> np.ndarray:
        """∂r/∂params (n, P)."""
        columns = self.model(params, self.x)[1]
        return np.stack(np.broadcast_arrays(*columns, self.y)[:-1], axis=1)

    def objective(self) -> ResidualObjective:
        return ResidualObjective(self.residuals, self.jacobian, len(self.y))


def read(name: str) -> NistProblem:
    """A problem from its file, in which everything has its place."""
    lines = (_DATA / f"{name}.dat").read_text("ascii").splitlines()
    entries = [line for line in lines[_PARAMETERS:_FIRST_ROW] if "=" in line]
    table = np.array([line.split("=")[1].split() for line in entries], float)
    (total,) = (line for line in lines if line.startswith("Residual Sum of Squares"))
    rows = np.array([line.split() for line in lines[_FIRST_ROW:] if line.strip()], float)
    y, x = rows[:, 0], rows[:, 1:].T
    return NistProblem(
        name,
        MODELS[name],
        x if len(x) > 1 else x[0],
        np.log(y) if name == "Nelson" else y,
        table[:, :2].T,
        table[:, 2],
        table[:, 3],
        float(total.partition(":")[2]),
    )


PROBLEMS = [read(name) for name in MODELS]


class NoNetwork:
    """What an optimizer may ask of the network, where there are only residuals."""

    frozen = np.empty(0, int)
    outputs = 1


class ResidualObjective:
    """½ Σ r², as an optimizer sees it, and how often each verb was called.

    A trial step may leave the domain of a model: its value is infinite or NaN then, in silence.
    """

    def __init__(
        self,
        residuals: Callable[[np.ndarray], np.ndarray],
        jacobian: Callable[[np.ndarray], np.ndarray],
        n_rows: int,
    ) -> None:
        self.network = NoNetwork()
        self.residuals = residuals
        self.jacobian = jacobian
        self.n_rows = n_rows
        self.calls: Counter[str] = Counter()

    def value(self, params: np.ndarray) -> float:
        self.calls["value"] += 1
        with np.errstate(all="ignore"):
            r = self.residuals(params)
            return float(r @ r / 2)

    def losses(self, params: np.ndarray) -> Losses:
        value = self.value(params)
        return Losses(value, value)

    def grad(self, params: np.ndarray) -> np.ndarray:
        self.calls["grad"] += 1
        with np.errstate(all="ignore"):
            return self.residuals(params) @ self.jacobian(params)

    def value_and_grad(self, params: np.ndarray) -> Evaluation:
        self.calls["value_and_grad"] += 1
        with np.errstate(all="ignore"):
            r = self.residuals(params)
            value = float(r @ r / 2)
            return Evaluation(value, r @ self.jacobian(params), value)

    def gauss_newton(self, params: np.ndarray) -> GaussNewton:
        self.calls["gauss_newton"] += 1
        J = self.jacobian(params)
        return GaussNewton(self.residuals(params) @ J, J.T @ J, 1.0)
