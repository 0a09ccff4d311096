"""Levenberg-Marquardt: Gauss-Newton steps, damped until one lowers the loss.

With J the Jacobian of the residuals r, a step d solves

    (JᵀJ + μ I) d = -Jᵀr

and is accepted if the objective falls; the damping μ then becomes smaller. Otherwise it becomes
larger, and a step that is shorter and closer to the gradient is tried. Levenberg 1944, Quart. Appl.
Math. 2, 164; Marquardt 1963, J. SIAM 11, 431. The rules for μ:

    gain_ratio              accepted: μ ← μ max(1/decrease, 1 - (2ρ - 1)³), rejected: μ ← μ ν
    marquardt               accepted: μ ← μ / decrease, rejected: μ ← μ increase
    delayed_gratification   as marquardt, with an increase smaller than the decrease

The gain ratio ρ is the decrease of the objective over that of its quadratic model; ν is `increase`
at first, and doubles with each rejection. Nielsen 1999, Damping parameter in Marquardt's method,
IMM-REP-1999-05; Madsen, Nielsen & Tingleff 2004, Methods for non-linear least squares problems,
2nd ed., Algorithm 3.16. The factors of `marquardt` are from Hagan & Menhaj 1994, IEEE Trans. Neural
Networks 5, 989; delayed gratification is in Transtrum & Sethna 2012, arXiv:1201.5885, section IV.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np
from annotated_types import Gt, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.numerics import repeatable_numerics
from bpcli.optimizers.base import (
    POSITIVE,
    Bounds,
    Evaluation,
    Losses,
    Objective,
    Optimizer,
    Point,
    State,
    StepFailed,
    square_of_gradient,
)

_LEAST_DAMPING = 1e-20
"""Smaller damping is lost in the rounding of JᵀJ, and takes longer to rise again."""

_MATRICES_IN_USE = 3
"""JᵀJ, the sums it is made of, and the damped matrix, which its factor overwrites."""

DampingRule: TypeAlias = Literal["gain_ratio", "marquardt", "delayed_gratification"]


class _Rule(NamedTuple):
    """The defaults of a damping rule; `share` is that of the median of JᵀJ's diagonal."""

    increase: float
    decrease: float
    damping: float | None = None
    share: float = 0.1


_RULES: Mapping[DampingRule, _Rule] = {
    "gain_ratio": _Rule(2.0, 3.0),
    "marquardt": _Rule(10.0, 10.0, damping=1e-3),
    "delayed_gratification": _Rule(2.0, 3.0),
}


class Quadratic(NamedTuple):
    """The quadratic model that a step minimises: value + gradᵀ d + ½ dᵀ hessian d.

    `unit` is the scale of the Hessian: the damping adds μ · unit to its diagonal.
    """

    value: float
    grad: Vector
    hessian: Array
    unit: float

    @property
    def largest(self) -> float:
        """The largest entry of the diagonal, relative to `unit`."""
        return float(self.hessian.diagonal().max() / self.unit)

    @property
    def median(self) -> float:
        """The median of the diagonal's entries above 0, relative to `unit`; 0 if there are none.

        Madsen, Nielsen & Tingleff take the largest entry. The median is as good for networks, and
        better where the parameters have different scales (tests/benchmarks/damping.py).
        """
        diagonal = self.hessian.diagonal()
        positive = diagonal[diagonal > 0]
        return float(np.median(positive) / self.unit) if len(positive) else 0.0

    def decrease(self, change: Vector, damping: float) -> float:
        """How much the model falls by the damped step d: ½ dᵀ (μ · unit d - grad)."""
        return 0.5 * float(change.dot(damping * self.unit * change - self.grad))


Descent: TypeAlias = Callable[["Losses | Evaluation", Vector], float]
"""The function to lower, from the losses at the parameters, and the parameters."""


@dataclass(frozen=True)
class LevenbergMarquardt(Optimizer):
    """Damped Gauss-Newton steps, for squared-error losses and up to a few thousand parameters.

    μ is relative to JᵀJ of the residuals times √w_i, so the steps do not depend on the factor of
    the loss or on `reduction`. L2 adds its exact curvature.
    """

    formulas = ("(Jᵀ J + μ I) d = -Jᵀ r", "params ← params + d")
    notation = (
        "J is the Jacobian of the residuals r; the damping μ grows until the objective falls."
    )

    needs_sum_of_squares: ClassVar[bool] = True

    damping_rule: Annotated[
        DampingRule,
        doc(
            "How the damping μ follows the steps: `gain_ratio` divides it by up to `decrease` "
            "where the loss falls as the quadratic model predicts, and raises it faster with each "
            "rejected step; `marquardt` divides it by `decrease` after every accepted step and "
            "multiplies it by `increase` after every rejected one (MATLAB's `trainlm`); "
            "`delayed_gratification` does the same with an increase below the decrease."
        ),
    ] = "gain_ratio"
    damping: Annotated[
        float | None,
        Gt(0),
        doc(
            "The initial damping μ. Default: 0.1 times the median of the diagonal of JᵀJ; 0.001 "
            "with `marquardt`."
        ),
    ] = None
    increase: Annotated[
        float | None,
        Gt(1),
        doc("Factor on the damping after a rejected step. Default: 2; 10 with `marquardt`."),
    ] = None
    decrease: Annotated[
        float | None,
        Gt(1),
        doc("Divisor of the damping after an accepted step. Default: 3; 10 with `marquardt`."),
    ] = None
    max_damping: Annotated[
        float,
        Gt(0),
        doc(
            "Training ends if no step lowers the loss with a damping of at most this, or at most "
            "this times the largest diagonal entry of JᵀJ."
        ),
    ] = 1e10

    def __post_init__(self) -> None:
        if self.damping is not None and self.damping > self.max_damping:
            raise ValueError(
                f"`damping` ({self.damping:g}) must be at most `max_damping` ({self.max_damping:g})"
            )

    def memory_bytes(self, n_params: int, itemsize: int) -> int:
        return _MATRICES_IN_USE * n_params**2 * itemsize

    def init(self, params: Vector) -> State:
        """The state before the first step; a damping of 0 is chosen by that step."""
        return {"damping": np.asarray(self.first_damping or 0.0)}

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {"damping": (0.0, POSITIVE[1])}

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        model = Quadratic(point.losses(objective).value, *objective.gauss_newton(point.params))
        square_of_gradient(model.grad)
        return self.descend(objective, _loss, model, point.params, state)

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        return {"damping": state["damping"].item()}

    def descend(
        self, objective: Objective, of: Descent, model: Quadratic, params: Vector, state: State
    ) -> tuple[Point, State]:
        """Raise the damping until a step lowers `of`; return the new point and the next damping.

        Raises `StepFailed` if the damping exceeds `max_damping` first.
        """
        largest = model.largest
        damping = state["damping"].item() or max(_LEAST_DAMPING, self._rule.share * model.median)
        most = self.max_damping * max(1.0, largest)
        increase = self.increase or self._rule.increase
        solve = solver(model.hessian)
        while damping <= most:
            change = -solve(damping * model.unit, model.grad)
            trial = params + change
            if np.isfinite(trial).all():
                losses = objective.losses(trial)
                gain, expected = model.value - of(losses, trial), model.decrease(change, damping)
                if gain > 0 and expected > 0:
                    damping *= self._factor(gain / expected)
                    return Point(trial, losses=losses), _state(damping)
            # `max`, as 1.4 times the smallest float rounds back to it.
            damping = max(_LEAST_DAMPING, damping * increase)
            if self.damping_rule == "gain_ratio":
                increase *= 2
        raise StepFailed(
            "max_damping",
            f"No step lowers the loss, even with a damping of {most:g}.",
        )

    @property
    def first_damping(self) -> float | None:
        """The damping of the first step; None if that step chooses it."""
        return self.damping or self._rule.damping

    @property
    def _rule(self) -> _Rule:
        return _RULES[self.damping_rule]

    def _factor(self, ratio: float) -> float:
        """The factor on the damping after an accepted step of this gain ratio."""
        least = 1 / (self.decrease or self._rule.decrease)
        if self.damping_rule != "gain_ratio":
            return least
        return max(least, 1 - (2 * min(ratio, 1.0) - 1) ** 3)


def _state(damping: float) -> State:
    return {"damping": np.asarray(max(_LEAST_DAMPING, damping))}


def _loss(losses: Losses | Evaluation, params: Vector) -> float:
    return losses.value


Solver: TypeAlias = Callable[[float, Vector], Vector]
"""Solves (H + shift I) x = b; x is not finite where that fails."""

_LAPACK_FROM = 500
"""Parameters from which scipy's Cholesky factor pays for importing scipy.linalg, 0.2 s, in about a
hundred steps: it takes 0.5 of the time of numpy's LU for 500 parameters, and 0.3 for 2000."""


def solver(H: Array) -> Solver:
    """A solver of damped equations with the positive semi-definite H.

    The damped matrix is kept between calls: a trial allocates nothing of its size.
    """
    matrix = np.empty(H.shape, H.dtype)
    diagonal = np.einsum("pp->p", matrix)  # a view
    solve = _by_cholesky if len(H) >= _LAPACK_FROM else _by_lu

    def damped(shift: float, b: Vector) -> Vector:
        matrix[...] = H
        diagonal[...] += shift
        return solve(matrix, b)

    return damped


def _by_lu(matrix: Array, b: Vector) -> Vector:
    """By one call of numpy.

    It takes a third of the time of a Cholesky factor and two substitutions for 30 parameters, two
    thirds for 300.
    """
    try:
        return np.linalg.solve(matrix, b)
    except np.linalg.LinAlgError:
        return np.full_like(b, np.nan)


def _by_cholesky(matrix: Array, b: Vector) -> Vector:
    """Overwrites the matrix with its factor."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    with repeatable_numerics():  # of scipy's BLAS too, which the import may just have loaded
        try:
            # LAPACK's matrices are stored by columns, so this is the matrix itself, in place.
            factor = cho_factor(matrix.T, overwrite_a=True, check_finite=False)
        except LinAlgError:
            return np.full_like(b, np.nan)
        solution: Vector = cho_solve(factor, b, check_finite=False)
        return solution
