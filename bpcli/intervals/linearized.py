"""Intervals from the linearized network: for the parameters' and the noise's uncertainty.

With J (rows · outputs, P) the Jacobian of the outputs by the trained parameters over the training
rows, all in the units in which the network was trained, the parameters have about the covariance

    C = v A⁻¹,     A = JᵀJ + D

where D is the part of weight decay in the objective, in units of JᵀJ. An output with the gradient g
by the parameters then has the variance gᵀ C g, and a target the variance

    gᵀ C g + s_k²

with s_k² that of the noise of output k. Two estimates of v, s_k² and D are here:

- `delta`: γ = tr(A⁻¹ JᵀJ) parameters are determined by the data (all P without weight decay), and
  s_k² = Σ_i r_ki² / (n - γ/K) for K outputs, v = Σ_k s_k² / K, with Student's t of n - γ/K degrees
  of freedom. This is `nlpredci` of MATLAB with PredOpt `observation`. Seber & Wild 1989, Nonlinear
  Regression, sec. 5.1; De Veaux, Schumi, Schweinsberg & Ungar 1998, Technometrics 40, 273, for
  networks with weight decay.
- `posterior`: Bayesian regularization lowers β Σ r² + α Σ w². So D = α/β, v = s_k² = 1/(2β), with
  the normal distribution, and with α and β where their estimates no longer change. MacKay 1992,
  Neural Computation 4, 448, sec. 2.

Both assume noise that is normal and has one variance over all rows, a training that has converged,
and outputs that are nearly linear in the parameters over the range of C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpcli.errors import DataError
from bpcli.intervals.bounds import Bounds
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.jacobian import jacobian_rows
from bpcli.nn.network import Network
from bpcli.nn.propagation import columns_of

_EPSILON = float(np.finfo(np.float64).eps)
_NUMBERS_AT_ONCE = 2**22
"""Numbers of a Jacobian in memory: 32 MB."""


class Fit(NamedTuple):
    """What a training has left: JᵀJ (P, P), the diagonal D (P,), and the sums of squared residuals.

    `rows` is the number of training rows n, `squared_params` Σ w². Frozen parameters are left out.
    """

    JTJ: Array
    decay: Vector
    squared_residuals: Vector
    squared_params: float
    rows: int


class Spread(NamedTuple):
    """F (P, r) with C = F Fᵀ, the standard deviation of the noise (outputs,), and the quantile.

    `condition` is the condition number of A with its diagonal scaled to 1, without the `left_out`
    directions that were left out.
    """

    factor: Array
    noise: Vector
    quantile: float
    condition: float
    left_out: int = 0


def delta_spread(fit: Fit, level: float) -> Spread:
    """The spread by the delta method.

    With weight decay, directions that neither it nor the data determine are left out: the bias of a
    unit whose weights have decayed. Raises `DataError` for such directions without weight decay,
    and if there are no more rows than parameters.
    """
    from scipy.stats import t

    factor, condition = _inverse_root(fit.JTJ + np.diag(fit.decay))
    params, determined = factor.shape
    if determined < params and not fit.decay.any():
        raise DataError(
            f"the training rows do not determine all {params:,} parameters: their Jacobian is "
            "rank-deficient to rounding"
        )
    effective = determined - float((factor**2).sum(axis=1) @ fit.decay)
    outputs = len(fit.squared_residuals)
    freedom = fit.rows - effective / outputs
    if freedom <= 0:
        raise DataError(
            f"{fit.rows:,} training rows are too few for the {effective:.4g} parameters that "
            "they determine: no degrees of freedom remain to estimate the noise"
        )
    noise = fit.squared_residuals / freedom
    factor *= np.sqrt(noise.mean())
    quantile = float(t.ppf((1 + level) / 2, freedom))
    return Spread(factor, np.sqrt(noise), quantile, condition, params - determined)


def _inverse_root(A: Array) -> tuple[Array, float]:
    """F (P, r) with F Fᵀ = A⁻¹ over the r directions that A determines; its condition number.

    The diagonal of A is scaled to 1 first: so it does not matter in which units a parameter is
    measured, or that the weights above a unit are small. Raises `DataError` if A is not finite.
    """
    if not np.isfinite(A).all():
        raise DataError("the Jacobian of the training rows is not finite")
    diagonal = np.diag(A)
    sizes = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(A / np.outer(sizes, sizes))
    is_determined = values > len(A) * _EPSILON * values[-1]
    kept = values[is_determined]
    factor: Array = vectors[:, is_determined] / np.sqrt(kept) / sizes[:, np.newaxis]
    return factor, float(kept[-1] / kept[0]) if len(kept) else np.inf


def posterior_spread(fit: Fit, level: float) -> Spread:
    """The spread by the posterior of Bayesian regularization, whose α and β are found here.

    Raises `DataError` if the data determine no parameter, or leave no residual.
    """
    from scipy.special import ndtri

    values, vectors = np.linalg.eigh(fit.JTJ)
    values = np.maximum(values, 0)
    alpha, beta = _converged(fit, values)
    precisions = 2 * (beta * values + alpha)
    factor = vectors / np.sqrt(precisions)
    noise = np.full(len(fit.squared_residuals), (2 * beta) ** -0.5)
    condition = float(precisions.max() / precisions.min())
    return Spread(factor, noise, float(ndtri((1 + level) / 2)), condition)


def _converged(fit: Fit, values: Vector) -> tuple[float, float]:
    """α = γ / (2 Σ w²) and β = (N - γ) / (2 Σ r²), with γ = Σ β λ / (β λ + α), where they stay."""
    residuals, squares = fit.rows * len(fit.squared_residuals), float(fit.squared_residuals.sum())
    effective = float(np.count_nonzero(values))
    for _ in range(_MOST_ESTIMATES):
        if not (squares and fit.squared_params and 0 < effective < residuals):
            break
        alpha, beta = effective / 2 / fit.squared_params, (residuals - effective) / 2 / squares
        before, effective = effective, float((beta * values / (beta * values + alpha)).sum())
        if abs(effective - before) <= _CONVERGED * effective:
            return alpha, beta
    raise DataError("the data determine no α and β: the posterior has no estimate")


_MOST_ESTIMATES = 10_000
_CONVERGED = 1e-12


@dataclass(frozen=True)
class Linearized:
    """Intervals of a network's outputs, which differ from row to row.

    `scale` (outputs,) is the size of one unit of training in original units.
    """

    network: Network
    params: Vector
    spread: Spread
    scale: Vector

    def parts(self, inputs: Array) -> tuple[Array, Array]:
        """Standard deviations (n, outputs) by the parameters and by the noise, in original units.

        `inputs` (n, inputs) are those of the network.
        """
        variances = np.empty((len(inputs), self.network.outputs))
        size = max(1, _NUMBERS_AT_ONCE // (self.network.n_params * self.network.outputs))
        for start in range(0, len(inputs), size):
            where = slice(start, start + size)
            variances[where] = self._variances(inputs[where])
        noise = np.broadcast_to(self.spread.noise * self.scale, variances.shape)
        return np.sqrt(variances) * self.scale, noise

    def _variances(self, inputs: Array) -> Array:
        """gᵀ C g of each row and output (n, outputs)."""
        columns = columns_of(self.network, inputs, self.params.dtype)
        g = jacobian_rows(self.network, self.params, columns, trained_params(self.network))
        variances: Array = (np.tensordot(self.spread.factor, g, (0, 0)) ** 2).sum(axis=0).T
        return variances

    def bounds(self, inputs: Array, outputs: Array) -> Bounds:
        """The intervals around outputs (n, outputs), in original units."""
        return self.around(outputs, *self.parts(inputs))

    def around(self, outputs: Array, by_params: Array, by_noise: Array) -> Bounds:
        """The same for the standard deviations that `parts` has returned."""
        half = self.spread.quantile * np.hypot(by_params, by_noise)
        return Bounds(outputs - half, outputs + half)


def trained_params(network: Network) -> Array:
    """The indices of the parameters that are trained: all but frozen biases."""
    return np.delete(np.arange(network.n_params), network.frozen)
