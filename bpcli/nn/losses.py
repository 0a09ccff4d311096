"""Losses: what one sample costs, and delta, the derivative of that cost by the output layer's z.

All that is known of a loss is on its class, and read there by `bpnet trace` and by the list of all
config keys. So a new one is a class and a name in `LOSSES`.

Arrays are (outputs, samples). Rows of a table are summed and averaged elsewhere: a loss speaks of
each sample alone. The cross-entropies are computed from z, so that no logarithm of 0 is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, doc

from bpcli.nn.activation import Activation
from bpcli.nn.activations import log1p_exp_minus_modulus
from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class Loss:
    """loss_i for each sample i, from the output layer's z and a and the target y."""

    formula: ClassVar[str]
    """loss_i = …, in words of which a reader may replace a, y, K and the options by other names or
    numbers: none of these words may stand for anything else."""

    derivative: ClassVar[str]
    """∂loss_i/∂a = …, likewise, for one output; of a canonical loss, delta = …"""

    output_activations: ClassVar[tuple[str, ...] | None] = None
    """The output activations this loss is defined for; None for any."""

    is_canonical: ClassVar[bool] = False
    """Whether f' of these cancels, so that delta = a - y: it has no `write_grad_a`."""

    targets: ClassVar[str] = "values"
    """What a column of y must be: any `values`, `probabilities`, or a `distribution`."""

    is_sum_of_squares: ClassVar[bool] = False
    """Whether loss_i = c Σ_k (a_k - y_k)²; `factor_of_squares` is that c."""

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        """loss_i: (samples,)."""
        raise NotImplementedError

    def write_delta(
        self, activation: Activation, z: Array, a: Array, y: Array, grad_a: Array, out: Array
    ) -> None:
        """Write ∂loss_i/∂z into `out`, by way of ∂loss_i/∂a in the scratch array `grad_a`."""
        self.write_grad_a(a, y, grad_a)
        activation.pullback(z, a, grad_a, out)

    def write_grad_a(self, a: Array, y: Array, out: Array) -> None:
        """Write ∂loss_i/∂a into `out`."""
        raise NotImplementedError

    def factor_of_squares(self, outputs: int) -> float:
        """The c of loss_i = c Σ_k (a_k - y_k)² with so many outputs, of a sum of squares."""
        raise NotImplementedError

    def linear_region(self, a: Array, y: Array) -> Array | None:
        """Which side of a kink of the loss each output lies on; None where it has none."""
        return None


class Mse(Loss):
    """Mean squared error of the K outputs."""

    formula = "loss_i = (1/K) Σ_k (a[k] - y[k])²"
    derivative = "∂loss_i/∂a = (2/K) (a - y)"
    is_sum_of_squares = True

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        residual = a - y
        loss: Array = (residual * residual).mean(axis=0)
        return loss

    def write_grad_a(self, a: Array, y: Array, out: Array) -> None:
        np.subtract(a, y, out=out)
        np.multiply(out, 2 / len(a), out=out)

    def factor_of_squares(self, outputs: int) -> float:
        return 1 / outputs


class SquaredError(Loss):
    """Sum of the squared errors."""

    formula = "loss_i = Σ_k (a[k] - y[k])²"
    derivative = "∂loss_i/∂a = 2 (a - y)"
    is_sum_of_squares = True

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        residual = a - y
        loss: Array = (residual * residual).sum(axis=0)
        return loss

    def write_grad_a(self, a: Array, y: Array, out: Array) -> None:
        np.subtract(a, y, out=out)
        np.multiply(out, 2, out=out)

    def factor_of_squares(self, outputs: int) -> float:
        return 1.0


class HalfSquaredError(Loss):
    """Half the sum of the squared errors, the textbook's: with identity outputs delta = a - y."""

    formula = "loss_i = ½ Σ_k (a[k] - y[k])²"
    derivative = "∂loss_i/∂a = a - y"
    is_sum_of_squares = True

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        residual = a - y
        loss: Array = 0.5 * (residual * residual).sum(axis=0)
        return loss

    def write_grad_a(self, a: Array, y: Array, out: Array) -> None:
        np.subtract(a, y, out=out)

    def factor_of_squares(self, outputs: int) -> float:
        return 0.5


class Mae(Loss):
    """Mean absolute error of the K outputs; its derivative at 0 is 0."""

    formula = "loss_i = (1/K) Σ_k |a[k] - y[k]|"
    derivative = "∂loss_i/∂a = (1/K) sign(a - y)"

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        residual = a - y
        loss: Array = (residual * np.sign(residual.real)).mean(axis=0)
        return loss

    def write_grad_a(self, a: Array, y: Array, out: Array) -> None:
        np.subtract(a, y, out=out)
        np.multiply(np.sign(out.real), 1 / len(a), out=out)

    def linear_region(self, a: Array, y: Array) -> Array:
        return (a - y).real > 0


@dataclass(frozen=True)
class Huber(Loss):
    """Quadratic for small errors, linear for large ones.

    With c = r clipped to [-delta, delta], h = c (r - c/2) and h' = c.
    Huber 1964, Ann. Math. Statist. 35, 73.
    """

    formula = (
        "loss_i = (1/K) Σ_k h(a[k] - y[k]), "
        "h(r) = ½ r² where |r| ≤ delta, else delta (|r| - ½ · delta)"
    )
    derivative = "∂loss_i/∂a = (1/K) clip(a - y, -delta, delta)"

    delta: Annotated[float, Gt(0), doc("Up to this error squared, beyond it linear.")] = 1.0

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        residual = a - y
        clipped = np.minimum(np.maximum(residual, -self.delta), self.delta)
        loss: Array = (clipped * (residual - 0.5 * clipped)).mean(axis=0)
        return loss

    def write_grad_a(self, a: Array, y: Array, out: Array) -> None:
        np.subtract(a, y, out=out)
        np.maximum(out, -self.delta, out=out)
        np.minimum(out, self.delta, out=out)
        np.multiply(out, 1 / len(a), out=out)


class _Canonical(Loss):
    """A loss made for its output activations."""

    derivative = "delta = a - y"
    is_canonical = True

    def write_delta(
        self, activation: Activation, z: Array, a: Array, y: Array, grad_a: Array, out: Array
    ) -> None:
        np.subtract(a, y, out=out)


class BinaryCrossEntropy(_Canonical):
    """Cross-entropy of outputs each of which is a probability by itself.

    Computed as Σ_k [ln(1 + e^z_k) - y_k z_k], and that as ln(1 + e^-|z|) + z ([z ≥ 0] - y), exact
    where y is 0 or 1.
    """

    formula = "loss_i = -Σ_k (y[k] ln(a[k]) + (1 - y[k]) ln(1 - a[k]))"
    output_activations = ("sigmoid",)
    targets = "probabilities"

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        tail = log1p_exp_minus_modulus(z, np.empty_like(z))
        loss: Array = (tail + z * (~np.signbit(z.real) - y)).sum(axis=0)
        return loss


class CrossEntropy(_Canonical):
    """Cross-entropy of outputs whose probabilities add up to 1.

    Computed as Σ_k y_k (ln Σ_j e^z_j - z_k).
    """

    formula = "loss_i = -Σ_k y[k] ln(a[k])"
    output_activations = ("softmax",)
    targets = "distribution"

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        shifted = z - z.real.max(axis=0)
        log_total = np.log(np.exp(shifted).sum(axis=0))
        loss: Array = (y * (log_total - shifted)).sum(axis=0)
        return loss


LOSSES: dict[str, type[Loss]] = {
    "mse": Mse,
    "squared_error": SquaredError,
    "half_squared_error": HalfSquaredError,
    "mae": Mae,
    "huber": Huber,
    "binary_cross_entropy": BinaryCrossEntropy,
    "cross_entropy": CrossEntropy,
}


def legal_losses(activation: str) -> list[str]:
    """The losses that are defined for an output activation, by name."""
    return [
        name
        for name, loss in LOSSES.items()
        if loss.output_activations is None or activation in loss.output_activations
    ]


def canonical_loss(activation: str) -> Loss | None:
    """The loss that is made for an output activation, if there is one."""
    made = (loss for loss in LOSSES.values() if loss.is_canonical)
    return next((loss() for loss in made if activation in (loss.output_activations or ())), None)
