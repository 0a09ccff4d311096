"""Line search to the strong Wolfe conditions, and the base class of the optimizers that use it.

Along a direction d from params, φ(α) = objective(params + α d). A length α is accepted where

    φ(α) ≤ φ(0) + c1 α φ'(0)     the loss falls enough,
    |φ'(α)| ≤ c2 |φ'(0)|         and the slope is flat enough.

Nocedal & Wright 2006, Numerical Optimization, eq. 3.7, Algorithms 3.5 and 3.6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

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
    rounding,
    square_of_gradient,
)

_DECREASE = 1e-4
"""c1 of the first condition."""

MOST_TRIALS = 25
"""Evaluations per search: by bisection, they would narrow a bracket to 2⁻²⁵ of its width."""

_EDGE = 0.1
"""The next length keeps this fraction of the bracket's width away from its ends."""

_GROWTH = 10.0
"""Without an upper end, the next length is at most this multiple of the last."""


class Trial(NamedTuple):
    """A point on the line: its length α, and the objective there."""

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
        """The parameters with their evaluation."""
        return Point(self.params, self.evaluation)

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.value) and math.isfinite(self.slope)


class Line:
    """The objective along one direction, and which lengths are acceptable."""

    def __init__(
        self, objective: Objective, point: Point, direction: Vector, flatness: float
    ) -> None:
        params, evaluation = point.params, point.evaluate(objective)
        self.objective = objective
        self.direction = direction
        self.start = Trial(0.0, params, evaluation, dot(evaluation.grad, direction))
        self._flatness = flatness
        self._rounding = rounding(evaluation.value, params.dtype)

    def at(self, length: float) -> Trial:
        """Evaluate the objective at this length."""
        params = self.start.params + length * self.direction
        evaluation = self.objective.value_and_grad(params)
        return Trial(length, params, evaluation, dot(evaluation.grad, self.direction))

    def accepts(self, trial: Trial) -> bool:
        """Whether the strong Wolfe conditions hold. Slopes decide between losses that are equal.

        Losses are equal if they differ only by rounding. For them, the first condition becomes
        φ'(α) ≤ (2 c1 - 1) φ'(0) (Hager & Zhang 2005, SIAM J. Optim. 16, 170, eq. T2, after 4.1),
        which the second one implies, as c2 < 1 - 2 c1. The gradient must also get shorter, so that
        rounding errors alone do not keep training going.
        """
        if not trial.is_finite or abs(trial.slope) > self._flatness * abs(self.start.slope):
            return False
        return self._has_fallen(trial) or (self._is_level(trial) and self._is_shorter(trial))

    def has_fallen_visibly(self, trial: Trial) -> bool:
        """Whether the loss is lower by more than rounding."""
        return trial.value < self.start.value - self._rounding

    def narrowed(self, low: Trial, high: Trial | None, trial: Trial) -> tuple[Trial, Trial | None]:
        """The side of the bracket, split at `trial`, that contains acceptable lengths.

        `low` is the lowest point so far that has fallen enough, and φ falls from it towards `high`.
        `high` is None while the bracket has no upper end. With None as infinity, Algorithms 3.5
        and 3.6 (`zoom`) are the same.
        """
        if self._is_too_far(trial, low):
            return low, trial
        has_high_above = high is None or high.length > low.length
        if (trial.slope >= 0) == has_high_above:
            return trial, low
        return trial, high

    def lowest_by(self, a: Trial, b: Trial) -> float | None:
        """The length of the minimum estimated from two trials, or None if they give none.

        Uses only the slopes if the losses differ only by rounding.
        """
        if a.length == b.length:
            return None
        if abs(a.value - b.value) <= self._rounding:
            return _lowest_of_parabola(a, b)
        return _lowest_of_cubic(a, b)

    def _is_too_far(self, trial: Trial, low: Trial) -> bool:
        if self._is_level(trial):
            return False  # then the slope decides which side to keep
        return not (trial.is_finite and self._has_fallen(trial) and trial.value < low.value)

    def _has_fallen(self, trial: Trial) -> bool:
        enough = self.start.value + _DECREASE * trial.length * self.start.slope
        return trial.value <= enough and trial.value < self.start.value

    def _is_level(self, trial: Trial) -> bool:
        return trial.is_finite and abs(trial.value - self.start.value) <= self._rounding

    def _is_shorter(self, trial: Trial) -> bool:
        return norm(trial.grad) < norm(self.start.grad)


def search(line: Line, first_length: float) -> Trial:
    """Return a point that the line accepts; φ'(0) must be negative.

    If there is none, as across a kink of the objective, returns the lowest point if its loss is
    lower by more than rounding. Otherwise raises `StepFailed`.
    """
    low, high, length = line.start, None, first_length
    for _ in range(MOST_TRIALS):
        trial = line.at(length)
        if line.accepts(trial):
            return trial
        before, (low, high) = low, line.narrowed(low, high, trial)
        length = _beyond(line, before, low) if high is None else _between(line, low, high)
    if line.has_fallen_visibly(low):
        return low
    raise StepFailed(
        "line_search",
        f"The line search found no lower loss in {MOST_TRIALS} trials: within rounding errors "
        "this is a minimum, or the objective has a kink here.",
    )


def _beyond(line: Line, before: Trial, low: Trial) -> float:
    """A length beyond the last two points."""
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
    fraction = 0.5 if length is None else (length - low.length) / width
    return low.length + width * min(max(fraction, _EDGE), 1 - _EDGE)


def _lowest_of_cubic(a: Trial, b: Trial) -> float | None:
    """The minimum of the cubic with the values and slopes at two lengths (eq. 3.59), if any."""
    width = b.length - a.length
    d1 = a.slope + b.slope - 3 * (b.value - a.value) / width
    radicand = d1 * d1 - a.slope * b.slope
    if not radicand >= 0:
        return None
    d2 = math.copysign(math.sqrt(radicand), width)
    return _offset(b, width * (b.slope + d2 - d1), b.slope - a.slope + 2 * d2)


def _lowest_of_parabola(a: Trial, b: Trial) -> float | None:
    """The minimum of the parabola with the slopes at two lengths, if any."""
    width = b.length - a.length
    bend = b.slope - a.slope
    return _offset(b, width * b.slope, bend) if bend * width > 0 else None


def _offset(b: Trial, numerator: float, denominator: float) -> float | None:
    length = b.length - numerator / denominator if denominator else math.nan
    return length if math.isfinite(length) else None


@dataclass(frozen=True)
class LineSearchOptimizer(Optimizer):
    """Chooses a direction from its state, and moves along it by a line search.

    Every state has `length`, the last α. In an empty state it is 0, which means steepest descent.
    """

    full_batch_because: ClassVar[str | None] = "its line search compares losses over the same rows"
    flatness: ClassVar[float] = 0.9
    """c2 of the second condition: 0.9 where the first length is mostly right, else 0.1."""

    def direction(self, grad: Vector, state: State) -> Vector:
        """The search direction at a point with this gradient; not called with an empty state."""
        raise NotImplementedError

    def first_length(self, line: Line, state: State) -> float:
        """The length to try first; not called with an empty state."""
        return 1.0

    def remember(self, state: State, line: Line, end: Trial) -> State:
        """The state after the step from the start of the line to `end`."""
        raise NotImplementedError

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        point = Point(point.params, point.evaluate(objective))
        grad = point.grad(objective)
        square = square_of_gradient(grad)
        if state["length"] > 0:
            line = Line(objective, point, self.direction(grad, state), self.flatness)
            if line.start.slope < 0:
                try:
                    end = search(line, self.first_length(line, state))
                    return end.point, self.remember(state, line, end)
                except StepFailed:
                    pass  # the state may give a bad direction, as after a kink: reset it
        state = self.init(point.params)
        line = Line(objective, point, -grad, self.flatness)
        end = search(line, 1 / math.sqrt(square))  # moves by 1, whatever the objective's scale
        return end.point, self.remember(state, line, end)

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        return {"step_length": float(state["length"])}
