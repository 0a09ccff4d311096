"""Line search to the strong Wolfe conditions, and what the optimizers that use it share.

Along a direction d from params, φ(α) = objective(params + α d). A length α is accepted where

    φ(α) ≤ φ(0) + c1 α φ'(0)     the loss falls enough,
    |φ'(α)| ≤ c2 |φ'(0)|         and the slope is flat enough.

Nocedal & Wright 2006, Numerical Optimization, eq. 3.7, Algorithms 3.5 and 3.6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers.base import (
    Evaluation,
    Objective,
    Optimizer,
    Point,
    State,
    StepFailed,
    dot,
    norm,
    square_of_gradient,
)

_DECREASE = 1e-4
"""c1 of the first condition."""

_MOST_TRIALS = 25
"""Evaluations of one search. Bisection alone would narrow a bracket by 2⁻²⁵ with them."""

_EDGE = 0.1
"""The next length stays off the ends of its bracket by this part of the bracket's width."""

_GROWTH = 10.0
"""Without an upper end, the next length is at most so many times the last."""

_ROUNDING = 4.0
"""Losses that differ by less than so many units of rounding are the same loss."""


class Trial(NamedTuple):
    """A point on the line: its length α, and what the objective is there."""

    length: float
    params: Vector
    evaluation: Evaluation
    slope: float
    """φ'(α) = ∂objective/∂params · d."""

    @property
    def value(self) -> float:
        return self.evaluation.value

    @property
    def grad(self) -> Vector:
        return self.evaluation.grad

    @property
    def point(self) -> Point:
        """Where it is, with what is known there."""
        return Point(self.params, self.evaluation)

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.value) and math.isfinite(self.slope)


class Line:
    """The objective along one direction, and which of its points are good."""

    def __init__(
        self, objective: Objective, here: Point, direction: Vector, flatness: float
    ) -> None:
        params, evaluation = here.params, here.evaluate(objective)
        self.objective = objective
        self.direction = direction
        self.start = Trial(0.0, params, evaluation, dot(evaluation.grad, direction))
        self._flatness = flatness
        self._rounding = _ROUNDING * float(np.finfo(params.dtype).eps) * abs(evaluation.value)

    def at(self, length: float) -> Trial:
        """Evaluate there."""
        params = self.start.params + length * self.direction
        evaluation = self.objective.value_and_grad(params)
        return Trial(length, params, evaluation, dot(evaluation.grad, self.direction))

    def accepts(self, trial: Trial) -> bool:
        """The strong Wolfe conditions; or, where losses are the same to rounding, their slopes.

        There the first condition becomes φ'(α) ≤ (2 c1 - 1) φ'(0) (Hager & Zhang 2005, SIAM J.
        Optim. 16, 170, eq. T2, after 4.1), which the second one implies, c2 being less than
        1 - 2 c1. That the gradient be shorter keeps training from wandering about in rounding.
        """
        if not trial.is_finite or abs(trial.slope) > self._flatness * abs(self.start.slope):
            return False
        return self._has_fallen(trial) or (self._is_level(trial) and self._is_shorter(trial))

    def has_fallen_visibly(self, trial: Trial) -> bool:
        """Whether the loss is lower there by more than rounding."""
        return trial.value < self.start.value - self._rounding

    def narrowed(self, low: Trial, high: Trial | None, trial: Trial) -> tuple[Trial, Trial | None]:
        """The part of the bracket, to one side of `trial`, that holds acceptable lengths.

        `low` is the lowest point so far that has fallen enough, and from it φ falls towards
        `high`; `high` is None while no end is known. With that for infinity, Algorithm 3.5 is
        Algorithm 3.6 (`zoom`).
        """
        if self._is_too_far(trial, low):
            return low, trial
        has_high_above = high is None or high.length > low.length
        if (trial.slope >= 0) == has_high_above:
            return trial, low
        return trial, high

    def lowest_by(self, a: Trial, b: Trial) -> float | None:
        """Where the line is lowest judging by two trials; by slopes alone if losses are the same.

        None where they do not tell.
        """
        if a.length == b.length:
            return None
        if abs(a.value - b.value) <= self._rounding:
            return _lowest_of_parabola(a, b)
        return _lowest_of_cubic(a, b)

    def _is_too_far(self, trial: Trial, low: Trial) -> bool:
        if self._is_level(trial):
            return False  # the loss tells nothing, and the slope tells the side
        return not (trial.is_finite and self._has_fallen(trial) and trial.value < low.value)

    def _has_fallen(self, trial: Trial) -> bool:
        enough = self.start.value + _DECREASE * trial.length * self.start.slope
        return trial.value <= enough and trial.value < self.start.value

    def _is_level(self, trial: Trial) -> bool:
        return trial.is_finite and abs(trial.value - self.start.value) <= self._rounding

    def _is_shorter(self, trial: Trial) -> bool:
        return norm(trial.grad) < norm(self.start.grad)


def search(line: Line, first_length: float) -> Trial:
    """A point that the line accepts.

    The line leads down at its start. Where no such point is found, as across a kink of the
    objective, the lowest does if its loss is lower by more than rounding; if there is none either,
    raises `StepFailed`.
    """
    low, high, length = line.start, None, first_length
    for _ in range(_MOST_TRIALS):
        trial = line.at(length)
        if line.accepts(trial):
            return trial
        before, (low, high) = low, line.narrowed(low, high, trial)
        length = _beyond(line, before, low) if high is None else _between(line, low, high)
    if line.has_fallen_visibly(low):
        return low
    raise StepFailed(
        "line_search",
        f"The line search found no lower loss in {_MOST_TRIALS} trials: to within rounding this is "
        "a minimum, or the objective has a kink here.",
    )


def _beyond(line: Line, before: Trial, low: Trial) -> float:
    """A greater length than the last two points have."""
    length = line.lowest_by(before, low)
    if length is None or length <= low.length:
        return _GROWTH * low.length
    return low.length * min(max(length / low.length, 1 + _EDGE), _GROWTH)


def _between(line: Line, low: Trial, high: Trial) -> float:
    """A length inside the bracket."""
    width = high.length - low.length
    if not high.is_finite:
        return low.length + _EDGE * width
    length = line.lowest_by(low, high)
    part = 0.5 if length is None else (length - low.length) / width
    return low.length + width * min(max(part, _EDGE), 1 - _EDGE)


def _lowest_of_cubic(a: Trial, b: Trial) -> float | None:
    """Where the cubic with the values and slopes at two lengths is lowest (eq. 3.59), if it is."""
    width = b.length - a.length
    d1 = a.slope + b.slope - 3 * (b.value - a.value) / width
    radicand = d1 * d1 - a.slope * b.slope
    if not radicand >= 0:
        return None
    d2 = math.copysign(math.sqrt(radicand), width)
    return _offset(b, width * (b.slope + d2 - d1), b.slope - a.slope + 2 * d2)


def _lowest_of_parabola(a: Trial, b: Trial) -> float | None:
    """Where the parabola with the slopes at two lengths is lowest, if it is."""
    width = b.length - a.length
    bend = b.slope - a.slope
    return _offset(b, width * b.slope, bend) if bend * width > 0 else None


def _offset(b: Trial, numerator: float, denominator: float) -> float | None:
    length = b.length - numerator / denominator if denominator else math.nan
    return length if math.isfinite(length) else None


@dataclass(frozen=True)
class LineSearchOptimizer(Optimizer):
    """Chooses a direction from what it remembers, and goes along it as far as the search says.

    Every state has `length`, the last α; 0 in a state without memory, which means steepest descent.
    """

    full_batch_because: ClassVar[str | None] = "its line search compares losses over the same rows"
    flatness: ClassVar[float] = 0.9
    """c2 of the second condition: 0.9 where the first length is mostly right, else 0.1."""

    def direction(self, grad: Vector, state: State) -> Vector:
        """Where to go from a point with this gradient; asked only of a state with memory."""
        raise NotImplementedError

    def first_length(self, line: Line, state: State) -> float:
        """The length to try first; asked only of a state with memory."""
        return 1.0

    def remember(self, state: State, line: Line, end: Trial) -> State:
        """What is known after the step from the start of the line to its end."""
        raise NotImplementedError

    def step(
        self, objective: Objective, here: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        here = Point(here.params, here.evaluate(objective))
        grad = here.grad(objective)
        square = square_of_gradient(grad)
        if state["length"] > 0:
            line = Line(objective, here, self.direction(grad, state), self.flatness)
            if line.start.slope < 0:
                try:
                    end = search(line, self.first_length(line, state))
                    return end.point, self.remember(state, line, end)
                except StepFailed:
                    pass  # of a memory that misleads, as after a kink
        state = self.init(here.params)
        line = Line(objective, here, -grad, self.flatness)
        end = search(line, 1 / math.sqrt(square))  # moves by 1, whatever the objective's scale
        return end.point, self.remember(state, line, end)

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        return {"step_length": float(state["length"])}
