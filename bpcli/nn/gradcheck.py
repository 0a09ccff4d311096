"""Proof of a gradient: the analytic one against two numerical ones, tensor by tensor.

The complex step (Squire & Trapp 1998, SIAM Rev. 40, 110) differentiates the forward pass without
cancellation, so a right gradient agrees to rounding:

    ∂f/∂p_i = Im f(p + i h e_i) / h,  h = 1e-30

Central differences, (f(p + h e_i) - f(p - h e_i)) / 2h, need no complex numbers: they corroborate.
Their step is chosen so that z moves by 6e-6 at most, and their error is judged against what
doubling the step changes. Both methods mean nothing where the function has a kink, so an entry
whose step moves any unit, or any residual, to another smooth piece is skipped and counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, forward

Function: TypeAlias = Callable[[Vector], complex | float]

COMPLEX_STEP = 1e-30
CENTRAL_STEP = 6e-6
COMPLEX_TOLERANCE = 1e-13
CENTRAL_TOLERANCE = 1e-6


@dataclass(frozen=True)
class TensorCheck:
    """How far the analytic gradient of one tensor is from the numerical ones.

    `error` is ‖analytic - complex step‖ / ‖complex step‖, `largest_error` the largest difference
    over the largest entry, `central_error` as `error` for central differences. Where rows cancel
    (at a minimum) or units are saturated the gradient is small, but its rounding is that of the
    larger terms it came from: the allowed errors are wider there.
    """

    term: str
    tensor: str
    shape: tuple[int, ...]
    checked: int
    skipped: int
    error: float
    largest_error: float
    central_error: float
    allowed_error: float
    allowed_central_error: float
    worst_entry: str
    analytic: float
    numeric: float
    ratio: float | None

    @property
    def passed(self) -> bool:
        agrees = self.error <= self.allowed_error
        return bool(agrees and self.central_error <= self.allowed_central_error)


class Surroundings:
    """How far a parameter may be moved, and whether that crosses a kink of the loss."""

    def __init__(self, network: Network, inputs: Array, targets: Array) -> None:
        self._network = network
        self._params = np.empty(network.n_params)
        self._work = Workspace(network, self._params)
        self._work.fit(inputs.shape[1])
        self._inputs = inputs
        self._targets = targets

    def central_steps(self, params: Vector) -> Vector:
        """A step for every parameter that moves its z by `CENTRAL_STEP` at most.

        An entry of W[l] moves z[l] by the step times an entry of a[l-1], which may be large.
        """
        self._forward(params)
        steps = np.empty(len(params))
        layers = zip(self._work.layers, self._network.matrices(steps), strict=True)
        for layer, matrix in layers:
            matrix[:] = CENTRAL_STEP / np.maximum(1, np.abs(layer.below).max(axis=1))
        return steps

    def size_of_terms(self, params: Vector) -> float:
        """A bound on what the gradient of the mean loss is a sum of: rounding is relative to it.

        Products of absolute values with f' taken as 1, its largest, and |a| + |y| as the delta
        that their difference makes: where units are saturated, or outputs right, or rows cancel,
        the gradient itself is much smaller.
        """
        self._forward(params)
        squares = 0.0
        below = np.abs(self._work.layers[-1].a) + np.abs(self._targets)
        for layer in reversed(self._work.layers):
            delta = np.repeat(below, layer.activation.rows_per_unit, axis=0)
            squares += float(((delta @ np.abs(layer.below).T) ** 2).sum())
            below = np.abs(layer.W).T @ delta
        return math.sqrt(squares) / float(self._inputs.shape[1])

    def has_kink(self, params: Vector, entry: int, step: float) -> bool:
        """True when p ± step e_i lie on different smooth pieces."""
        behind, ahead = (self._pieces(moved(params, entry, by)) for by in (-step, step))
        return behind != ahead

    def _forward(self, params: Vector) -> None:
        self._params[:] = params
        forward(self._work, self._inputs)

    def _pieces(self, params: Vector) -> list[bytes]:
        self._forward(params)
        found = [layer.activation.pieces_of(layer.z) for layer in self._work.layers]
        found.append(self._network.loss.pieces_of(self._work.layers[-1].a, self._targets))
        return [pieces.tobytes() for pieces in found if pieces is not None]


def moved(params: Vector, entry: int, step: complex | float) -> Vector:
    """A copy of the parameters with one entry moved."""
    copy = params.astype(np.result_type(params, step))
    copy[entry] += step
    return copy


def complex_step(function: Function, params: Vector, entry: int) -> float:
    """∂f/∂p_i, exact to rounding."""
    return function(moved(params, entry, 1j * COMPLEX_STEP)).imag / COMPLEX_STEP


def central_difference(function: Function, params: Vector, entry: int, step: float) -> float:
    """∂f/∂p_i, but for an error that is quadratic in the step."""
    ahead = function(moved(params, entry, step))
    behind = function(moved(params, entry, -step))
    return (ahead - behind).real / (2 * step)


def choose_entries(network: Network, most: int | None, rng: np.random.Generator) -> Vector:
    """True for the entries to check: all trained ones, or at most `most` of each tensor."""
    chosen = np.zeros(network.n_params, dtype=bool)
    for _, tensor in network.tensors(chosen):
        picked = rng.permutation(tensor.size)[:most]
        tensor[np.unravel_index(picked, tensor.shape)] = True
    chosen[network.frozen] = False
    return chosen


@dataclass(frozen=True)
class _Derivatives:
    """Derivatives by every parameter: analytic, by the complex step, and by central differences.

    `doubled` are central differences of twice the step; entries not `checked` are 0.
    """

    checked: Array
    skipped: Array
    analytic: Array
    exact: Array
    central: Array
    doubled: Array


def check_tensors(
    term: str,
    network: Network,
    function: Function,
    grad: Vector,
    params: Vector,
    chosen: Vector,
    surroundings: Surroundings,
    size_of_terms: float,
    has_kinks: bool = True,
) -> list[TensorCheck]:
    """Check `grad` against the numerical derivatives of `function` at the chosen entries.

    `size_of_terms` is the size of what the gradient is a sum of: rounding is relative to that.
    `has_kinks` tells whether the network's kinks are the function's.
    """
    steps = surroundings.central_steps(params)
    watch = surroundings if has_kinks else None
    derivatives = _differentiate(function, grad, params, chosen, watch, steps)
    eps = float(np.finfo(np.float64).eps)
    rounding = 64 * eps * size_of_terms + COMPLEX_STEP  # where all is 0, the step's own square
    central_rounding = 16 * eps * (abs(function(params)) + size_of_terms) / float(steps.min())
    named = zip(*(network.tensors(vector) for vector in vars(derivatives).values()), strict=True)
    return [
        _tensor_check(
            term,
            views[0][0],
            _Derivatives(*(view for _, view in views)),
            rounding,
            central_rounding,
        )
        for views in named
        if (views[0][1] | views[1][1]).any()
    ]


def _differentiate(
    function: Function,
    grad: Vector,
    params: Vector,
    chosen: Vector,
    watch: Surroundings | None,
    steps: Vector,
) -> _Derivatives:
    skipped = np.zeros_like(chosen)
    exact, central, doubled = (np.zeros_like(params) for _ in range(3))
    for entry in np.flatnonzero(chosen).tolist():
        step = float(steps[entry])
        if watch is not None and watch.has_kink(params, entry, 2 * step):
            skipped[entry] = True
            continue
        exact[entry] = complex_step(function, params, entry)
        central[entry] = central_difference(function, params, entry, step)
        doubled[entry] = central_difference(function, params, entry, 2 * step)
        if not np.isfinite([exact[entry], central[entry], doubled[entry]]).all():
            skipped[entry] = True
            exact[entry] = central[entry] = doubled[entry] = 0
    return _Derivatives(chosen & ~skipped, skipped, grad, exact, central, doubled)


def _tensor_check(
    term: str, name: str, found: _Derivatives, rounding: float, central_rounding: float
) -> TensorCheck:
    analytic, exact, central, doubled = (
        array[found.checked]
        for array in (found.analytic, found.exact, found.central, found.doubled)
    )
    truncation = float(np.linalg.norm(doubled - central))
    difference = np.abs(analytic - exact)
    worst = int(difference.argmax()) if len(difference) else None
    index = np.argwhere(found.checked)
    return TensorCheck(
        term=term,
        tensor=name,
        shape=found.analytic.shape,
        checked=len(difference),
        skipped=int(found.skipped.sum()),
        error=_relative(difference, exact),
        largest_error=_relative(difference, exact, np.inf),
        central_error=_relative(analytic - central, exact),
        allowed_error=_allowed(COMPLEX_TOLERANCE, rounding, difference, exact),
        allowed_central_error=_allowed(
            CENTRAL_TOLERANCE, truncation + central_rounding, analytic - central, exact
        ),
        worst_entry="" if worst is None else _entry_name(name, index[worst]),
        analytic=0.0 if worst is None else float(analytic[worst]),
        numeric=0.0 if worst is None else float(exact[worst]),
        ratio=_constant_ratio(analytic, exact),
    )


def _allowed(tolerance: float, absolute: float, difference: Array, exact: Array) -> float:
    """The largest relative error two right derivatives may have.

    Where the exact one is 0 no relative error is finite: it is right if the difference is small.
    """
    norm = float(np.linalg.norm(exact))
    if norm:
        return tolerance + absolute / norm
    return math.inf if np.linalg.norm(difference) <= absolute else 0.0


def _relative(difference: Array, reference: Array, order: float | None = None) -> float:
    """The norm of the difference over that of the reference; infinite where only that is 0."""
    norm = np.linalg.norm(reference, order) if reference.size else 0.0
    off = np.linalg.norm(difference, order) if difference.size else 0.0
    if norm:
        return float(off / norm)
    return np.inf if off else 0.0


def _entry_name(name: str, index: Array) -> str:
    """W1[2,3], counted from 1 as in the formulas."""
    return f"{name}[{','.join(str(i + 1) for i in index)}]"


def _constant_ratio(analytic: Array, numeric: Array) -> float | None:
    """The ratio analytic / numeric where it is one for the whole tensor, else None."""
    squared = float(numeric.dot(numeric))
    if not squared:
        return None
    ratio = float(analytic.dot(numeric)) / squared
    off = np.linalg.norm(analytic - ratio * numeric)
    return ratio if ratio and off <= 1e-6 * abs(ratio) * np.sqrt(squared) else None
