"""Proof of a gradient: the analytic one against two numerical ones, tensor by tensor.

The complex step (Squire & Trapp 1998, SIAM Rev. 40, 110) differentiates the forward pass without
cancellation, so a right gradient agrees to rounding:

    ∂f/∂p_i = Im f(p + i h e_i) / h,  h = 1e-30

Central differences, (f(p + h e_i) - f(p - h e_i)) / 2h, agree to about h² and need no complex
numbers: they corroborate. Both mean nothing where the function has a kink, so an entry whose ±h
moves any unit, or any residual, to another smooth piece is skipped and counted.
"""

from __future__ import annotations

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
    over the largest entry, `central_error` as `error` for central differences. `allowed_error`
    says how far rounding alone may take `error`.
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


@dataclass(frozen=True)
class Tolerance:
    """How far apart two right gradients may be: relative to their norm, plus `rounding`.

    Where rows cancel (at a minimum) or units are saturated the gradient is small, but its
    rounding is that of the larger terms it came from.
    """

    relative: float
    rounding: float = 0.0

    def for_norm(self, norm: float) -> float:
        return self.relative + (self.rounding / norm if norm else np.inf if self.rounding else 0)


class PieceWatch:
    """Tells whether p ± h e_i lie on the same smooth piece of the loss as a function of p."""

    def __init__(self, network: Network, inputs: Array, targets: Array) -> None:
        self._network = network
        self._work = Workspace(network, np.dtype(np.float64))
        self._work.fit(inputs.shape[1])
        self._inputs = inputs
        self._targets = targets

    def is_crossed(self, params: Vector, entry: int) -> bool:
        """True when the two ends of the central difference lie on different pieces."""
        ends = [self._pieces(moved(params, entry, step)) for step in (-CENTRAL_STEP, CENTRAL_STEP)]
        return ends[0] != ends[1]

    def _pieces(self, params: Vector) -> list[bytes]:
        self._work.params[:] = params
        forward(self._work, self._inputs)
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


def central_difference(function: Function, params: Vector, entry: int) -> float:
    """∂f/∂p_i, to about h² f'''."""
    ahead = function(moved(params, entry, CENTRAL_STEP))
    behind = function(moved(params, entry, -CENTRAL_STEP))
    return (ahead - behind).real / (2 * CENTRAL_STEP)


def choose_entries(network: Network, most: int | None, rng: np.random.Generator) -> Vector:
    """True for the entries to check: all trained ones, or at most `most` of each tensor."""
    chosen = np.zeros(network.n_params, dtype=bool)
    for _, tensor in network.tensors(chosen):
        picked = rng.permutation(tensor.size)[:most]
        tensor[np.unravel_index(picked, tensor.shape)] = True
    chosen[network.frozen] = False
    return chosen


def check_tensors(
    term: str,
    network: Network,
    function: Function,
    grad: Vector,
    params: Vector,
    chosen: Vector,
    watch: PieceWatch | None,
    rounding: float,
) -> list[TensorCheck]:
    """Check `grad` against the numerical derivatives of `function` at the chosen entries."""
    skipped = np.zeros_like(chosen)
    exact, central = np.zeros_like(params), np.zeros_like(params)
    for entry in np.flatnonzero(chosen).tolist():
        if watch is not None and watch.is_crossed(params, entry):
            skipped[entry] = True
            continue
        exact[entry] = complex_step(function, params, entry)
        central[entry] = central_difference(function, params, entry)
    tolerances = (
        Tolerance(COMPLEX_TOLERANCE, 64 * np.finfo(float).eps * rounding),
        Tolerance(
            CENTRAL_TOLERANCE,
            np.finfo(float).eps * (abs(function(params)) + rounding) / CENTRAL_STEP * 16,
        ),
    )
    vectors = (chosen & ~skipped, skipped, grad, exact, central)
    named = zip(*(network.tensors(vector) for vector in vectors), strict=True)
    return [
        _tensor_check(term, views[0][0], [view for _, view in views], tolerances)
        for views in named
        if (views[0][1] | views[1][1]).any()
    ]


def _tensor_check(
    term: str, name: str, views: list[Array], tolerances: tuple[Tolerance, Tolerance]
) -> TensorCheck:
    checked, skipped, grad, exact, central = views
    index = np.argwhere(checked)
    analytic, numeric, corroborating = grad[checked], exact[checked], central[checked]
    norm = float(np.linalg.norm(numeric))
    difference = np.abs(analytic - numeric)
    worst = int(difference.argmax()) if len(difference) else None
    return TensorCheck(
        term=term,
        tensor=name,
        shape=grad.shape,
        checked=len(difference),
        skipped=int(skipped.sum()),
        error=_relative(difference, numeric),
        largest_error=_relative(difference, numeric, np.inf),
        central_error=_relative(analytic - corroborating, numeric),
        allowed_error=tolerances[0].for_norm(norm),
        allowed_central_error=tolerances[1].for_norm(norm),
        worst_entry="" if worst is None else _entry_name(name, index[worst]),
        analytic=0.0 if worst is None else float(analytic[worst]),
        numeric=0.0 if worst is None else float(numeric[worst]),
        ratio=_constant_ratio(analytic, numeric),
    )


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
