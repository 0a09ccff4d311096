"""Proof of derivatives: analytic ones against two numerical ones, tensor by tensor.

The complex step (Squire & Trapp 1998, SIAM Rev. 40, 110) differentiates the forward pass without
cancellation, so a right gradient agrees to rounding:

    ∂f/∂p_i = Im f(p + i h e_i) / h,  h = 1e-30

Central differences, (f(p + h e_i) - f(p - h e_i)) / 2h, need no complex numbers: they corroborate.
Their step is chosen so that z moves by 6e-6 at most, and their error is judged against what
doubling the step changes. Both methods mean nothing where the function has a kink, so an entry
whose step moves any unit, or any residual, to another smooth piece is skipped and counted.

The Jacobian of the residuals is held against their complex step, and products with the Hessian
against central differences of the gradient and against each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypedDict

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, forward

Function: TypeAlias = Callable[[Vector], complex | float]
VectorFunction: TypeAlias = Callable[[Vector], Array]

COMPLEX_STEP = 1e-30
CENTRAL_STEP = 6e-6
COMPLEX_TOLERANCE = 1e-13
CENTRAL_TOLERANCE = 1e-6
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class TensorCheck:
    """How far the analytic gradient of one tensor is from the numerical ones.

    `error` is ‖analytic - complex step‖ / ‖complex step‖, `largest_error` the largest difference
    over the largest entry, `central_error` as `error` for central differences. Where rows cancel
    (at a minimum) or units are saturated the gradient is small, but its rounding is that of the
    larger terms it came from: the allowed errors are wider there. `central_error` is None where
    central differences were not taken. Of the Hessian, `error` is that of its symmetry.
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
        """Whether it passed only as the gradient is smaller than what rounding may change."""
        return self.passed and 1 <= self.allowed_error < math.inf


class Surroundings:
    """How far a parameter may be moved, and whether that crosses a kink of the loss."""

    def __init__(self, network: Network, inputs: Array, targets: Array) -> None:
        self.network = network
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
        layers = zip(self._work.layers, self.network.matrices(steps), strict=True)
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
        top = np.abs(self._work.layers[-1].a) + np.abs(self._targets)
        return self._size(top) / float(self._inputs.shape[1])

    def size_of_jacobian(self, params: Vector) -> float:
        """The same for the Jacobian of the residuals, as a whole."""
        self._forward(params)
        return self._size(np.ones_like(self._work.layers[-1].a))

    def size_of_curvature(self, params: Vector, direction: Vector) -> float:
        """The same for the change of the gradient along a direction of length 1.

        The gradient's terms here and there, and as often again as a step moves any z.
        """
        there = self.size_of_terms(params + direction)
        here = self.size_of_terms(params)
        largest = max(float(np.abs(layer.below).max()) for layer in self._work.layers)
        return (here + there) * (1 + largest * float(np.abs(direction).sum()))

    def has_kink(self, params: Vector, step: Vector) -> bool:
        """True when params ± step lie on different smooth pieces."""
        return self._pieces(params - step) != self._pieces(params + step)

    def _size(self, top: Array) -> float:
        """The norm of Σ_samples |delta| |a| over all layers, from the output's |delta| down."""
        norms, below = [], top
        for layer in reversed(self._work.layers):
            delta = np.repeat(below, layer.activation.rows_per_unit, axis=0)
            norms.append(_norm(delta @ np.abs(layer.below).T))
            below = np.abs(layer.W).T @ delta
        return math.hypot(*norms)

    def _forward(self, params: Vector) -> None:
        self._params[:] = params
        forward(self._work, self._inputs)

    def _pieces(self, params: Vector) -> list[bytes]:
        self._forward(params)
        found = [layer.activation.linear_region(layer.z) for layer in self._work.layers]
        found.append(self.network.loss.linear_region(self._work.layers[-1].a, self._targets))
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
class Place:
    """Where derivatives are checked: at `params`, by the `chosen` entries that are not `kinked`.

    `steps` are those of the central differences.
    """

    network: Network
    params: Vector
    chosen: Vector
    kinked: Vector
    steps: Vector

    @classmethod
    def of(cls, surroundings: Surroundings, params: Vector, chosen: Vector) -> Place:
        """Looks for kinks within twice the steps."""
        steps, kinked = surroundings.central_steps(params), np.zeros_like(chosen)
        for entry in np.flatnonzero(chosen).tolist():
            step = moved(np.zeros_like(params), entry, 2 * float(steps[entry]))
            kinked[entry] = surroundings.has_kink(params, step)
        return cls(surroundings.network, params, chosen, kinked, steps)

    def without_kinks(self) -> Place:
        """The same for a function that has none."""
        return replace(self, kinked=np.zeros_like(self.kinked))

    @property
    def entries(self) -> Array:
        """The entries to differentiate by."""
        return np.flatnonzero(self.chosen & ~self.kinked)


class _CentralErrors(TypedDict):
    central_error: float | None
    allowed_central_error: float


@dataclass(frozen=True)
class _Derivatives:
    """Derivatives by some entries: analytic, by the complex step, and by central differences.

    Each entry has a number, or a row of them. `doubled` are central differences of twice the step.
    """

    entries: Array
    analytic: Array
    exact: Array
    central: Array | None = None
    doubled: Array | None = None

    def of(self, where: Any) -> _Derivatives:
        """Those by some of the entries."""
        arrays = (None if array is None else array[where] for array in vars(self).values())
        return _Derivatives(*arrays)  # type: ignore[arg-type]  # None only where it was


def check_tensors(
    term: str, place: Place, function: Function, grad: Vector, size_of_terms: float
) -> list[TensorCheck]:
    """Check `grad` against the numerical derivatives of `function`.

    `size_of_terms` is the size of what the gradient is a sum of: rounding is relative to that.
    """
    found = _differentiate(function, grad, place)
    size = abs(function(place.params)) + size_of_terms
    return _checks(term, place, found, size_of_terms, size)


def check_jacobian(
    term: str, place: Place, inputs: Array, J: Array, size_of_terms: float
) -> list[TensorCheck]:
    """Check J, a row for each of `place.entries`, against the complex step of the residuals.

    The targets do not matter: a and the residuals a - y have the same derivatives.
    """
    outputs, entries = _Outputs(place.network, inputs), place.entries
    exact = np.zeros_like(J)
    for row, entry in zip(exact, entries.tolist(), strict=True):
        row[...] = outputs(moved(place.params, entry, 1j * COMPLEX_STEP)).imag / COMPLEX_STEP
    found = _Derivatives(entries, J, exact).of(np.isfinite(exact).all(axis=(1, 2)))
    return _checks(term, place, found, size_of_terms, 0.0)


class _Outputs:
    """The outputs a[L] as a function of complex parameters, overwritten by the next call."""

    def __init__(self, network: Network, inputs: Array) -> None:
        self._params = np.empty(network.n_params, complex)
        self._work = Workspace(network, self._params)
        self._work.fit(inputs.shape[1])
        self._inputs = inputs

    def __call__(self, params: Vector) -> Array:
        self._params[:] = params
        forward(self._work, self._inputs)
        return self._work.layers[-1].a


@dataclass(frozen=True)
class _Curvature:
    """H u and H v, the latter also by central differences of the gradient, and of twice the step.

    All zeros where they are not to be compared.
    """

    is_checked: bool
    u: Vector
    v: Vector
    Hu: Vector
    Hv: Vector
    central: Vector
    doubled: Vector

    @property
    def asymmetry(self) -> Array:
        """u·H v - v·H u."""
        return np.array([self.u.dot(self.Hv) - self.v.dot(self.Hu)])


def check_hessian(
    term: str,
    place: Place,
    surroundings: Surroundings,
    grad: VectorFunction,
    product: Callable[[Vector, Vector], Vector],
    scale: float,
) -> TensorCheck:
    """Check `product(params, v)`, the Hessian times v, in two random directions u and v.

    H v against central differences of the gradient, and u·H v against v·H u, which must be equal:
    the derivative of a wrong gradient is seldom symmetric. The gradient is `scale` times that of
    the mean loss.
    """
    params, (u, v) = place.params, _directions(place.network)
    step = 1 / float((np.abs(v) / place.steps).sum())
    has_kink = surroundings.has_kink(params, 2 * step * v)
    products = product(params, u), product(params, v)
    changes = (_change(grad, params, v, by) for by in (step, 2 * step))
    found = _curvature(u, v, np.array([*products, *changes]), has_kink)
    rounding = 64 * _EPS * scale * surroundings.size_of_curvature(params, v)
    central_rounding = 16 * _EPS * scale * surroundings.size_of_terms(params) / step
    return _hessian_check(term, place.network, found, rounding, central_rounding)


def _curvature(u: Vector, v: Vector, found: Array, has_kink: bool) -> _Curvature:
    is_checked = not has_kink and bool(np.isfinite(found).all())
    return _Curvature(is_checked, u, v, *(found if is_checked else np.zeros_like(found)))


def _hessian_check(
    term: str, network: Network, found: _Curvature, rounding: float, central_rounding: float
) -> TensorCheck:
    count = network.n_params - len(network.frozen)
    longer = max(found.Hu, found.Hv, key=_norm)
    truncation = _norm(found.doubled - found.central)
    off = found.Hv - found.central
    return TensorCheck(
        term=term,
        tensor="H",
        shape=(network.n_params, network.n_params),
        checked=count if found.is_checked else 0,
        skipped=0 if found.is_checked else count,
        error=_relative(found.asymmetry, longer),
        largest_error=_relative(found.asymmetry, longer, np.inf),
        central_error=_relative(off, found.Hv),
        allowed_error=_allowed(COMPLEX_TOLERANCE, rounding, found.asymmetry, longer),
        allowed_central_error=_allowed(
            CENTRAL_TOLERANCE, truncation + central_rounding, off, found.Hv
        ),
        worst_entry="u·H v",
        analytic=float(found.u.dot(found.Hv)),
        numeric=float(found.v.dot(found.Hu)),
        ratio=None,
    )


def _directions(network: Network) -> tuple[Vector, Vector]:
    """Two random vectors of length 1 that leave frozen biases alone."""
    pair = np.random.default_rng(0).normal(size=(2, network.n_params))
    pair[:, network.frozen] = 0
    u, v = pair / np.linalg.norm(pair, axis=1, keepdims=True)
    return u, v


def _change(grad: VectorFunction, params: Vector, direction: Vector, step: float) -> Vector:
    """The central difference of the gradient along a direction."""
    ahead, behind = (grad(params + by * direction) for by in (step, -step))
    change: Vector = (ahead - behind) / (2 * step)
    return change


def _differentiate(function: Function, grad: Vector, place: Place) -> _Derivatives:
    """By the entries where all derivatives are finite."""
    entries, params = place.entries, place.params
    exact, central, doubled = (np.zeros(len(entries)) for _ in range(3))
    for at, entry in enumerate(entries.tolist()):
        step = float(place.steps[entry])
        exact[at] = complex_step(function, params, entry)
        central[at] = central_difference(function, params, entry, step)
        doubled[at] = central_difference(function, params, entry, 2 * step)
    is_finite = np.isfinite([exact, central, doubled]).all(axis=0)
    return _Derivatives(entries, grad[entries], exact, central, doubled).of(is_finite)


def _checks(
    term: str, place: Place, found: _Derivatives, size_of_terms: float, value_size: float
) -> list[TensorCheck]:
    """One for each tensor that has chosen entries."""
    rounding = 64 * _EPS * size_of_terms + COMPLEX_STEP  # where all is 0, the step's own square
    central_rounding = 16 * _EPS * value_size / float(place.steps.min())
    tensors = place.network.tensors(np.arange(place.network.n_params))
    return [
        _tensor_check(
            term, name, index, chosen, found.of(np.isin(found.entries, index)),
            rounding, central_rounding,
        )
        for name, index in tensors
        if (chosen := int(place.chosen[index].sum()))
    ]  # fmt: skip


def _tensor_check(
    term: str,
    name: str,
    index: Array,
    chosen: int,
    found: _Derivatives,
    rounding: float,
    central_rounding: float,
) -> TensorCheck:
    """The check of one tensor, whose entries stand at `index` in the parameters."""
    analytic, exact = found.analytic.ravel(), found.exact.ravel()
    difference = np.abs(analytic - exact)
    checked = len(found.entries)
    worst = int(difference.argmax()) if len(difference) else None
    return TensorCheck(
        term=term,
        tensor=name,
        shape=index.shape,
        checked=checked,
        skipped=chosen - checked,
        error=_relative(difference, exact),
        largest_error=_relative(difference, exact, np.inf),
        allowed_error=_allowed(COMPLEX_TOLERANCE, rounding, difference, exact),
        **_central_errors(found, central_rounding),
        worst_entry="" if worst is None else _entry_name(name, index, found, worst),
        analytic=0.0 if worst is None else float(analytic[worst]),
        numeric=0.0 if worst is None else float(exact[worst]),
        ratio=_constant_ratio(analytic, exact),
    )


def _central_errors(found: _Derivatives, rounding: float) -> _CentralErrors:
    if found.central is None or found.doubled is None:
        return {"central_error": None, "allowed_central_error": 0.0}
    off = found.analytic - found.central
    truncation = _norm(found.doubled - found.central)
    return {
        "central_error": _relative(off, found.exact),
        "allowed_central_error": _allowed(
            CENTRAL_TOLERANCE, truncation + rounding, off, found.exact
        ),
    }


def _allowed(tolerance: float, absolute: float, difference: Array, exact: Array) -> float:
    """The largest relative error two right derivatives may have.

    Where the exact one is 0 no relative error is finite: it is right if the difference is small.
    """
    norm = _norm(exact)
    if norm:
        return tolerance + absolute / norm
    return math.inf if _norm(difference) <= absolute else 0.0


def _relative(difference: Array, reference: Array, order: float | None = None) -> float:
    """The norm of the difference over that of the reference; infinite where only that is 0."""
    norm, off = _norm(reference, order), _norm(difference, order)
    if norm:
        return off / norm
    return np.inf if off else 0.0


def _norm(values: Array, order: float | None = None) -> float:
    """The norm of all the values, whose squares may be too large for a float."""
    largest = float(np.abs(values).max(initial=0))
    if not 0 < largest < math.inf:
        return largest
    return float(np.linalg.norm((values / largest).ravel(), order)) * largest


def _entry_name(name: str, index: Array, found: _Derivatives, worst: int) -> str:
    """W1[2,3], counted from 1 as in the formulas."""
    numbers_an_entry = found.analytic.size // len(found.entries)
    entry = found.entries[worst // numbers_an_entry]
    (place,) = np.argwhere(index == entry)
    return f"{name}[{','.join(str(i + 1) for i in place)}]"


def _constant_ratio(analytic: Array, numeric: Array) -> float | None:
    """The ratio analytic / numeric where it is one for the whole tensor, else None."""
    norm = _norm(numeric)
    if not norm:
        return None
    direction = numeric / norm
    ratio = float((analytic / norm).dot(direction))
    off = _norm(analytic - ratio * numeric)
    return ratio if ratio and off <= 1e-6 * abs(ratio) * norm else None
