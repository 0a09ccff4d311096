"""Intervals of the linearized network, against curve_fit, closed forms and other algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.stats import norm, t

from bpcli.errors import DataError
from bpcli.intervals.linearized import (
    Fit,
    Linearized,
    Spread,
    delta_spread,
    posterior_spread,
    trained_params,
)
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network

RNG = np.random.default_rng
LINEAR = Network((Layer(3, 1, Identity()),), Mse())
"""y = w · x + b, whose least squares have a closed form."""


def curve(x: np.ndarray, *params: float) -> np.ndarray:
    """A 1-2-1 network of tanh units, from its formula: W1, b1 by unit, then W2, b2."""
    w1, b1, w2, b2, v1, v2, b = params
    return v1 * np.tanh(w1 * x + b1) + v2 * np.tanh(w2 * x + b2) + b


def slopes(x: np.ndarray, *params: float) -> np.ndarray:
    """∂curve/∂params (rows, 7)."""
    w1, b1, w2, b2, v1, v2, _ = params
    first, second = np.tanh(w1 * x + b1), np.tanh(w2 * x + b2)
    down1, down2 = v1 * (1 - first**2), v2 * (1 - second**2)
    return np.column_stack([down1 * x, down1, down2 * x, down2, first, second, np.ones_like(x)])


def test_delta_agrees_with_scipys_curve_fit() -> None:
    """Its covariance at the minimum, and the textbook's interval of a new observation."""
    rng = RNG(0)
    x = rng.uniform(-3, 3, 60)
    y = curve(x, 1.5, 1.0, -1.0, 1.5, 2.0, 1.0, 0.5) + rng.normal(0, 0.2, 60)
    start = (1.4, 0.9, -1.1, 1.4, 2.1, 1.1, 0.4)
    best, covariance = curve_fit(curve, x, y, start, jac=slopes, ftol=1e-15, xtol=1e-15)
    new = np.linspace(-4, 4, 9)
    s2 = ((y - curve(x, *best)) ** 2).sum() / (60 - 7)
    g = slopes(new, *best)
    half = t.ppf(0.95, 60 - 7) * np.sqrt(np.einsum("ip,pq,iq->i", g, covariance, g) + s2)

    network = Network((Layer(1, 2, Tanh()), Layer(2, 1, Identity())), Mse())
    J = slopes(x, *best)
    fit = Fit(J.T @ J, np.zeros(7), np.array([s2 * 53]), float((best**2).sum()), 60)
    method = Linearized(network, best, delta_spread(fit, 0.9), np.array([10.0]))
    outputs = 10 * curve(new, *best)[:, np.newaxis]
    low, high = method.bounds(new[:, np.newaxis], outputs)
    np.testing.assert_allclose(high - outputs, 10 * half[:, np.newaxis], rtol=1e-8)
    np.testing.assert_allclose(outputs - low, 10 * half[:, np.newaxis], rtol=1e-8)


def ridge(X: np.ndarray, y: np.ndarray, decay: float) -> tuple[np.ndarray, Fit]:
    """The minimum of Σ r² + decay Σ w², and what it has left; biases do not decay."""
    ones = np.column_stack([X, np.ones(len(X))])
    D = decay * np.array([1.0, 1, 1, 0])
    params = np.linalg.solve(ones.T @ ones + np.diag(D), ones.T @ y)
    squares = np.array([((y - ones @ params) ** 2).sum()])
    return params, Fit(ones.T @ ones, D, squares, float((params**2).sum()), len(X))


@pytest.mark.parametrize("rows", [8, 30])
def test_a_linear_network_covers_exactly_the_level(rows: int) -> None:
    """With normal noise, Student's t is exact: 4,000 new targets, each after training anew."""
    rng, inside = RNG(rows), 0
    true = np.array([1.0, -2.0, 0.5])
    for _ in range(4000):
        X = rng.normal(size=(rows + 1, 3))
        y = X @ true + 3 + rng.normal(0, 0.7, rows + 1)
        params, fit = ridge(X[:-1], y[:-1], 0)
        spread = delta_spread(fit, 0.8)
        method = Linearized(LINEAR, params, spread, np.ones(1))
        low, high = method.bounds(X[-1:], X[-1:] @ params[:3, np.newaxis] + params[3])
        inside += bool(low[0, 0] <= y[-1] <= high[0, 0])
    assert abs(inside / 4000 - 0.8) < 3 * np.sqrt(0.8 * 0.2 / 4000)


def test_weight_decay_counts_the_parameters_that_the_data_determine() -> None:
    rng = RNG(1)
    X = rng.normal(size=(20, 3))
    params, fit = ridge(X, rng.normal(size=20), 7.0)
    A = fit.JTJ + np.diag(fit.decay)
    effective = np.trace(np.linalg.inv(A) @ fit.JTJ)
    assert 1 < effective < 4
    s2 = fit.squared_residuals[0] / (20 - effective)
    spread = delta_spread(fit, 0.9)
    assert spread.noise == pytest.approx([np.sqrt(s2)], rel=1e-12)
    np.testing.assert_allclose(spread.factor @ spread.factor.T, s2 * np.linalg.inv(A), rtol=1e-10)
    assert spread.quantile == pytest.approx(t.ppf(0.95, 20 - effective), rel=1e-12)
    sizes = np.sqrt(np.diag(A))
    assert spread.condition == pytest.approx(np.linalg.cond(A / np.outer(sizes, sizes)), rel=1e-10)
    by_params, _ = Linearized(LINEAR, params, spread, np.ones(1)).parts(X[:2])
    g = np.column_stack([X[:2], np.ones(2)])
    expected = np.sqrt(np.einsum("ip,pq,iq->i", g, s2 * np.linalg.inv(A), g))
    np.testing.assert_allclose(by_params[:, 0], expected, rtol=1e-10)


def test_small_units_of_a_parameter_change_nothing() -> None:
    """A parameter in units of 1e-12 has another variance, and no output has."""
    fit = Fit(np.array([[4.0, 1.0], [1.0, 2.0]]), np.zeros(2), np.array([3.0]), 1.0, 10)
    units = np.array([1.0, 1e-12])
    small = fit._replace(JTJ=fit.JTJ * np.outer(units, units))
    one, other = delta_spread(fit, 0.9), delta_spread(small, 0.9)
    assert other.condition == pytest.approx(one.condition)
    found = other.factor @ other.factor.T * np.outer(units, units)
    np.testing.assert_allclose(found, one.factor @ one.factor.T, rtol=1e-12)


def test_with_weight_decay_what_nothing_determines_is_left_out_and_counted() -> None:
    """Two biases of which only the sum matters: their sum keeps its variance, s²/n."""
    JTJ = np.array([[10.0, 10, 0], [10, 10, 0], [0, 0, 5]])
    fit = Fit(JTJ, np.array([0.0, 0, 5]), np.array([4.0]), 1.0, 10)
    spread = delta_spread(fit, 0.9)
    assert spread.left_out == 1
    s2 = 4 / (10 - 1 - 0.5)  # the sum of the biases, and half a weight
    assert spread.noise == pytest.approx([np.sqrt(s2)])
    g = np.array([1.0, 1, 0])
    assert g @ spread.factor @ spread.factor.T @ g == pytest.approx(s2 / 10)


def test_each_output_has_its_own_noise_and_the_mean_of_them_moves_the_parameters() -> None:
    fit = Fit(np.diag([4.0, 1.0]), np.zeros(2), np.array([9.0, 27.0]), 1.0, 10)
    spread = delta_spread(fit, 0.5)
    assert spread.noise == pytest.approx([1, np.sqrt(3)])  # 9 degrees of freedom: 10 - 2/2
    np.testing.assert_allclose(spread.factor @ spread.factor.T, np.diag([0.5, 2.0]))


def test_the_posterior_is_where_its_estimates_stay() -> None:
    """α, β and γ solve MacKay's equations; the covariance is the inverse of β JᵀJ + α I, halved."""
    rng = RNG(2)
    X = rng.normal(size=(40, 3))
    _, fit = ridge(X, X @ np.array([1.0, 0, 0.1]) + rng.normal(0, 0.3, 40), 0.5)
    spread = posterior_spread(fit, 0.9)
    beta = 1 / (2 * spread.noise[0] ** 2)
    effective = 40 - 2 * beta * fit.squared_residuals[0]
    alpha = effective / (2 * fit.squared_params)
    A = beta * fit.JTJ + alpha * np.eye(4)
    assert effective == pytest.approx(4 - alpha * np.trace(np.linalg.inv(A)), rel=1e-9)
    np.testing.assert_allclose(
        spread.factor @ spread.factor.T, np.linalg.inv(2 * A), rtol=1e-9, atol=1e-15
    )
    assert spread.quantile == pytest.approx(norm.ppf(0.95))
    assert spread.condition == pytest.approx(np.linalg.cond(A), rel=1e-9)


def test_frozen_biases_have_no_uncertainty() -> None:
    network = Network((Layer(2, 1, Identity(), bias="frozen"),), Mse())
    assert trained_params(network).tolist() == [0, 1]
    method = Linearized(
        network, np.array([1.0, 2.0, 5.0]), Spread(np.eye(2), np.zeros(1), 1.0, 1.0), np.ones(1)
    )
    by_params, _ = method.parts(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert by_params[:, 0].tolist() == [5, 0]


def test_many_rows_are_taken_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    params, X = np.array([1.0, 2.0, 3.0, 4.0]), RNG(3).normal(size=(10, 3))
    spread = Spread(RNG(4).normal(size=(4, 4)), np.ones(1), 1.0, 1.0)
    whole = Linearized(LINEAR, params, spread, np.ones(1)).parts(X)[0]
    monkeypatch.setattr("bpcli.intervals.linearized._NUMBERS_AT_ONCE", 12)
    pieces = Linearized(LINEAR, params, spread, np.ones(1)).parts(X)[0]
    np.testing.assert_allclose(pieces, whole, rtol=1e-14)


@pytest.mark.parametrize(
    ("fit", "why"),
    [
        (Fit(np.diag([1.0, 0.0]), np.zeros(2), np.ones(1), 1.0, 9), "do not determine all 2"),
        (Fit(np.ones((2, 2)), np.zeros(2), np.ones(1), 1.0, 9), "rank-deficient"),
        (Fit(np.diag([1.0, np.nan]), np.zeros(2), np.ones(1), 1.0, 9), "is not finite"),
        (Fit(np.eye(2), np.zeros(2), np.ones(1), 1.0, 2), "2 training rows are too few for the 2 "),
    ],
)
def test_what_the_delta_method_cannot_do_is_said(fit: Fit, why: str) -> None:
    with pytest.raises(DataError, match=why):
        delta_spread(fit, 0.9)


@pytest.mark.parametrize(
    "fit",
    [
        Fit(np.eye(2), np.zeros(2), np.zeros(1), 1.0, 9),
        Fit(np.eye(2), np.zeros(2), np.ones(1), 0.0, 9),
        Fit(np.zeros((2, 2)), np.zeros(2), np.ones(1), 1.0, 9),
        Fit(np.eye(2), np.zeros(2), np.ones(1), 1.0, 2),
    ],
    ids=["no residual", "no weight", "no slope", "too few rows"],
)
def test_a_posterior_without_an_estimate_is_refused(fit: Fit) -> None:
    with pytest.raises(DataError, match="the data determine no α and β"):
        posterior_spread(fit, 0.9)
