"""What an optimizer is, and what its steps may ask of the objective that they lower."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network


class Evaluation(NamedTuple):
    """The objective and its gradient at one parameter vector, and the mean loss without L2."""

    value: float
    grad: Vector
    mean_loss: float


class GaussNewton(NamedTuple):
    """The objective, its gradient, and the Gauss-Newton approximation of its Hessian.

    With J the Jacobian of the residuals, rows times √w_i, and d_p 1 for weights, 0 for biases:

        hessian = scale · JᵀJ + c λ/n diag(d),     scale = 2 f c / Σ_i w_i

    where loss_i = f Σ_k r_ki². Nocedal & Wright 2006, Numerical Optimization, eq. 10.5 without its
    second term. Frozen biases have zero rows and columns, and gradient 0: a solver that adds to the
    diagonal leaves them where they are, any other should put 1 there first.
    """

    value: float
    grad: Vector
    hessian: Array
    scale: float


class Objective(Protocol):
    """What a step lowers. A vector that is handed over is never changed afterwards."""

    @property
    def network(self) -> Network:
        """The network whose parameters these are."""
        ...

    @property
    def n_rows(self) -> int:
        """The rows that an evaluation goes over."""
        ...

    def value(self, params: Vector) -> complex | float:
        """The objective."""
        ...

    def grad(self, params: Vector) -> Vector:
        """∂objective/∂params."""
        ...

    def value_and_grad(self, params: Vector) -> Evaluation:
        """Both, in one pass."""
        ...

    def gauss_newton(self, params: Vector, known: Evaluation | None = None) -> GaussNewton:
        """The Gauss-Newton matrix, with value and gradient, which need not be computed if known."""
        ...


class Point:
    """Parameters, and the value and gradient of an objective there if they are known.

    A step is handed what the one before it has found out, and hands on what it knows of its end.
    A point never changes. A `NamedTuple` takes 0.2 µs longer to make, 4 % of a tiny epoch.
    """

    __slots__ = ("evaluation", "params")

    def __init__(self, params: Vector, evaluation: Evaluation | None = None) -> None:
        self.params = params
        self.evaluation = evaluation

    def evaluate(self, objective: Objective) -> Evaluation:
        """Value and gradient there, computed unless they are known."""
        return self.evaluation or objective.value_and_grad(self.params)

    def grad(self, objective: Objective) -> Vector:
        """The gradient there, computed unless it is known."""
        return objective.grad(self.params) if self.evaluation is None else self.evaluation.grad


State: TypeAlias = Mapping[str, Array]
"""What an optimizer carries from step to step, by name; a number is an array of shape ()."""

Bounds: TypeAlias = tuple[float, float]
"""The least and the largest value of a number, both allowed."""

COUNT: Bounds = (0, 2**53)
POSITIVE: Bounds = (math.ulp(0.0), np.finfo(np.float64).max)

STATES_IN_USE = 3
"""The state at the last epoch known to be good, before a step and after it."""


class StepFailed(Exception):
    """No step that lowers the objective was found: training ends here.

    `reason` is the name of the stop reason, such as `line_search`; the message is one sentence on
    what was tried.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Optimizer:
    """Lowers an objective step by step."""

    formulas: ClassVar[tuple[str, ...]] = ()
    """What a step does, a line each, in words of which a reader may replace the options."""

    notation: ClassVar[str] = ""
    """What the letters of `formulas` stand for, and how those are chosen that need a rule."""

    default_learning_rate: ClassVar[float | None] = None
    """What `training.learning_rate` is unless given; None for an optimizer that has none."""

    changes_its_rate: ClassVar[bool] = False
    """Whether its steps change the learning rate, so that what is given is the first alone."""

    full_batch_because: ClassVar[str | None] = "its steps compare losses over the same rows"
    """Why every step needs all rows; None for an optimizer that can do with mini-batches."""

    needs_sum_of_squares: ClassVar[bool] = False
    """Whether it lowers sums of squared residuals alone, by their `gauss_newton` matrix."""

    finds_l2: ClassVar[bool] = False
    """Whether it finds the strength of weight decay itself, so that `training.l2` must be 0."""

    def init(self, params: Vector) -> State:
        """The state before the first step."""
        raise NotImplementedError

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        """The bounds of numbers in the state, which a state that was saved must keep, too."""
        return {}

    def step(
        self, objective: Objective, here: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        """One update: a new point and new state; the old ones are left as they are.

        The learning rate is an array of shape () in the dtype of the parameters; one without
        meaning for an optimizer that has none. Raises `StepFailed` where there is no way down.
        """
        raise NotImplementedError

    def memory_bytes(self, n_params: int, itemsize: int) -> int:
        """What training needs for it beyond a few vectors: its states, and matrices to solve."""
        return 0

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        """What the log shows of the state after an epoch: the learning rate, or what stands for it.

        `learning_rate` is what the next step is given. The same keys for every state.
        """
        return {} if learning_rate is None else {"learning_rate": learning_rate}


_AT_ONCE = 2**18


def dot(a: Vector, b: Vector) -> float:
    """aᵀb in double precision: in single precision, squares below 1e-38 are zero.

    Some entries at a time: double precision of all would take twice the memory of the vectors.
    """
    if a.dtype == b.dtype == np.float64:
        return float(a @ b)
    pieces = (slice(start, start + _AT_ONCE) for start in range(0, len(a), _AT_ONCE))
    return sum(float(a[piece].astype(np.float64) @ b[piece].astype(np.float64)) for piece in pieces)


def norm(a: Vector) -> float:
    """The Euclidean norm."""
    return math.sqrt(dot(a, a))


_LEAST_SQUARE = 1e-290
"""Products of smaller numbers than its root lose digits in double precision, and then vanish."""


def square_of_gradient(grad: Vector) -> float:
    """gᵀg. Raises `StepFailed` where that is zero or infinite, so that g shows no way to go."""
    square = dot(grad, grad)
    if square < _LEAST_SQUARE:
        raise StepFailed("zero_gradient", "The gradient is zero: no direction leads down.")
    if not math.isfinite(square):
        raise StepFailed(
            "infinite_gradient",
            "The gradient's square is infinite: look at the scale of the data (`data.scale`).",
        )
    return square
