"""When the gradient has vanished: it is too small to change the loss, and stays so.

A gradient g is negligible where even a step as long as the parameters would change the objective,
to first order, by less than its rounding error:

    ‖g‖ max(1, ‖params‖) ≤ ε |objective|,        ε the rounding unit of the parameters' precision

Neither the scale of the loss nor its reduction matters, and near an exact fit, where the objective
is small as well, no gradient is negligible. But an optimizer such as RPROP, which uses only signs,
may leave a flat region even then. So training goes on for `TRIAL_EPOCHS` epochs on trial, and only
if the objective has not become lower by more than rounding, and the gradient not longer, training
ends at the state before.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bpcli.optimizers.base import ZERO_GRADIENT, Evaluation, Point, StepFailed, norm, rounding
from bpcli.training.objective import NetworkObjective
from bpcli.training.state import TrainState

TRIAL_EPOCHS = 100
"""In these, the step sizes of RPROP grow by up to 1.2¹⁰⁰ ≈ 10⁸."""

_FIRST_CHECK = 16
_CHECK_EVERY = 1024


def next_check(number: int) -> int:
    """The next epoch at which the gradient is looked at: 16, 64, 256, 1024, 2048, 3072, …

    They depend on nothing else, so neither records nor a resumed training change the end. They are
    few, since the loss there is evaluated for this.
    """
    if number >= _CHECK_EVERY:
        return (number // _CHECK_EVERY + 1) * _CHECK_EVERY
    bits = number.bit_length()
    return max(_FIRST_CHECK, 1 << bits + bits % 2)


def is_negligible(point: Point) -> bool:
    """Whether the gradient is too small to change the objective."""
    assert point.evaluation is not None, "only for an evaluated point"
    value, grad, _ = point.evaluation
    return norm(grad) * max(1.0, norm(point.params)) <= _unit(grad) * abs(value)


def is_stuck(before: Evaluation, after: Evaluation) -> bool:
    """Whether neither the objective has become lower, nor the gradient longer."""
    level = before.value - rounding(before.value, before.grad.dtype)
    return after.value >= level and norm(after.grad) <= norm(before.grad)


def vanished(evaluation: Evaluation) -> StepFailed:
    """The end of a training at such a point."""
    size = norm(evaluation.grad)
    if not evaluation.value:
        return StepFailed(ZERO_GRADIENT, "The loss is 0, and so is its gradient.")
    return StepFailed(
        ZERO_GRADIENT,
        f"The gradient has vanished: its norm is {size:.1e}, and in {TRIAL_EPOCHS} more epochs the "
        "loss did not fall by more than rounding.",
    )


def _unit(grad: np.ndarray) -> float:
    return float(np.finfo(grad.dtype).eps)


def unless_vanished(
    objective: NetworkObjective,
    state: TrainState,
    advance: Callable[[TrainState, int], TrainState],
) -> TrainState:
    """The state, ended if its gradient has vanished. `advance` trains for some epochs."""
    state = state.with_gradient(objective)
    if not is_negligible(state.point):
        return state
    evaluated = state.point.evaluate(objective)
    if not evaluated.value:
        return state._replace(ended=vanished(evaluated))
    first = advance(_copied(state), 1)
    if _is_same(first, state):  # then all epochs will be the same
        return state._replace(ended=vanished(evaluated))
    later = first if first.ended is not None else advance(first, TRIAL_EPOCHS - 1)
    if later.ended is not None:
        return state
    after = later.point.evaluate(objective)
    return state._replace(ended=vanished(evaluated)) if is_stuck(evaluated, after) else state


def _copied(state: TrainState) -> TrainState:
    """The state with its own copy of the optimizer's: a meter counts in place in a failed step."""
    copies = {name: value.copy() for name, value in state.optimizer_state.items()}
    return state._replace(optimizer_state=copies)


def _is_same(a: TrainState, b: TrainState) -> bool:
    """Whether neither the parameters nor the states of optimizer and learning rate differ."""
    states = [(a.optimizer_state, b.optimizer_state), (a.rate_state, b.rate_state)]
    return (
        a.ended is None
        and np.array_equal(a.params, b.params)
        and all(np.array_equal(one[name], other[name]) for one, other in states for name in one)
    )
