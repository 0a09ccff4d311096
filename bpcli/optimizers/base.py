"""The base class of all optimizers, and the protocol of the objective that their steps lower."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network


class Losses(NamedTuple):
    """The objective at one parameter vector, and the mean loss without L2."""

    value: float
    mean_loss: float


class Evaluation(NamedTuple):
    """The objective and its gradient at one parameter vector, and the mean loss without L2."""

    value: float
    grad: Vector
    mean_loss: float


class GaussNewton(NamedTuple):
    """The gradient of the objective, and the Gauss-Newton approximation of its Hessian.

    With J the Jacobian of the residuals r, both times √w_i, and d_p 1 for weights, 0 for biases:

        grad = scale · Jᵀr + c λ/n d params
        hessian = scale · JᵀJ + c λ/n diag(d),     scale = 2 f c / Σ_i w_i

    where loss_i = f Σ_k r_ki². The next call may overwrite the matrix. Nocedal & Wright 2006,
    Numerical Optimization, eq. 10.5 without its second term. Frozen biases have zero rows and
    columns, and gradient 0: a solver that adds to the diagonal leaves them unchanged; any other
    solver should set their diagonal entries to 1 first.
    """

    grad: Vector
    hessian: Array
    scale: float


class Objective(Protocol):
    """The function that a step lowers.

    A vector that was passed to it, or returned by it, is never changed in place afterwards.
    """

    @property
    def network(self) -> Network:
        """The network that the parameters belong to."""
        ...

    @property
    def n_rows(self) -> int:
        """The number of rows in one evaluation."""
        ...

    def value(self, params: Vector) -> complex | float:
        """The objective."""
        ...

    def losses(self, params: Vector) -> Losses:
        """The objective and the mean loss, from a forward pass."""
        ...

    def grad(self, params: Vector) -> Vector:
        """∂objective/∂params."""
        ...

    def value_and_grad(self, params: Vector) -> Evaluation:
        """The objective and its gradient, in one pass."""
        ...

    def gauss_newton(self, params: Vector) -> GaussNewton:
        """The gradient and the Gauss-Newton matrix, from one pass."""
        ...

    @property
    def gauss_newton_scale(self) -> float:
        """The factor of JᵀJ in the Gauss-Newton matrix."""
        ...

    def gauss_newton_product(self, params: Vector, direction: Vector) -> Vector:
        """The Gauss-Newton matrix times a direction, without the matrix."""
        ...


class Point:
    """Parameters, with the objective's value there, and its gradient, as far as they are known.

    A step takes a point and returns the next one, with what it has computed there. A point never
    changes. It is not a `NamedTuple`, which takes 0.2 µs longer to make, 4 % of a tiny epoch.
    """

    __slots__ = ("evaluation", "known", "params")

    def __init__(
        self, params: Vector, evaluation: Evaluation | None = None, losses: Losses | None = None
    ) -> None:
        self.params = params
        self.evaluation = evaluation
        self.known = evaluation or losses

    def losses(self, objective: Objective) -> Losses | Evaluation:
        """The losses at this point, computed unless they are known."""
        return self.known or objective.losses(self.params)

    def evaluate(self, objective: Objective) -> Evaluation:
        """Value and gradient at this point, computed unless they are known."""
        return self.evaluation or objective.value_and_grad(self.params)

    def grad(self, objective: Objective) -> Vector:
        """The gradient at this point, computed unless it is known."""
        return objective.grad(self.params) if self.evaluation is None else self.evaluation.grad


State: TypeAlias = Mapping[str, Array]
"""What an optimizer keeps between steps, by name; a number is an array of shape ()."""

Bounds: TypeAlias = tuple[float, float]
"""The smallest and the largest allowed value of a number."""

COUNT: Bounds = (0, 2**53)
POSITIVE: Bounds = (math.ulp(0.0), np.finfo(np.float64).max)

STATES_IN_USE = 3
"""The state of the last epoch whose loss was finite, the state before a step and the one after."""


class StepFailed(Exception):
    """No step that lowers the objective was found: training ends.

    `reason` names the stop reason, such as `line_search`; the message is one sentence that says
    what was tried.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Optimizer:
    """Lowers an objective step by step."""

    formulas: ClassVar[tuple[str, ...]] = ()
    """What a step does, one formula per line. The names of options may be replaced by values."""

    notation: ClassVar[str] = ""
    """What the symbols of `formulas` mean, and how the less obvious ones are chosen."""

    default_learning_rate: ClassVar[float | None] = None
    """The default of `training.learning_rate`; None for an optimizer without a learning rate."""

    mini_batch_learning_rate: ClassVar[float | None] = None
    """The default for mini-batches, if it differs from that for the full batch."""

    changes_its_rate: ClassVar[bool] = False
    """Whether its steps change the learning rate, so that the given rate is only the first."""

    full_batch_because: ClassVar[str | None] = "its steps compare losses over the same rows"
    """Why every step needs all rows; None for an optimizer that supports mini-batches."""

    needs_sum_of_squares: ClassVar[bool] = False
    """Whether it needs the Gauss-Newton matrix, which only sums of squared residuals have."""

    finds_l2: ClassVar[bool] = False
    """Whether it chooses the strength of weight decay itself, so that `training.l2` must be 0."""

    @classmethod
    def default_rate(cls, *, is_full_batch: bool) -> float | None:
        """The default of `training.learning_rate` for the full batch, or for mini-batches."""
        if is_full_batch or cls.mini_batch_learning_rate is None:
            return cls.default_learning_rate
        return cls.mini_batch_learning_rate

    def init(self, params: Vector) -> State:
        """The state before the first step."""
        raise NotImplementedError

    @property
    def needs_matrix(self) -> bool:
        """Whether it needs the Gauss-Newton matrix itself, not only its products with vectors."""
        return self.needs_sum_of_squares

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        """The bounds of numbers in the state; a saved state is checked against them."""
        return {}

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        """Make one update: return a new point and a new state, and leave the old ones unchanged.

        The learning rate is an array of shape () in the dtype of the parameters. Optimizers without
        a learning rate ignore it. Raises `StepFailed` if no step lowers the objective.
        """
        raise NotImplementedError

    def memory_bytes(self, n_params: int, itemsize: int) -> int:
        """The memory of its states and of the matrices it solves, beyond a few vectors."""
        return 0

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        """The numbers of the state that the log shows after an epoch, such as the learning rate.

        `learning_rate` is that of the next step. Every state has the same keys.
        """
        return {} if learning_rate is None else {"learning_rate": learning_rate}


_ENTRIES_AT_ONCE = 2**18


def dot(a: Vector, b: Vector) -> float:
    """aᵀb in double precision: in single precision, squares below 1e-38 are zero.

    Converts some entries at a time: all at once would take twice the memory of the vectors.
    """
    if a.dtype == b.dtype == np.float64:
        return float(a @ b)
    return float(products(a[np.newaxis], b)[0])


def products(rows: Array, vector: Vector) -> Vector:
    """The `dot` of each row with the vector."""
    if rows.dtype == vector.dtype == np.float64:
        return rows @ vector
    size = max(1, _ENTRIES_AT_ONCE // len(rows))
    total = np.zeros(len(rows))
    for start in range(0, len(vector), size):
        piece = slice(start, start + size)
        total += rows[:, piece].astype(np.float64) @ vector[piece].astype(np.float64)
    return total


def norm(a: Vector) -> float:
    """The Euclidean norm."""
    return math.sqrt(dot(a, a))


_EQUAL_UNITS = 4.0
"""Losses that differ by fewer units of rounding than this count as equal."""


def rounding(value: float, dtype: np.dtype) -> float:
    """The difference up to which two losses of about this value, in this precision, are equal."""
    return _EQUAL_UNITS * float(np.finfo(dtype).eps) * abs(value)


ZERO_GRADIENT = "zero_gradient"
"""The stop reason where the gradient is zero, or has vanished."""

_LEAST_SQUARE = 1e-290
"""Below this, squares lose digits in double precision."""


def square_of_gradient(grad: Vector) -> float:
    """gᵀg. Raises `StepFailed` if it is zero or infinite, since g then gives no direction."""
    square = dot(grad, grad)
    if square < _LEAST_SQUARE:
        raise StepFailed(ZERO_GRADIENT, "The gradient is zero: no direction lowers the loss.")
    if not math.isfinite(square):
        raise StepFailed(
            "infinite_gradient",
            "The square of the gradient is infinite: check the scale of the data (`data.scale`).",
        )
    return square
