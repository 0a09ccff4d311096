"""Levenberg-Marquardt: Gauss-Newton steps, damped until one lowers the loss.

With J the Jacobian of the residuals r, a step d solves (JᵀJ + μ I) d = -Jᵀr; `damping.py` has the
rules for the damping μ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from annotated_types import doc

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import (
    Evaluation,
    Losses,
    Objective,
    Point,
    State,
    square_of_gradient,
)
from bpcli.optimizers.damping import Damped
from bpcli.optimizers.quadratic import Dense, Products

_VECTORS_OF_CG = 14
"""Two for each damping that is tried at once, the residual, and a product with its direction."""


@dataclass(frozen=True)
class LevenbergMarquardt(Damped):
    """Damped Gauss-Newton steps, for squared-error losses and up to a few thousand parameters.

    μ is relative to JᵀJ of the residuals times √w_i, so the steps do not depend on the factor of
    the loss or on `reduction`. L2 adds its exact curvature.
    """

    formulas = ("(Jᵀ J + μ I) d = -Jᵀ r", "params ← params + d")
    notation = (
        "J is the Jacobian of the residuals r; the damping μ grows until the objective falls."
    )

    solver: Annotated[
        Literal["direct", "cg"],
        doc(
            "How the equations of a step are solved: `direct` makes the matrix JᵀJ, of size "
            "parameters × parameters, and its factor; `cg` solves them approximately by conjugate "
            "gradients, which need only the memory of a few vectors."
        ),
    ] = "direct"

    @property
    def needs_matrix(self) -> bool:
        return self.solver == "direct"

    def memory_bytes(self, n_params: int, itemsize: int) -> int:
        if self.needs_matrix:
            return super().memory_bytes(n_params, itemsize)
        return _VECTORS_OF_CG * n_params * itemsize

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        model = self._model(objective, point)
        square_of_gradient(model.grad)
        return self.descend(objective, _loss, model, point.params, state)

    def _model(self, objective: Objective, point: Point) -> Dense | Products:
        params = point.params
        if self.needs_matrix:
            return Dense(point.losses(objective).value, *objective.gauss_newton(params))
        value, grad, _ = point.evaluate(objective)
        product = partial(objective.gauss_newton_product, params)
        return Products(value, grad, product, objective.gauss_newton_scale)


def _loss(losses: Losses | Evaluation, params: Vector) -> float:
    return losses.value
