from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from descents import CURVED, objective, passes_counted, start, step
from hypothesis import given
from hypothesis import strategies as st

from bpcli.optimizers import Optimizer, StepFailed
from bpcli.optimizers.base import Point
from bpcli.optimizers.bfgs import Bfgs
from bpcli.optimizers.conjugate_gradient import ConjugateGradient
from bpcli.optimizers.lbfgs import Lbfgs
from bpcli.optimizers.line_search import Line, Trial, search
from bpcli.training.objective import Evaluation, NetworkObjective

MOST_TRIALS = 25


@dataclass
class Function:
    """½ xᵀA x + Σ a sin(Bx + c): smooth, bounded below, with many minima. Takes notes."""

    A: np.ndarray
    B: np.ndarray
    a: np.ndarray
    c: np.ndarray
    asked: list[np.ndarray] = field(default_factory=list)

    @classmethod
    def drawn(cls, seed: int, size: int, ripple: float) -> Function:
        rng = np.random.default_rng(seed)
        root = rng.normal(size=(size, size))
        A = root @ root.T + 0.1 * np.eye(size)
        return cls(A, rng.normal(size=(5, size)), ripple * rng.normal(size=5), rng.uniform(0, 6, 5))

    def value_and_grad(self, x: np.ndarray) -> Evaluation:
        self.asked.append(x)
        phase = self.B @ x + self.c
        value = x @ self.A @ x / 2 + self.a @ np.sin(phase)
        return Evaluation(
            float(value), self.A @ x + self.B.T @ (self.a * np.cos(phase)), float(value)
        )


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 6),
    ripple=st.floats(0, 10),
    flatness=st.sampled_from([0.1, 0.9]),
    first=st.integers(-8, 8),
)
def test_an_accepted_point_meets_the_strong_wolfe_conditions(
    seed: int, size: int, ripple: float, flatness: float, first: int
) -> None:
    function = Function.drawn(seed, size, ripple)
    rng = np.random.default_rng(seed)
    x, direction = rng.normal(0, 3, size), rng.normal(size=size)
    value, grad, _ = function.value_and_grad(x)
    direction *= -np.sign(direction @ grad)
    end = search(Line(function, Point(x), direction, flatness), 10.0**first)
    slope = direction @ grad
    reached, there, _ = function.value_and_grad(x + end.length * direction)
    assert reached <= value + 1e-4 * end.length * slope
    assert abs(there @ direction) <= flatness * abs(slope)
    assert function.asked[-2] is end.params, "the accepted point is not the last one evaluated"
    assert len(function.asked) <= 2 + MOST_TRIALS + 1


@pytest.mark.parametrize(
    ("length", "value", "slope", "ends"),
    [
        (3.0, -0.5, -0.2, (1, 3)),  # fallen, but less than at 1: a minimum lies between
        (3.0, 0.5, -0.2, (1, 3)),
        (3.0, np.nan, np.nan, (1, 3)),
        (3.0, -1.5, 0.2, (3, 1)),  # fallen and rising again
        (3.0, -1.5, -0.2, (3, 5)),
    ],
)
def test_the_side_of_a_trial_that_holds_good_lengths(
    length: float, value: float, slope: float, ends: tuple[float, float]
) -> None:
    def trial(length: float, value: float, slope: float) -> Trial:
        return Trial(length, np.zeros(1), Evaluation(value, np.zeros(1), 0.0), slope)

    line = Line(Cliff(1, 0.0), Point(np.zeros(1)), np.ones(1), 0.9)
    line.start = trial(0, 0.0, -1.0)
    low, high = trial(1, -1.0, -1.0), trial(5, 1.0, 1.0)
    narrowed = line.narrowed(low, high, trial(length, value, slope))
    assert tuple(end.length for end in narrowed) == ends


def test_conditions_and_evaluations_of_a_parabola() -> None:
    # φ(α) = (α - 1)²/2: from a length far too small, the first cubic is the parabola itself.
    function = Function(np.eye(1), np.zeros((1, 1)), np.zeros(1), np.zeros(1))
    end = search(Line(function, Point(np.array([-1.0])), np.array([1.0]), 0.1), 0.2)
    assert end.length == pytest.approx(1, abs=1e-12)
    assert len(function.asked) == 3


@dataclass
class Cliff:
    """(x - 1)² up to an edge, and no number beyond."""

    edge: float
    beyond: float

    def value_and_grad(self, x: np.ndarray) -> Evaluation:
        value = float(((x - 1) ** 2).sum()) if x[0] < self.edge else self.beyond
        return Evaluation(value, 2 * (x - 1), value)


@pytest.mark.parametrize("beyond", [np.inf, np.nan, -np.inf])
def test_a_point_without_a_number_is_too_far(beyond: float) -> None:
    line = Line(Cliff(1.5, beyond), Point(np.zeros(1)), np.ones(1), 0.1)
    assert search(line, 1e9).length == pytest.approx(1, abs=0.1)


@dataclass
class Uphill:
    """x², whose gradient has the wrong sign."""

    asked: int = 0

    def value_and_grad(self, x: np.ndarray) -> Evaluation:
        self.asked += 1
        return Evaluation(float(x @ x), -2 * x, float(x @ x))


def test_no_way_down_is_said_after_a_bounded_number_of_trials() -> None:
    function, optimizer, x = Uphill(), Lbfgs(), np.ones(3)
    with pytest.raises(StepFailed, match="no lower loss in 25 trials") as caught:
        step(optimizer, function, x, optimizer.init(x), np.asarray(np.nan))
    assert caught.value.reason == "line_search"
    assert function.asked == 1 + MOST_TRIALS


def test_a_zero_gradient_is_said() -> None:
    function, optimizer, x = Uphill(), Lbfgs(), np.zeros(3)
    with pytest.raises(StepFailed, match="gradient is zero") as caught:
        step(optimizer, function, x, optimizer.init(x), np.asarray(np.nan))
    assert caught.value.reason == "zero_gradient"


class Kink:
    """|x - 1|, where no slope is flat enough."""

    def value_and_grad(self, x: np.ndarray) -> Evaluation:
        return Evaluation(float(abs(x - 1).sum()), np.sign(x - 1), 0.0)


@pytest.mark.parametrize("first", np.arange(0.05, 4, 0.13))
def test_at_a_kink_the_lowest_point_is_taken_with_what_is_known_there(first: float) -> None:
    kink = Kink()
    end = search(Line(kink, Point(np.array([-2.0])), np.array([1.0]), 0.9), first)
    assert 0 <= abs(end.length - 3) < 1e-6
    known = end.point.evaluation
    assert known is not None
    assert known.value == kink.value_and_grad(end.params).value


def test_where_losses_are_the_same_to_rounding_slopes_decide() -> None:
    # 1 + 1e-9 x²: from 1e-6 the loss cannot show the way to 0, the gradient can.
    asked = []

    class Flat:
        def value_and_grad(self, x: np.ndarray) -> Evaluation:
            asked.append(x)
            return Evaluation(float(1 + 1e-9 * x @ x), 2e-9 * x, 0.0)

    x = np.array([1e-6])
    end = search(Line(Flat(), Point(x), np.array([-1.0]), 0.1), 3e-7)
    assert abs(end.params[0]) <= 1e-12
    assert len(asked) == 3


def test_among_equal_losses_a_longer_gradient_is_no_progress() -> None:
    class Turning:
        def value_and_grad(self, x: np.ndarray) -> Evaluation:
            return Evaluation(1.0, np.array([1e-9, 0]) if x[0] == 0 else np.array([0, 2e-9]), 0.0)

    with pytest.raises(StepFailed):
        search(Line(Turning(), Point(np.zeros(2)), np.array([-1.0, 0]), 0.9), 1.0)


def test_a_flat_point_far_away_that_has_hardly_fallen_is_refused() -> None:
    # f = -tanh(1000 x) / 1000: f(20) = -0.001, where c1 α φ'(0) = -0.002.
    class Step:
        def value_and_grad(self, x: np.ndarray) -> Evaluation:
            (z,) = np.tanh(1000 * x)
            return Evaluation(float(-z / 1000), np.array([z**2 - 1]), 0.0)

    end = search(Line(Step(), Point(np.zeros(1)), np.ones(1), 0.9), 20.0)
    assert end.value <= -1e-4 * end.length


class Gutter:
    """x² + 100 |y|, whose gradient at y = 0 says nothing of y."""

    def value_and_grad(self, x: np.ndarray) -> Evaluation:
        return Evaluation(
            float(x[0] ** 2 + 100 * abs(x[1])), np.array([2 * x[0], 100 * np.sign(x[1])]), 0.0
        )


def test_a_memory_that_misleads_is_dropped() -> None:
    x, optimizer = np.array([1.0, 0]), ConjugateGradient()
    state = {**optimizer.init(x), "d": np.array([-1.0, 1]), "length": np.asarray(1.0)}
    end, _ = step(optimizer, Gutter(), x, {**state, "change": np.asarray(-1.0)}, np.asarray(np.nan))
    np.testing.assert_allclose(end, 0, atol=0.1)


@pytest.mark.parametrize("optimizer", [Bfgs(), Lbfgs(), ConjugateGradient()])
def test_where_a_step_ends_nothing_is_computed_again(optimizer: Optimizer) -> None:
    fit, calls = passes_counted(objective(CURVED))
    asked = passes_of_vectors(fit)
    point, state = Point(start(CURVED)), optimizer.init(start(CURVED))
    for _ in range(30):
        point, state = optimizer.step(fit, point, state, np.asarray(np.nan))
        assert point.evaluation is not None
        exact = fit.like().value_and_grad(point.params)
        calls.pop()  # that was ours
        assert point.evaluation.value == exact.value
        np.testing.assert_array_equal(point.evaluation.grad, exact.grad)
    assert len(calls) == len(asked) < 3 * 30


def passes_of_vectors(fit: NetworkObjective) -> set[bytes]:
    """A set that grows with every different vector that the objective is asked for."""
    asked: set[bytes] = set()
    real = fit.value_and_grad
    fit.value_and_grad = lambda params: (asked.add(params.tobytes()), real(params))[1]
    return asked
