"""Losses: the loss of each sample, and delta, its derivative by the output layer's z.

Each loss's class defines everything about it; `bpnet trace` and the list of config keys read it
there. A new loss is a class here, and its name in `LOSSES` below.

Arrays are (outputs, samples). A loss is per sample: the objective sums and averages. Canonical
losses are computed from z, so that no logarithm of 0 is taken.
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
    """loss_i = …; a, y, K and the options are replaced by other names or numbers, so use these
    names for nothing else."""

    derivative: ClassVar[str]
    """∂loss_i/∂a = …, with the same names, for one output; for a canonical loss, delta = …"""

    output_activations: ClassVar[tuple[str, ...] | None] = None
    """The output activations this loss is defined for; None for any."""

    is_canonical: ClassVar[bool] = False
    """Whether f' of `output_activations` cancels, so that delta = a - y. Such a loss has no
    `write_grad_a`."""

    targets: ClassVar[str] = "values"
    """What a column of y may contain: any `values`, `counts` (0 or more, whole or not),
    `probabilities`, or a `distribution`."""

    is_sum_of_squares: ClassVar[bool] = False
    """Whether loss_i = c Σ_k (a_k - y_k)²; `factor_of_squares` is that c."""

    def issue_of_targets(self, Y: Array) -> str | None:
        """Why the loss cannot take the targets Y (n, outputs); None if it can."""
        if self.targets == "values":
            return None
        if self.targets == "counts":
            below = f"this loss needs targets of 0 or more, but the smallest is {Y.min():g}"
            return below if Y.min() < 0 else None
        if Y.min() < 0 or Y.max() > 1:
            return (
                f"this loss needs targets between 0 and 1, but there are targets between "
                f"{Y.min():g} and {Y.max():g}"
            )
        if self.targets == "distribution" and not np.allclose(Y.sum(axis=1), 1, atol=1e-6):
            return "this loss needs targets whose rows add up to 1"
        return None

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        """loss_i: (samples,)."""
        raise NotImplementedError

    def write_delta(
        self, activation: Activation, z: Array, a: Array, y: Array, grad_a: Array, out: Array
    ) -> None:
        """Write ∂loss_i/∂z into `out`, with `grad_a` as scratch memory for ∂loss_i/∂a."""
        self.write_grad_a(a, y, grad_a)
        activation.pullback(z, a, grad_a, out)

    def write_grad_a(self, a: Array, y: Array, out: Array) -> None:
        """Write ∂loss_i/∂a into `out`."""
        raise NotImplementedError

    def factor_of_squares(self, outputs: int) -> float:
        """The c of loss_i = c Σ_k (a_k - y_k)², if the loss is a sum of squares."""
        raise NotImplementedError

    def linear_region(self, a: Array, y: Array) -> Array | None:
        """The side of the loss's kink that each output lies on; None if the loss has no kink."""
        return None


class _SumOfSquares(Loss):
    """loss_i = Σ_k (a_k - y_k)² / divisor."""

    is_sum_of_squares = True

    def divisor(self, outputs: int) -> int:
        """The divisor of the sum over this number of outputs."""
        raise NotImplementedError

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        residual = a - y
        loss: Array = (residual * residual).sum(axis=0) / self.divisor(len(a))
        return loss

    def write_grad_a(self, a: Array, y: Array, out: Array) -> None:
        np.subtract(a, y, out=out)
        factor = 2 / self.divisor(len(a))
        if factor != 1:
            np.multiply(out, factor, out=out)

    def factor_of_squares(self, outputs: int) -> float:
        return 1 / self.divisor(outputs)


class Mse(_SumOfSquares):
    """Mean squared error of the K outputs."""

    formula = "loss_i = (1/K) Σ_k (a[k] - y[k])²"
    derivative = "∂loss_i/∂a = (2/K) (a - y)"

    def divisor(self, outputs: int) -> int:
        return outputs


class SquaredError(_SumOfSquares):
    """Sum of the squared errors."""

    formula = "loss_i = Σ_k (a[k] - y[k])²"
    derivative = "∂loss_i/∂a = 2 (a - y)"

    def divisor(self, outputs: int) -> int:
        return 1


class HalfSquaredError(_SumOfSquares):
    """Half the sum of the squared errors, as in textbooks; with identity outputs delta = a - y."""

    formula = "loss_i = ½ Σ_k (a[k] - y[k])²"
    derivative = "∂loss_i/∂a = a - y"

    def divisor(self, outputs: int) -> int:
        return 2


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

    delta: Annotated[
        float, Gt(0), doc("Errors up to this size are squared; the loss of larger ones is linear.")
    ] = 1.0

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
    """A loss whose derivative by z is a - y with its output activations."""

    derivative = "delta = a - y"
    is_canonical = True

    def write_delta(
        self, activation: Activation, z: Array, a: Array, y: Array, grad_a: Array, out: Array
    ) -> None:
        np.subtract(a, y, out=out)


class BinaryCrossEntropy(_Canonical):
    """Cross-entropy of outputs that are independent probabilities.

    Computed as Σ_k [ln(1 + e^z_k) - y_k z_k], each term as ln(1 + e^-|z|) + z ([z ≥ 0] - y), which
    is exact where y is 0 or 1.
    """

    formula = "loss_i = -Σ_k (y[k] ln(a[k]) + (1 - y[k]) ln(1 - a[k]))"
    output_activations = ("sigmoid",)
    targets = "probabilities"

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        tail = log1p_exp_minus_modulus(z, np.empty_like(z))
        loss: Array = (tail + z * (~np.signbit(z.real) - y)).sum(axis=0)
        return loss


class CrossEntropy(_Canonical):
    """Cross-entropy of outputs whose probabilities sum to 1.

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


class Poisson(_Canonical):
    """Half the Poisson deviance, for counts.

    Computed with r = z_k - ln(y_k) as Σ_k y_k (e^r - 1 - r), which keeps its digits near 0. Where
    y_k is 0, the term is a_k. McCullagh & Nelder 1989, Generalized Linear Models, sec. 2.3.
    """

    formula = "loss_i = Σ_k (a[k] - y[k] + y[k] ln(y[k] / a[k])), 0 ln(0) = 0"
    output_activations = ("exponential",)
    targets = "counts"

    def per_sample(self, z: Array, a: Array, y: Array) -> Array:
        is_positive = y > 0
        ln_y = np.log(y, out=np.zeros_like(y), where=is_positive)
        r = np.subtract(z, ln_y, out=np.zeros_like(z), where=is_positive)
        loss: Array = np.where(is_positive, y * (np.expm1(r) - r), a).sum(axis=0)
        return loss


LOSSES: dict[str, type[Loss]] = {
    "mse": Mse,
    "squared_error": SquaredError,
    "half_squared_error": HalfSquaredError,
    "mae": Mae,
    "huber": Huber,
    "binary_cross_entropy": BinaryCrossEntropy,
    "cross_entropy": CrossEntropy,
    "poisson": Poisson,
}

PROBABILITIES = ("probabilities", "distribution")
"""The `targets` of losses for classes and labels."""


def legal_losses(activation: str) -> list[str]:
    """The names of the losses that are defined for an output activation."""
    return [
        name
        for name, loss in LOSSES.items()
        if loss.output_activations is None or activation in loss.output_activations
    ]


def canonical_loss(activation: str) -> Loss | None:
    """The canonical loss of an output activation, if it has one."""
    losses = (loss for loss in LOSSES.values() if loss.is_canonical)
    return next((loss() for loss in losses if activation in (loss.output_activations or ())), None)
