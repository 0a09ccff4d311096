"""Damped Gauss-Newton steps: how the damping follows the steps that succeed and fail.

    (JᵀJ + μ I) d = -Jᵀr

A step is accepted if the objective falls; the damping μ then becomes smaller. Otherwise it becomes
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

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np
from annotated_types import Ge, Gt, doc

from bpcli.nn.arrays import Vector
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
)
from bpcli.optimizers.quadratic import Quadratic

_LEAST_DAMPING = 1e-20
"""Smaller damping is lost in the rounding of JᵀJ, and takes longer to rise again."""

_MATRICES_IN_USE = 3
"""JᵀJ, the sums it is made of, and the damped matrix, which its factor overwrites."""

DampingRule: TypeAlias = Literal["gain_ratio", "marquardt", "delayed_gratification"]


class _Rule(NamedTuple):
    """The defaults of a damping rule; `share` is that of the geometric mean of JᵀJ's diagonal."""

    increase: float
    decrease: float
    damping: float | None = None
    share: float = 0.1


_RULES: Mapping[DampingRule, _Rule] = {
    "gain_ratio": _Rule(2.0, 3.0),
    "marquardt": _Rule(10.0, 10.0, damping=1e-3),
    "delayed_gratification": _Rule(2.0, 3.0),
}

Descent: TypeAlias = Callable[["Losses | Evaluation", Vector], float]
"""The function to lower, from the losses at the parameters, and the parameters."""


@dataclass(frozen=True)
class Damped(Optimizer):
    """Steps of a quadratic model, damped until one lowers the objective."""

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
            "The initial damping μ. Default: 0.1 times the geometric mean of the diagonal of "
            "JᵀJ; 0.001 with `marquardt`."
        ),
    ] = None
    increase: Annotated[
        float | None,
        Ge(1.1),
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
        first = self.first_damping
        if first is not None and first > self.max_damping:
            raise ValueError(
                f"`damping` ({first:g}) must be at most `max_damping` ({self.max_damping:g})"
            )

    def memory_bytes(self, n_params: int, itemsize: int) -> int:
        return _MATRICES_IN_USE * n_params**2 * itemsize

    def init(self, params: Vector) -> State:
        """The state before the first step; a damping of 0 is chosen by that step."""
        return {"damping": np.asarray(self.first_damping or 0.0)}

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {"damping": (0.0, POSITIVE[1])}

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        return {"damping": state["damping"].item()}

    def descend(
        self, objective: Objective, of: Descent, model: Quadratic, params: Vector, state: State
    ) -> tuple[Point, State]:
        """Raise the damping until a step lowers `of`; return the new point and the next damping.

        Raises `StepFailed` if the damping exceeds its limit first.
        """
        first = state["damping"].item() or max(_LEAST_DAMPING, self._rule.share * model.typical)
        damping = first
        for damping, change, expected in model.steps(self._dampings(first, model)):
            trial = params + change
            if expected > 0 and np.isfinite(trial).all():
                losses = objective.losses(trial)
                gain = model.value - of(losses, trial)
                if gain > 0:
                    after = max(_LEAST_DAMPING, damping * self._factor(gain / expected))
                    return Point(trial, losses=losses), {"damping": np.asarray(after)}
        if not math.isfinite(model.largest):
            raise StepFailed(
                "infinite_gradient",
                "The Gauss-Newton matrix is infinite: check the scale of the data (`data.scale`).",
            )
        raise StepFailed(
            "max_damping", f"No step lowers the loss, even with a damping of {damping:.3g}."
        )

    @property
    def first_damping(self) -> float | None:
        """The damping of the first step; None if that step chooses it."""
        return self.damping or self._rule.damping

    @property
    def _rule(self) -> _Rule:
        return _RULES[self.damping_rule]

    def _dampings(self, first: float, model: Quadratic) -> Iterator[float]:
        """The dampings to try, one after the other: the first, and those up to the limit."""
        damping, increase = first, self.increase or self._rule.increase
        while math.isfinite(damping):
            yield damping
            # `max`, as 1.4 times the smallest float rounds back to it.
            damping = max(_LEAST_DAMPING, damping * increase)
            if self.damping_rule == "gain_ratio":
                increase *= 2
            # `and`, as an estimate of the largest may cost a product.
            if damping > self.max_damping and not damping <= self.max_damping * model.largest:
                return

    def _factor(self, ratio: float) -> float:
        """The factor on the damping after an accepted step of this gain ratio."""
        least = 1 / (self.decrease or self._rule.decrease)
        if self.damping_rule != "gain_ratio":
            return least
        # From a ratio of 1 on, the first is larger; a very large ratio would overflow.
        return max(least, 1 - (2 * min(ratio, 1.0) - 1) ** 3)
