"""Check products with the Hessian, in two random directions u and v.

Compares H v with central differences of the gradient, and u·H v with v·H u, which must be equal:
the derivative of a wrong gradient is rarely symmetric.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcli.gradient_check.comparison import EPS, CentralErrors, ExactErrors, TensorCheck, norm
from bpcli.gradient_check.derivatives import VectorFunction, directional_difference
from bpcli.gradient_check.probe import Point, Probe
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network


@dataclass(frozen=True)
class _Products:
    """H u and H v, the latter also by central differences with the step and with twice the step.

    All are zeros if they cannot be compared.
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

    def exact_errors(self, rounding: float) -> ExactErrors:
        return ExactErrors.of(self.asymmetry, max(self.Hu, self.Hv, key=norm), rounding)

    def central_errors(self, rounding: float) -> CentralErrors:
        return CentralErrors.of(self.Hv, self.Hv, self.central, self.doubled, rounding)


def check_hessian(
    point: Point,
    probe: Probe,
    grad: VectorFunction,
    product: Callable[[Vector, Vector], Vector],
    scale: float,
) -> TensorCheck:
    """Check `product(params, v)`, the Hessian times v, against differences and for symmetry.

    The gradient is `scale` times that of the mean loss.
    """
    params, (u, v) = point.params, _directions(point.network)
    step = 1 / float((np.abs(v) / point.steps).sum())
    has_kink = probe.has_kink(params, 2 * step * v)
    Hu, Hv = product(params, u), product(params, v)
    central, doubled = (directional_difference(grad, params, v, by) for by in (step, 2 * step))
    numbers = np.array([Hu, Hv, central, doubled])
    is_checked = not has_kink and bool(np.isfinite(numbers).all())
    products = _Products(is_checked, u, v, *(numbers if is_checked else np.zeros_like(numbers)))
    rounding = 64 * EPS * scale * probe.size_of_curvature(params, v)
    central_rounding = 16 * EPS * scale * probe.size_of_terms(params) / step
    return _hessian_check(point.network, products, rounding, central_rounding)


def _hessian_check(
    network: Network, products: _Products, rounding: float, central_rounding: float
) -> TensorCheck:
    count = network.n_params - len(network.frozen)
    return TensorCheck(
        term="hessian",
        tensor="H",
        shape=(network.n_params, network.n_params),
        checked=count if products.is_checked else 0,
        skipped=0 if products.is_checked else count,
        **products.exact_errors(rounding)._asdict(),
        **products.central_errors(central_rounding)._asdict(),
        worst_entry="u·H v",
        analytic=float(products.u.dot(products.Hv)),
        numeric=float(products.v.dot(products.Hu)),
        ratio=None,
    )


def _directions(network: Network) -> tuple[Vector, Vector]:
    """Two random vectors of length 1, 0 for frozen biases."""
    pair = np.random.default_rng(0).normal(size=(2, network.n_params))
    pair[:, network.frozen] = 0
    u, v = pair / np.linalg.norm(pair, axis=1, keepdims=True)
    return u, v
