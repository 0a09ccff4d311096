"""Rules that draw a layer's initial weights and biases.

A rule knows one layer: its inputs (fan in), its units (fan out) and the rows of its weight matrix
(rows = units, or k rows per unit for maxout). It draws weights first, always in float64, so that
a seed gives the same initialisation in every dtype.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, doc

from bpcli.nn.arrays import Array


class Fans(NamedTuple):
    """The sizes of a layer that a rule may use."""

    inputs: int
    units: int
    rows: int


@dataclass(frozen=True)
class Initializer:
    """Draws weights (rows, inputs) and biases (rows,).

    If `bias` is given, every bias has that value.
    """

    bias: Annotated[float | None, doc("Every bias; null: from the rule.")] = field(
        default=None, kw_only=True
    )

    def draw(self, rng: np.random.Generator, fans: Fans) -> tuple[Array, Array]:
        """The initial weights and biases of one layer."""
        weights = self.weights(rng, fans)
        biases = self.biases(rng, fans)
        return weights, biases if self.bias is None else np.full(fans.rows, self.bias)

    def weights(self, rng: np.random.Generator, fans: Fans) -> Array:
        """Weights (rows, inputs)."""
        raise NotImplementedError

    def biases(self, rng: np.random.Generator, fans: Fans) -> Array:
        """Biases (rows,): zero unless the rule says otherwise."""
        return np.zeros(fans.rows)


class _Scaled(Initializer):
    """Weights of mean 0 and variance gain / fan, biases zero."""

    def variance(self, fans: Fans) -> float:
        raise NotImplementedError


class _ScaledUniform(_Scaled):
    def weights(self, rng: np.random.Generator, fans: Fans) -> Array:
        limit = np.sqrt(3 * self.variance(fans))
        return rng.uniform(-limit, limit, (fans.rows, fans.inputs))


class _ScaledNormal(_Scaled):
    def weights(self, rng: np.random.Generator, fans: Fans) -> Array:
        return rng.normal(0, np.sqrt(self.variance(fans)), (fans.rows, fans.inputs))


class _Xavier(_Scaled):
    """Variance 2 / (inputs + units). Glorot & Bengio 2010, eq. 12 and 16."""

    def variance(self, fans: Fans) -> float:
        return 2 / (fans.inputs + fans.units)


class _He(_Scaled):
    """Variance 2 / inputs. He et al. 2015, arXiv:1502.01852, eq. 10."""

    def variance(self, fans: Fans) -> float:
        return 2 / fans.inputs


class _Lecun(_Scaled):
    """Variance 1 / inputs. LeCun et al. 1998, Efficient BackProp, eq. 16."""

    def variance(self, fans: Fans) -> float:
        return 1 / fans.inputs


class XavierUniform(_ScaledUniform, _Xavier):
    """Uniform within ±√(6 / (inputs + units)); biases 0."""


class XavierUniformBiases(XavierUniform):
    """Weights and biases uniform within ±√(6 / (inputs + units)), as scikit-learn's MLP starts.

    With few inputs, biases of 0 would put the kinks of all relu units at one place.
    """

    def biases(self, rng: np.random.Generator, fans: Fans) -> Array:
        limit = np.sqrt(3 * self.variance(fans))
        return rng.uniform(-limit, limit, fans.rows)


class XavierNormal(_ScaledNormal, _Xavier):
    """Normal with variance 2 / (inputs + units); biases 0."""


class HeUniform(_ScaledUniform, _He):
    """Uniform within ±√(6 / inputs); biases 0."""


class HeNormal(_ScaledNormal, _He):
    """Normal with variance 2 / inputs; biases 0."""


class LecunUniform(_ScaledUniform, _Lecun):
    """Uniform within ±√(3 / inputs); biases 0."""


class LecunNormal(_ScaledNormal, _Lecun):
    """Normal with variance 1 / inputs; biases 0."""


class NguyenWidrow(Initializer):
    """Rows of W of random direction and length β = 0.7 units^(1/inputs); biases uniform within ±β.

    Spreads the units' active regions over inputs in [-1, 1], so scale the inputs with `minmax`.
    Nguyen & Widrow 1990, IJCNN vol. 3, p. 21.
    """

    def weights(self, rng: np.random.Generator, fans: Fans) -> Array:
        directions = rng.uniform(-1, 1, (fans.rows, fans.inputs))
        lengths = np.linalg.norm(directions, axis=1, keepdims=True)
        scaled: Array = self._length(fans) * directions / lengths
        return scaled

    def biases(self, rng: np.random.Generator, fans: Fans) -> Array:
        return rng.uniform(-self._length(fans), self._length(fans), fans.rows)

    @staticmethod
    def _length(fans: Fans) -> float:
        return float(0.7 * fans.units ** (1 / fans.inputs))


@dataclass(frozen=True)
class Uniform(Initializer):
    """Weights and biases uniform in [low, high)."""

    low: Annotated[float, doc("The smallest value.")] = -0.5
    high: Annotated[float, doc("The upper bound, exclusive.")] = 0.5

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"`low` ({self.low:g}) must be at most `high` ({self.high:g})")
        if math.isinf(self.high - self.low):
            raise ValueError("`high` - `low` must be finite: choose values that are closer")

    def weights(self, rng: np.random.Generator, fans: Fans) -> Array:
        return rng.uniform(self.low, self.high, (fans.rows, fans.inputs))

    def biases(self, rng: np.random.Generator, fans: Fans) -> Array:
        return rng.uniform(self.low, self.high, fans.rows)


@dataclass(frozen=True)
class Normal(Initializer):
    """Weights and biases normal with the given mean and standard deviation."""

    mean: Annotated[float, doc("The mean.")] = 0.0
    std: Annotated[float, Ge(0), doc("The standard deviation.")] = 0.1

    def weights(self, rng: np.random.Generator, fans: Fans) -> Array:
        return rng.normal(self.mean, self.std, (fans.rows, fans.inputs))

    def biases(self, rng: np.random.Generator, fans: Fans) -> Array:
        return rng.normal(self.mean, self.std, fans.rows)


@dataclass(frozen=True)
class Constant(Initializer):
    """Every weight and bias is `value`. The units of a layer then stay equal; this rarely helps."""

    value: Annotated[float, doc("Every weight and bias.")] = 0.0

    def weights(self, rng: np.random.Generator, fans: Fans) -> Array:
        return np.full((fans.rows, fans.inputs), self.value)

    def biases(self, rng: np.random.Generator, fans: Fans) -> Array:
        return np.full(fans.rows, self.value)


@dataclass(frozen=True)
class FanNormal(Initializer):
    """Weights normal with standard deviation gain · fan^-½, fan = inputs or units; biases 0."""

    fan: Annotated[Literal["in", "out"], doc("`in`: inputs; `out`: units.")] = "in"
    gain: Annotated[float, Gt(0), doc("Factor on the standard deviation.")] = 1.0

    def weights(self, rng: np.random.Generator, fans: Fans) -> Array:
        fan = fans.inputs if self.fan == "in" else fans.units
        return rng.normal(0, self.gain * fan**-0.5, (fans.rows, fans.inputs))


INITIALIZERS: dict[str, type[Initializer]] = {
    "xavier_uniform": XavierUniform,
    "xavier_uniform_biases": XavierUniformBiases,
    "xavier_normal": XavierNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "nguyen_widrow": NguyenWidrow,
    "uniform": Uniform,
    "normal": Normal,
    "constant": Constant,
    "fan_normal": FanNormal,
}
