"""The errors of an analytic derivative against a numerical one, and the allowed errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Array

COMPLEX_TOLERANCE = 1e-13
CENTRAL_TOLERANCE = 1e-6
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class TensorCheck:
    """The errors of the analytic gradient of one tensor against the numerical ones.

    `error` is ‖analytic - complex step‖ / ‖complex step‖, `largest_error` the largest difference
    over the largest entry, `central_error` is like `error` for central differences, or None if
    these were not computed. If rows cancel (at a minimum) or units are saturated, the gradient is
    small, but its rounding errors are those of the larger terms of its sum, so larger errors are
    allowed. For the Hessian, `error` is the relative difference of u·H v and v·H u.
    """

    term: str
    tensor: str
    shape: tuple[int, ...]
    checked: int
    skipped: int
    error: float
    largest_error: float
    central_error: float | None
    allowed_error: float
    allowed_central_error: float
    worst_entry: str
    analytic: float
    numeric: float
    ratio: float | None

    @property
    def passed(self) -> bool:
        central = 0.0 if self.central_error is None else self.central_error
        return self.error <= self.allowed_error and central <= self.allowed_central_error

    @property
    def is_blind(self) -> bool:
        """Whether it passed only because the gradient is below its possible rounding error."""
        return self.passed and 1 <= self.allowed_error < math.inf


class ExactErrors(NamedTuple):
    """Fields of a `TensorCheck`: the errors against a reference that is exact up to rounding."""

    error: float
    largest_error: float
    allowed_error: float

    @classmethod
    def of(cls, difference: Array, exact: Array, rounding: float) -> ExactErrors:
        """`rounding` is the largest norm of a difference that rounding may cause."""
        return cls(
            relative_error(difference, exact),
            relative_error(difference, exact, np.inf),
            _allowed_error(COMPLEX_TOLERANCE, rounding, difference, exact),
        )


class CentralErrors(NamedTuple):
    """Fields of a `TensorCheck`: the errors against central differences."""

    central_error: float | None = None
    allowed_central_error: float = 0.0

    @classmethod
    def of(
        cls, analytic: Array, exact: Array, central: Array, doubled: Array, rounding: float
    ) -> CentralErrors:
        """`doubled` are central differences with twice the step, to bound the truncation error."""
        difference, truncation = analytic - central, norm(doubled - central)
        allowed = _allowed_error(CENTRAL_TOLERANCE, truncation + rounding, difference, exact)
        return cls(relative_error(difference, exact), allowed)


def _allowed_error(tolerance: float, absolute: float, difference: Array, exact: Array) -> float:
    """The largest relative error that a correct derivative may have.

    If the exact one is 0, the relative error is infinite; it is allowed for a small difference.
    """
    size = norm(exact)
    if size:
        return tolerance + absolute / size
    return math.inf if norm(difference) <= absolute else 0.0


def relative_error(difference: Array, reference: Array, order: float | None = None) -> float:
    """The norm of the difference over that of the reference; infinite if only the second is 0."""
    size, error = norm(reference, order), norm(difference, order)
    if size:
        return error / size
    return math.inf if error else 0.0


def norm(values: Array, order: float | None = None) -> float:
    """The norm of all values, scaled so that their squares do not overflow."""
    largest = float(np.abs(values).max(initial=0))
    if not 0 < largest < math.inf:
        return largest
    return float(np.linalg.norm((values / largest).ravel(), order)) * largest


def constant_ratio(analytic: Array, numeric: Array) -> float | None:
    """The ratio analytic / numeric if it is the same for the whole tensor, else None."""
    size = norm(numeric)
    if not size:
        return None
    direction = numeric / size
    ratio = float((analytic / size).dot(direction))
    deviation = norm(analytic - ratio * numeric)
    return ratio if ratio and deviation <= 1e-6 * abs(ratio) * size else None
