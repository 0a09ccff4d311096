"""Bayesian regularization: Levenberg-Marquardt that estimates the strength of weight decay.

With E_D = Σ r² over the N residuals and E_W = Σ w² over all P trained parameters, it lowers

    F = β E_D + α E_W

Before every step it estimates γ, the number of parameters that the data determine, then α and β:

    γ = P - 2α tr(∇²F)⁻¹ = Σ_i β λ_i / (β λ_i + α),     α = γ / (2 E_W),     β = (N - γ) / (2 E_D)

with ∇²F ≈ 2β JᵀJ + 2α I and λ_i the eigenvalues of JᵀJ. MacKay 1992, Neural
Computation 4, 415 and 448. This is the algorithm of Foresee & Hagan 1997, Proc. ICNN, 1930, except
for the first step: theirs has α = 0, β = 1; here, as in MATLAB's trainbr, α and β are first
estimated with γ = P.

It also reports the log evidence of the network H, by which restarts and sizes can be ranked. F is
minus the logarithm of a posterior: exp(-β E_D) is noise of variance 1/(2β) on each residual, with
the constant (β/π)^(N/2), and exp(-α E_W) a prior of variance 1/(2α) on each parameter, with
(α/π)^(P/2). With A = ½ ∇²F ≈ β JᵀJ + α I, the integral of exp(-F) is exp(-F) π^(P/2) |A|^-½, and

    ln p(D | α, β, H) = -β E_D - α E_W - ½ ln|A| + (P/2) ln α + (N/2) ln(β/π) + ln S
                      = -β E_D - α E_W - ½ Σ_i ln(1 + β λ_i / α) + (N/2) ln(β/π) + ln S

The second form shows that a frozen bias, whose λ is 0, does not count. MacKay 1992, 448; Bishop
1995, Neural Networks for Pattern Recognition, eq. 10.67, with α/2 and β/2 for the α and β here.

- It is exact for a network without hidden layers at the minimum of F, and approximate otherwise.
  It is computed at the parameters before a step, and means something once training has converged.
- S is the number of equivalent minima, of which the integral covers one: M! 2^M for a hidden layer
  of M tanh units (`nn/symmetries.py`). Without it, large networks would be rated too low. Units
  that have decayed to zero, or have become equal, are not counted several times: they add no λ > 0,
  and the integral covers what their symmetries lead to. With them in S, the evidence would rise
  with every useless unit; so it is that of the smallest network that does the same.
- It is that of the given α and β. Bishop's eq. 10.81 also integrates over ln α and ln β, with the
  factors (2/γ)^½ and (2/(N - γ))^½. They hold only where the estimates have converged, and not for
  γ ≥ N. The first changes the difference between two networks by half the logarithm of the ratio
  of their γ: less than 1 unless one has 7 times as many. So they are left out.
- N is rows times outputs. With row weights w_i, E_D is Σ w_i r_i², while N counts every row once,
  and the constant ½ Σ ln w_i is left out: like the scale of the targets, it is the same for all
  networks on the same rows, and the evidence compares only those.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from annotated_types import Gt, doc

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.symmetries import log_symmetries
from bpcli.optimizers.base import (
    POSITIVE,
    Bounds,
    Evaluation,
    Losses,
    Objective,
    Point,
    State,
    StepFailed,
    dot,
)
from bpcli.optimizers.damping import Damped
from bpcli.optimizers.quadratic import Dense

_FEWEST_EFFECTIVE_PARAMS = 1e-3
"""If γ ends below this, the weights have decayed to zero. It is 2α Σ w², so the weights of a unit
have decayed if their part of this sum is below it, too."""


@dataclass(frozen=True)
class BayesianRegularization(Damped):
    """Levenberg-Marquardt that chooses the weight decay, for regression on few, noisy rows.

    It needs no validation set.

    Biases decay like weights. If an estimate of α or β is not positive and finite (all residuals
    are 0, or there are no more residuals than parameters), the previous value is kept.
    """

    formulas = ("(β Jᵀ J + α I + μ I) d = -(β Jᵀ r + α params)", "params ← params + d")
    notation = (
        "J is the Jacobian of the residuals r; α and β are estimated before the step; the "
        "damping μ grows until β Σ r² + α Σ params² falls."
    )

    finds_l2: ClassVar[bool] = True

    # Not relative to JᵀJ, as α and β change it: with a tenth of its largest diagonal entry, one of
    # three trainings in tests/optimizers/ ends in a worse minimum.
    damping: Annotated[float, Gt(0), doc("The initial damping μ.")] = 1e-3

    def init(self, params: Vector) -> State:
        estimate = _Estimate(effective_params=float(len(params)), alpha=0.0, beta=1.0)
        return {**_arrays(estimate, math.nan), **super().init(params)}

    @property
    def bounds(self) -> Mapping[str, Bounds]:
        return {**super().bounds, "alpha": (0, POSITIVE[1]), "beta": POSITIVE}

    def step(
        self, objective: Objective, point: Point, state: State, learning_rate: Array
    ) -> tuple[Point, State]:
        params, losses = point.params, point.losses(objective)
        at = objective.gauss_newton(params)
        trained = np.ones_like(params)
        trained[objective.network.frozen] = 0
        fit = _Fit(
            n_params=len(params) - len(objective.network.frozen),
            n_residuals=objective.n_rows * objective.network.outputs,
            squared_residuals=2 * losses.value / at.scale,
            squared_params=_squares(params * trained),
            eigenvalues=_eigenvalues(at.hessian) / at.scale,
        )
        estimate = _estimate(fit, state)
        log_evidence = _log_evidence(fit, estimate, objective.network, params)
        alpha = estimate.alpha
        beta = estimate.beta / at.scale  # F/2 has the loss times this beta

        def half_of_F(losses: Losses | Evaluation, at: Vector) -> float:  # noqa: N802
            return beta * losses.value + 0.5 * alpha * _squares(at * trained)

        H = at.hessian
        H *= beta
        np.einsum("pp->p", H)[...] += alpha * trained
        grad = beta * at.grad + alpha * (params * trained)
        model = Dense(half_of_F(losses, params), grad, H, 1.0)
        try:
            end, damping = self.descend(objective, half_of_F, model, params, state)
        except StepFailed:
            _refuse_no_parameters(estimate.effective_params)
            raise
        return end, {**_arrays(estimate, log_evidence), **damping}

    def diagnostics(self, state: State, learning_rate: float | None) -> dict[str, float]:
        return {name: value.item() for name, value in state.items()}


class _Fit(NamedTuple):
    """P, N, E_D, E_W and λ at the parameters; frozen biases have λ = 0."""

    n_params: int
    n_residuals: int
    squared_residuals: float
    squared_params: float
    eigenvalues: Vector


class _Estimate(NamedTuple):
    """γ, α and β."""

    effective_params: float
    alpha: float
    beta: float


def _estimate(fit: _Fit, state: State) -> _Estimate:
    """γ with the previous α and β, and the new α and β with this γ."""
    alpha, beta = state["alpha"].item(), state["beta"].item()
    effective = state["effective_params"].item()
    if not alpha:
        effective = float(fit.n_params)
    elif not np.isnan(fit.eigenvalues).any():
        curvature = beta * fit.eigenvalues
        effective = float((curvature / (curvature + alpha)).sum())
    return _Estimate(
        effective,
        _ratio(effective, 2 * fit.squared_params, alpha),
        _ratio(fit.n_residuals - effective, 2 * fit.squared_residuals, beta),
    )


def _log_evidence(fit: _Fit, estimate: _Estimate, network: Network, params: Vector) -> float:
    """The log evidence; NaN while α has no estimate, or if JᵀJ is infinite."""
    _, alpha, beta = estimate
    if not alpha:
        return math.nan
    # Not ln(1 + β λ / α), which overflows if α is very small.
    log_det = (np.log(beta * fit.eigenvalues + alpha) - np.log(alpha)).sum().item()
    F = beta * fit.squared_residuals + alpha * fit.squared_params
    log_S = log_symmetries(network, params, _FEWEST_EFFECTIVE_PARAMS / 2 / alpha)
    return float(0.5 * fit.n_residuals * math.log(beta / math.pi) - F - 0.5 * log_det + log_S)


def _eigenvalues(matrix: Array) -> Vector:
    """The eigenvalues in double precision, rounded ones below 0 as 0; NaN if it is infinite."""
    if not np.isfinite(matrix).all():
        return np.full(len(matrix), np.nan)
    eigenvalues: Vector = np.maximum(np.linalg.eigvalsh(matrix), 0).astype(np.float64)
    return eigenvalues


def _refuse_no_parameters(effective: float) -> None:
    """Raise `StepFailed` if all weights have decayed to 0: a minimum of F that fits no data."""
    if effective < _FEWEST_EFFECTIVE_PARAMS:
        raise StepFailed(
            "no_effective_params",
            "All parameters have decayed to zero, since the data determine none of them: try "
            "another `seed`, fewer hidden units, more rows, or `levenberg_marquardt`.",
        )


def _ratio(numerator: float, denominator: float, otherwise: float) -> float:
    """The ratio if it is positive and finite, else `otherwise`."""
    ratio = numerator / denominator if denominator > 0 else math.inf
    return ratio if 0 < ratio < math.inf else otherwise


def _squares(vector: Vector) -> float:
    """Σ v²."""
    return dot(vector, vector)


def _arrays(estimate: _Estimate, log_evidence: float) -> dict[str, Array]:
    numbers = {**estimate._asdict(), "log_evidence": log_evidence}
    return {name: np.asarray(number) for name, number in numbers.items()}
