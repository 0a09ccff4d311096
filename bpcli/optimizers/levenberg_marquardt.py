"""Levenberg-Marquardt: Gauss-Newton steps, damped until one lowers the loss.

With J the Jacobian of the residuals r, a step d solves

    (JᵀJ + μ I) d = -Jᵀr

and is taken if the objective is lower there: μ ← μ / decrease. Otherwise μ ← μ · increase, and the
step, shorter and closer to the gradient, is tried again. Levenberg 1944, Quart. Appl. Math. 2, 164;
Marquardt 1963, J. SIAM 11, 431; Hagan & Menhaj 1994, IEEE Trans. Neural Networks 5, 989, whose
factors these are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple, TypeAlias

import numpy as np
from annotated_types import Gt, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import (
    POSITIVE,
    Bounds,
    Evaluation,
    Objective,
    Optimizer,
    Point,
    State,
    StepFailed,
    square_of_gradient,
)

_LEAST_DAMPING = 1e-20
"""Less would be lost beside the rounding of JᵀJ, and only take longer to rise again."""

_BLOCK = 64

_MATRICES_IN_USE = 6
"""JᵀJ, its scaled copy, and the solver's: damped, its factor, LAPACK's own, and an inverse."""


class Quadratic(NamedTuple):
    """What a step lowers, near where it starts: value + gradᵀ d + ½ dᵀ hessian d.

    μ stands before `unit` times the identity, in the scale of the Hessian.
    """

    value: float
    grad: Vector
    hessian: Array
    unit: float


Descent: TypeAlias = Callable[[Evaluation, Vector], float]
"""What is to be lowered, at parameters where the objective has been evaluated."""


@dataclass(frozen=True)
class LevenbergMarquardt(Optimizer):
    """For sums of squares and networks of up to a few thousand parameters.

    μ counts against JᵀJ of the plain residuals, rows weighted, whatever the loss's own factor and
    `reduction` are: mean or sum, the steps are the same. L2 adds its own exact curvature.
    """

    formulas = ("(Jᵀ J + μ I) d = -Jᵀ r", "params ← params + d")
    notation = (
        "J is the Jacobian of the residuals r; the damping μ grows until the objective falls."
    )

    needs_sum_of_squares: ClassVar[bool] = True

    damping: Annotated[float, Gt(0), doc("The first damping.")] = 1e-3
    increase: Annotated[float, Gt(1), doc("Factor on the damping where a step fails.")] = 10.0
    decrease: Annotated[float, Gt(1), doc("Divides the damping where one succeeds.")] = 10.0
    max_damping: Annotated[float, Gt(0), doc("More ends training.")] = 1e10

    def __post_init__(self) -> None:
        if self.damping > self.max_damping:
            raise ValueError(
                f"`damping` ({self.damping:g}) must be at most `max_damping` ({self.max_damping:g})"
            )

    def memory_bytes(self, n_params: int, itemsize: int) -> int:
        return _MATRICES_IN_USE * n_params**2 * itemsize

    def init(self, params: Vector) -> State:
        return {"damping": np.asarray(self.damping)}

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {"damping": POSITIVE}

    def step(
        self, objective: Objective, here: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        model = Quadratic(*objective.gauss_newton(here.params, here.evaluation))
        square_of_gradient(model.grad)
        return self.descend(objective, _loss, model, here.params, state)

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        return {"damping": state["damping"].item()}

    def descend(
        self, objective: Objective, of: Descent, model: Quadratic, params: Vector, state: State
    ) -> tuple[Point, State]:
        """The first damped step to lower values than the model's, with the damping for the next.

        Raises `StepFailed` where the damping exceeds its bound before.
        """
        damping = state["damping"].item()
        while damping <= self.max_damping:
            trial = _damped_step(model, params, damping)
            if trial is not None:
                evaluation = objective.value_and_grad(trial)
                if np.isfinite(evaluation.grad).all() and of(evaluation, trial) < model.value:
                    least = max(_LEAST_DAMPING, damping / self.decrease)
                    return Point(trial, evaluation), {"damping": np.asarray(least)}
            # From the least number of all, a factor may lead nowhere: 1.4 times it is rounded back.
            damping = max(_LEAST_DAMPING, damping * self.increase)
        raise StepFailed(
            "max_damping",
            f"No step lowers the loss, with a damping of up to {self.max_damping:g}.",
        )


def _loss(evaluation: Evaluation, params: Vector) -> float:
    return evaluation.value


def _damped_step(model: Quadratic, params: Vector, damping: float) -> Vector | None:
    """Where the step leads; None where the matrix is not positive definite, or nowhere finite."""
    matrix = model.hessian.copy()
    diagonal = matrix.reshape(-1)[:: len(params) + 1]
    diagonal += damping * model.unit
    try:
        L = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    trial: Vector = params - solve_with_factor(L, model.grad)
    return trial if np.isfinite(trial).all() else None


def solve_with_factor(L: Array, b: Vector) -> Vector:
    """The x with L Lᵀ x = b, for L lower triangular: L y = b, then Lᵀ x = y.

    By substitution, a block of unknowns at a time.
    """
    x = b.copy()
    starts = range(0, len(b), _BLOCK)
    for start in starts:
        here = slice(start, start + _BLOCK)
        x[here] = np.linalg.solve(L[here, here], x[here] - L[here, :start].dot(x[:start]))
    for start in reversed(starts):
        here, stop = slice(start, start + _BLOCK), start + _BLOCK
        x[here] = np.linalg.solve(L[here, here].T, x[here] - x[stop:].dot(L[stop:, here]))
    return x
