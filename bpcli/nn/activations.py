"""The activation functions. A new one is a class here, and its name in `ACTIVATIONS` below."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Lt, doc

from bpcli.nn.activation import Activation, Graph
from bpcli.nn.arrays import Array


@lru_cache(maxsize=16)
def _zeros(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Zeros to compare with: four times as fast as the number 0 (5, not 21 µs on 64 × 900).

    For large shapes, one row that broadcasts is as fast and takes less memory.
    """
    zeros = np.zeros(shape if math.prod(shape) <= _MANY_ZEROS else shape[1:], dtype)
    zeros.flags.writeable = False
    return zeros


_MANY_ZEROS = 2**18


def log1p_exp_minus_modulus(z: Array, out: Array) -> Array:
    """ln(1 + e^-|z|) = ln(1 + e^z) - max(z, 0), without overflow or loss of digits."""
    np.multiply(z, np.copysign(1, -z.real), out=out)  # -|z|
    np.exp(out, out=out)
    np.log1p(out, out=out)
    return out


class Identity(Activation):
    """The identity, for linear units."""

    formula = "a = z"
    derivative = "f'(z) = 1"
    source = "return z"
    is_identity = True
    is_odd = True
    works_in_place = True

    def forward(self, z: Array, out: Array) -> None:
        if out is not z:
            np.copyto(out, z)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        if out is not grad_a:
            np.copyto(out, grad_a)


class Sigmoid(Activation):
    """Logistic function, computed as ½ + ½ tanh(z/2), which does not overflow."""

    formula = "a = 1 / (1 + exp(-z))"
    derivative = "f'(z) = a ∘ (1 - a)"
    source = "return 0.5 + 0.5 * np.tanh(0.5 * z)  # 1 / (1 + e^-z), without overflow"
    bounds = (0.0, 1.0)
    rounded_at = 1.0
    gives_probabilities = True

    def onnx(self, graph: Graph, z: str) -> str:
        return graph.node("Sigmoid", z)

    def link(self, a: Array) -> Array:
        z: Array = np.log(a) - np.log1p(-a)
        return z

    @property
    def max_slope(self) -> float:
        return 1 / 4

    def forward(self, z: Array, out: Array) -> None:
        np.multiply(z, 0.5, out=out)
        np.tanh(out, out=out)
        np.multiply(out, 0.5, out=out)
        np.add(out, 0.5, out=out)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        np.subtract(1, a, out=out)
        np.multiply(out, a, out=out)
        np.multiply(out, grad_a, out=out)


class Tanh(Activation):
    """Hyperbolic tangent."""

    formula = "a = tanh(z)"
    derivative = "f'(z) = 1 - a²"
    source = "return np.tanh(z)"
    is_odd = True
    bounds = (-1.0, 1.0)
    works_in_place = True

    @property
    def max_slope(self) -> float:
        return 1.0

    def forward(self, z: Array, out: Array) -> None:
        np.tanh(z, out=out)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        slope = a if out is grad_a else out  # see `works_in_place`
        np.multiply(a, a, out=slope)
        np.subtract(1, slope, out=slope)
        np.multiply(slope, grad_a, out=out)


class Relu(Activation):
    """Rectified linear unit, with f'(0) = 0."""

    formula = "a = max(z, 0)"
    derivative = "f'(z) = 1 where z > 0, else 0"
    source = "return np.maximum(z, 0)"
    bounds = (0.0, math.inf)
    works_in_place = True  # z > 0 is where a > 0

    def forward(self, z: Array, out: Array) -> None:
        np.maximum(z, _zeros(z.shape, z.dtype), out=out)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        # In small arrays, converting booleans takes as long as the product: the signs of a ≥ 0
        # need no conversion (0.5, not 1.1 µs on 4 × 50). In large ones, signs take longer.
        slope = np.sign(a.real) if a.size <= _FEW else a.real > 0
        np.multiply(grad_a, slope, out=out)

    def linear_region(self, z: Array) -> Array:
        return z.real > 0


_FEW = 1000


@dataclass(frozen=True)
class LeakyRelu(Activation):
    """Rectified linear unit with a small slope below 0."""

    formula = "a = max(z, slope z)"
    derivative = "f'(z) = 1 where z > 0, else slope"
    source = "return np.maximum(z, slope * z)"

    slope: Annotated[float, Ge(0), Lt(1), doc("f'(z) where z is negative.")] = 0.01

    @property
    def bounds(self) -> tuple[float, float]:
        return (-math.inf if self.slope else 0.0), math.inf

    def forward(self, z: Array, out: Array) -> None:
        np.multiply(z, self.slope, out=out)
        np.maximum(z, out, out=out)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        np.multiply(grad_a, z.real > 0, out=out)
        out *= 1 - self.slope
        out += self.slope * grad_a

    def linear_region(self, z: Array) -> Array:
        return z.real > 0


@dataclass(frozen=True)
class Elu(Activation):
    """Exponential linear unit.

    Clevert, Unterthiner, Hochreiter 2015, arXiv:1511.07289, eq. 15.
    """

    formula = "a = z where z > 0, else alpha (exp(z) - 1)"
    derivative = "f'(z) = 1 where z > 0, else a + alpha"
    source = "return np.maximum(z, 0) + alpha * np.expm1(np.minimum(z, 0))"

    alpha: Annotated[float, Gt(0), doc("a approaches -alpha as z → -∞.")] = 1.0

    @property
    def bounds(self) -> tuple[float, float]:
        return -self.alpha, math.inf

    @property
    def max_slope(self) -> float:
        return max(1.0, self.alpha)

    def forward(self, z: Array, out: Array) -> None:
        np.minimum(z, 0, out=out)
        np.expm1(out, out=out)
        np.multiply(out, self.alpha, out=out)
        out += np.maximum(z, 0)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        np.minimum(a, 0, out=out)
        np.add(out, self.alpha, out=out)
        positive = z.real > 0
        np.multiply(out, ~positive, out=out)
        out += positive
        out *= grad_a

    def linear_region(self, z: Array) -> Array | None:
        return None if self.alpha == 1 else z.real > 0  # alpha = 1 has no kink


class Softplus(Activation):
    """Smooth rectified linear unit; f' is the logistic function."""

    formula = "a = ln(1 + exp(z))"
    derivative = "f'(z) = 1 - exp(-a)"
    source = (
        "return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))  # ln(1 + e^z), without overflow"
    )
    bounds = (0.0, math.inf)

    @property
    def max_slope(self) -> float:
        return 1.0

    def forward(self, z: Array, out: Array) -> None:
        log1p_exp_minus_modulus(z, out)
        out += z * ~np.signbit(z.real)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        np.negative(a, out=out)
        np.expm1(out, out=out)
        np.negative(out, out=out)
        np.multiply(out, grad_a, out=out)


class Exponential(Activation):
    """Exponential function, for outputs that are means of counts.

    Where e^z is too large (z > 709, in single precision z > 88), a is ∞.
    """

    formula = "a = exp(z)"
    derivative = "f'(z) = a"
    source = "return np.exp(z)"
    bounds = (0.0, math.inf)
    works_in_place = True

    def link(self, a: Array) -> Array:
        z: Array = np.log(a)
        return z

    def forward(self, z: Array, out: Array) -> None:
        np.exp(z, out=out)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        np.multiply(a, grad_a, out=out)


class Softsign(Activation):
    """Similar to tanh, but saturates more slowly."""

    formula = "a = z / (1 + |z|)"
    derivative = "f'(z) = 1 / (1 + |z|)²"
    source = "return z / (1 + np.abs(z))"
    is_odd = True
    bounds = (-1.0, 1.0)

    @property
    def max_slope(self) -> float:
        return 1.0

    def forward(self, z: Array, out: Array) -> None:
        self._one_plus_modulus(z, out)
        np.divide(z, out, out=out)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        self._one_plus_modulus(z, out)
        np.multiply(out, out, out=out)
        np.divide(grad_a, out, out=out)

    @staticmethod
    def _one_plus_modulus(z: Array, out: Array) -> None:
        np.multiply(z, np.copysign(1, z.real), out=out)
        np.add(out, 1, out=out)


@dataclass(frozen=True)
class Maxout(Activation):
    """Each unit outputs the largest of its own linear functions; g is ∂loss/∂a.

    With k pieces, rows u·k … u·k + k - 1 of z belong to unit u. If several rows are the largest,
    the first of them gets the gradient. Goodfellow et al. 2013, arXiv:1302.4389.
    """

    formula = "a[u] = the largest of the pieces rows of z of unit u"
    derivative = "delta[r] = g[u] where z[r] is the largest of unit u, else 0"
    source = "return z.reshape(-1, pieces, z.shape[1]).max(axis=1)"

    pieces: Annotated[int, Ge(2), doc("Linear functions (rows of z) per unit.")] = 2

    @property
    def rows_per_unit(self) -> int:
        return self.pieces

    def forward(self, z: Array, out: Array) -> None:
        np.maximum.reduce(self._by_unit(z), axis=1, out=out)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        np.multiply(self._is_winner(z), grad_a[:, np.newaxis, :], out=self._by_unit(out))

    def pushforward(self, z: Array, a: Array, z_dot: Array, out: Array) -> None:
        np.add.reduce(self._is_winner(z) * self._by_unit(z_dot), axis=1, out=out)

    def _is_winner(self, z: Array) -> Array:
        """Whether each row of z is the one that its unit outputs: (units, pieces, samples)."""
        winner = self.linear_region(z)[:, np.newaxis, :]
        is_winner: Array = winner == np.arange(self.pieces)[:, np.newaxis]
        return is_winner

    def linear_region(self, z: Array) -> Array:
        winner: Array = self._by_unit(z).real.argmax(axis=1)
        return winner

    def _by_unit(self, z: Array) -> Array:
        return z.reshape(-1, self.pieces, z.shape[1])


class Softmax(Activation):
    """Probabilities that sum to 1 over a sample's units; g is ∂loss/∂a."""

    formula = "a[i] = exp(z[i]) / Σ_j exp(z[j])"
    derivative = "delta = a ∘ (g - Σ_j a[j] g[j])"
    source = """\
powers = np.exp(z - z.max(axis=0))  # the largest is e^0, so none overflows
return powers / powers.sum(axis=0)"""
    mixes_units = True
    bounds = (0.0, 1.0)
    gives_probabilities = True
    gives_distribution = True

    def onnx(self, graph: Graph, z: str) -> str:
        return graph.node("Softmax", z, axis=1)

    def link(self, a: Array) -> Array:
        z: Array = np.log(a)
        return z

    def forward(self, z: Array, out: Array) -> None:
        np.subtract(z, z.real.max(axis=0), out=out)
        np.exp(out, out=out)
        out /= out.sum(axis=0)

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        np.multiply(a, grad_a, out=out)
        np.subtract(grad_a, out.sum(axis=0), out=out)
        np.multiply(out, a, out=out)


ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": Relu,
    "leaky_relu": LeakyRelu,
    "elu": Elu,
    "softplus": Softplus,
    "exponential": Exponential,
    "softsign": Softsign,
    "maxout": Maxout,
    "softmax": Softmax,
}

ACTIVATION_ALIASES: dict[str, str] = {
    "linear": "identity",
    "purelin": "identity",
    "logistic": "sigmoid",
    "logsig": "sigmoid",
    "tansig": "tanh",
    "exp": "exponential",
}
