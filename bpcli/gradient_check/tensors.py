"""Check a gradient, and the Jacobian of the residuals, tensor by tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcli.gradient_check.comparison import (
    EPS,
    CentralErrors,
    ExactErrors,
    TensorCheck,
    constant_ratio,
)
from bpcli.gradient_check.derivatives import (
    COMPLEX_STEP,
    Function,
    central_difference,
    complex_step,
)
from bpcli.gradient_check.probe import Point
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, forward


def check_gradient(
    term: str, point: Point, function: Function, grad: Vector, size_of_terms: float
) -> list[TensorCheck]:
    """Check `grad` against the numerical derivatives of `function`.

    `size_of_terms` bounds the terms whose sum is the gradient; rounding is relative to it.
    """
    derivatives = _differentiate(function, grad, point)
    size = abs(function(point.params)) + size_of_terms
    return _checks(term, point, derivatives, size_of_terms, size)


def check_jacobian(
    point: Point, inputs: Array, J: Array, size_of_terms: float
) -> list[TensorCheck]:
    """Check J, one row per entry of `point.entries`, against the complex step of the residuals.

    The targets do not matter: a and the residuals a - y have the same derivatives.
    """
    outputs, entries = _Outputs(point.network, inputs), point.entries
    exact = np.zeros_like(J)
    for row, entry in zip(exact, entries.tolist(), strict=True):
        row[...] = complex_step(outputs, point.params, entry)
    derivatives = _Derivatives(entries, J, exact).of(np.isfinite(exact).all(axis=(1, 2)))
    return _checks("jacobian", point, derivatives, size_of_terms, 0.0)


class _Outputs:
    """The outputs a[L] as a function of complex parameters; the next call overwrites them."""

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
class _Derivatives:
    """Derivatives by some entries: analytic, by the complex step, and by central differences.

    Each entry has a number or a row of numbers. `doubled` are central differences with twice the
    step.
    """

    entries: Array
    analytic: Array
    exact: Array
    central: Array | None = None
    doubled: Array | None = None

    def of(self, where: Any) -> _Derivatives:
        """The derivatives by some of the entries."""
        arrays = (None if array is None else array[where] for array in vars(self).values())
        return _Derivatives(*arrays)  # type: ignore[arg-type]  # None only where it was

    def exact_errors(self, rounding: float) -> ExactErrors:
        return ExactErrors.of(np.abs(self.analytic - self.exact).ravel(), self.exact, rounding)

    def central_errors(self, rounding: float) -> CentralErrors:
        if self.central is None or self.doubled is None:
            return CentralErrors()
        return CentralErrors.of(self.analytic, self.exact, self.central, self.doubled, rounding)


def _differentiate(function: Function, grad: Vector, point: Point) -> _Derivatives:
    """The numerical derivatives by the chosen entries, without entries where one is not finite."""
    entries, params = point.entries, point.params
    exact, central, doubled = (np.zeros(len(entries)) for _ in range(3))
    for at, entry in enumerate(entries.tolist()):
        step = float(point.steps[entry])
        exact[at] = complex_step(function, params, entry)
        central[at] = central_difference(function, params, entry, step)
        doubled[at] = central_difference(function, params, entry, 2 * step)
    is_finite = np.isfinite([exact, central, doubled]).all(axis=0)
    return _Derivatives(entries, grad[entries], exact, central, doubled).of(is_finite)


def _checks(
    term: str, point: Point, derivatives: _Derivatives, size_of_terms: float, value_size: float
) -> list[TensorCheck]:
    """One check for each tensor with chosen entries."""
    rounding = 64 * EPS * size_of_terms + COMPLEX_STEP  # the error of the step if all terms are 0
    central_rounding = 16 * EPS * value_size / float(point.steps.min())
    tensors = point.network.tensors(np.arange(point.network.n_params))
    return [
        _tensor_check(
            term, name, index, chosen, derivatives.of(np.isin(derivatives.entries, index)),
            rounding, central_rounding,
        )
        for name, index in tensors
        if (chosen := int(point.chosen[index].sum()))
    ]  # fmt: skip


def _tensor_check(
    term: str,
    name: str,
    index: Array,
    chosen: int,
    derivatives: _Derivatives,
    rounding: float,
    central_rounding: float,
) -> TensorCheck:
    """The check of one tensor, whose entries are at `index` in the parameters."""
    analytic, exact = derivatives.analytic.ravel(), derivatives.exact.ravel()
    checked = len(derivatives.entries)
    worst = int(np.abs(analytic - exact).argmax()) if len(exact) else None
    return TensorCheck(
        term=term,
        tensor=name,
        shape=index.shape,
        checked=checked,
        skipped=chosen - checked,
        **derivatives.exact_errors(rounding)._asdict(),
        **derivatives.central_errors(central_rounding)._asdict(),
        worst_entry="" if worst is None else _entry_name(name, index, derivatives, worst),
        analytic=0.0 if worst is None else float(analytic[worst]),
        numeric=0.0 if worst is None else float(exact[worst]),
        ratio=constant_ratio(analytic, exact),
    )


def _entry_name(name: str, index: Array, derivatives: _Derivatives, worst: int) -> str:
    """W1[2,3], counted from 1 as in the formulas."""
    numbers_per_entry = derivatives.analytic.size // len(derivatives.entries)
    entry = derivatives.entries[worst // numbers_per_entry]
    (indices,) = np.argwhere(index == entry)
    return f"{name}[{','.join(str(i + 1) for i in indices)}]"
