"""Isotonic calibration, against closed forms, interpolation by numpy, and known probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from bpcli.metrics.isotonic import (
    Curve,
    calibrated_network,
    fitted_curves,
    with_curves,
    without_curves,
)
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import predict


def network_of(outputs: int, top: str) -> Network:
    layers = (Layer(2, 3, ACTIVATIONS["tanh"]()), Layer(3, outputs, ACTIVATIONS[top]()))
    return Network(layers, LOSSES["mse"]())


ONE = network_of(1, "sigmoid")


def bounded(z: Array) -> Array:
    """The score of a sigmoid output."""
    return z / (1 + np.abs(z))


def only(Z: Array, Y: Array) -> Curve:
    found = fitted_curves(ONE, Z.reshape(1, -1), Y.reshape(1, -1))
    assert found is not None
    return found[0]


def test_two_scores_have_the_shares_of_their_rows() -> None:
    """20 rows at z = -1, of which 4 are true, and 30 at z = 2, of which 24 are."""
    Z = np.repeat([-1.0, 2.0], [20, 30])
    Y = np.concatenate([np.arange(20) < 4, np.arange(30) < 24]).astype(float)
    high, low = 29 / 30, 1 / 24  # Platt's targets: (28 + 1) / (28 + 2) and 1 / (22 + 2)
    shares = np.array([(4 * high + 16 * low) / 20, (24 * high + 6 * low) / 30])
    curve = only(Z, Y)
    np.testing.assert_allclose(curve.corners, [-1 / 2, 2 / 3])
    np.testing.assert_allclose(expit(curve.values), shares, rtol=1e-14)


def least_squares(t: Array) -> Array:
    """The rising fit to t by its formula: max over i ≤ k of min over j ≥ k of mean(t_i … t_j)."""
    n = len(t)
    means = np.array([[t[i : max(i, j) + 1].mean() for j in range(n)] for i in range(n)])
    return np.array([means[: k + 1, k:].min(axis=1).max() for k in range(n)])


@pytest.mark.parametrize("seed", range(5))
def test_flat_stretches_of_the_rising_fit_become_their_centres(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z = np.sort(rng.normal(0, 2, 60))
    y = (rng.random(60) < expit(z)).astype(float)
    positives = y.sum()
    t = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (60 - positives + 2))
    fit = least_squares(t).round(12)
    values = np.unique(fit)
    centres = np.array([bounded(z)[fit == value].mean() for value in values])
    assert np.diff(centres).min() > 1e-3 * np.ptp(centres), "none are pooled"
    order = rng.permutation(60)
    curve = only(z[order], y[order])
    np.testing.assert_allclose(curve.corners, centres, rtol=1e-9)
    np.testing.assert_allclose(expit(curve.values), values, rtol=1e-9)


def drawn_curves(rng: np.random.Generator, low: float, high: float) -> list[Curve]:
    """Curves of 1, 2, 4 and 6 corners."""
    return [
        Curve(np.sort(rng.uniform(low, high, m)), np.sort(rng.normal(-1, 2, m)))
        for m in (1, 2, 4, 6)
    ]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("top", ["sigmoid", "softmax"])
def test_the_network_of_the_curves_is_their_interpolation(top: str, dtype: str) -> None:
    rng = np.random.default_rng(7)
    network = network_of(4, top)
    params = rng.normal(size=network.n_params).astype(dtype)
    X = rng.normal(0, 3, size=(200, 2))
    before = predict(network, params, X).astype(float)
    scores = before if top == "softmax" else bounded(logit(before))
    curves = drawn_curves(rng, *np.quantile(scores, [0.2, 0.8]))
    units = sum(curve.units for curve in curves)
    assert units == 12
    F = np.stack([np.interp(scores[:, k], *curves[k]) for k in range(4)], axis=1)
    expected = softmax(F, axis=1) if top == "softmax" else expit(F)
    for spare in (0, 3):
        grown = calibrated_network(network, units + spare)
        vector = with_curves(network, params, curves, units + spare)
        assert vector.dtype == params.dtype
        tolerance = 1e-10 if dtype == "float64" else 2e-4
        np.testing.assert_allclose(predict(grown, vector, X), expected, atol=tolerance)
        shape, undone = without_curves(grown, vector)
        assert shape == network
        np.testing.assert_array_equal(undone, params)


@pytest.mark.parametrize("outputs", [1, 3])
def test_probabilities_that_were_bent_are_found_again(outputs: int) -> None:
    """Of labels and of one class: true log-odds t, and a network that says z = t³ / 4 - 1."""
    rng = np.random.default_rng(2)
    t = rng.uniform(-2.5, 2.5, (outputs, 20_000))
    Y = (rng.random(t.shape) < expit(t)).astype(float)
    Z = t**3 / 4 - 1
    found = fitted_curves(network_of(outputs, "sigmoid"), Z, Y)
    assert found is not None
    for z, truth, curve in zip(Z, t, found, strict=True):
        p = expit(np.interp(bounded(z), *curve))
        assert np.abs(p - expit(truth)).mean() < 0.02
        assert np.abs(expit(z) - expit(truth)).mean() > 0.1


def test_a_softmax_that_is_too_sure_is_calibrated() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 1.5, (3, 30_000))
    p = softmax(truth, axis=0)
    chosen = (rng.random(p.shape[1]) > p.cumsum(axis=0)).sum(axis=0)
    Y = np.eye(3)[:, chosen]
    found = fitted_curves(network_of(3, "softmax"), 4 * truth, Y)
    assert found is not None
    scores = softmax(4 * truth, axis=0)
    q = np.exp([np.interp(score, *curve) for score, curve in zip(scores, found, strict=True)])
    q /= q.sum(axis=0)

    def log_loss(probability: Array) -> float:
        return -float(np.log(probability[chosen, np.arange(30_000)]).mean())

    assert log_loss(p) < log_loss(q) < log_loss(p) + 0.05
    assert log_loss(scores) > log_loss(p) + 0.5


def test_corners_are_never_so_close_that_rounding_would_matter() -> None:
    rng = np.random.default_rng(4)
    z = np.concatenate([[-50, 50], rng.normal(0, 1e-3, 5000)])
    y = (rng.random(5002) < expit(2e3 * z)).astype(float)
    curve = only(z, y)
    assert np.diff(curve.corners).min() > 1.8e-3, "of a range of 1.96"
    assert (np.diff(curve.values) > 0).all()
    assert np.isfinite(curve.bends).all()


@pytest.mark.parametrize(
    ("z", "y"), [([0.0, 1, 2], [1.0, 1, 1]), ([0.0, 1, 2], [1.0, 0.5, 0]), ([3.0, 3], [0.0, 1])]
)
def test_outcomes_that_do_not_rise_with_the_score_have_a_constant_curve(
    z: list[float], y: list[float]
) -> None:
    curve = only(np.array(z), np.array(y))
    assert curve.units == 0
    assert len(curve.values) == 1
    true, n = sum(value == 1 for value in y), len(y)
    targets = true * (true + 1) / (true + 2) + (n - true) / (n - true + 2)
    assert expit(curve.values) == pytest.approx(targets / n)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_without_finite_scores_there_is_no_curve(wrong: float) -> None:
    assert fitted_curves(ONE, np.array([[wrong, 1.0]]), np.array([[0.0, 1.0]])) is None


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_far_outside_have_the_probability_of_the_last_corner(dtype: str) -> None:
    """Of unbounded scores, the rounding errors of terms that cancel would be all that is left."""
    layers = (Layer(1, 1, ACTIVATIONS["sigmoid"]()),)
    network, params = Network(layers, LOSSES["mse"]()), np.array([1.0, 0.0]).astype(dtype)
    rng = np.random.default_rng(6)
    z = rng.normal(0, 2, (1, 3000))
    found = fitted_curves(network, z, (rng.random(z.shape) < expit(z)).astype(float))
    assert found is not None
    grown = calibrated_network(network, found[0].units)
    vector = with_curves(network, params, found, found[0].units)
    far = np.array([[-1e30], [-1e9], [-1e5], [1e5], [1e9], [1e30]])
    expected = expit(found[0].values[[0, 0, 0, -1, -1, -1]])
    tolerance = 1e-11 if dtype == "float64" else 1e-3
    np.testing.assert_allclose(predict(grown, vector, far)[:, 0], expected, rtol=tolerance)
