"""Temperature scaling, against closed forms, scikit-learn and a minimizer of scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, logit, softmax
from sklearn.linear_model import LogisticRegression

from bpcli.metrics.temperature import temperature, with_temperature
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Bias, Layer, Network
from bpcli.nn.propagation import predict


def network_of(outputs: int, top: str, bias: Bias = "trained") -> Network:
    layers = (Layer(2, 3, ACTIVATIONS["tanh"]()), Layer(3, outputs, ACTIVATIONS[top](), bias))
    return Network(layers, LOSSES["mse"]())


def drawn(probabilities: Array, rng: np.random.Generator) -> Array:
    """Classes (classes, n), one-hot, with the probabilities (classes, n)."""
    chosen = (rng.random(probabilities.shape[1]) > probabilities.cumsum(axis=0)).sum(axis=0)
    Y: Array = np.eye(len(probabilities))[:, chosen]
    return Y


@pytest.mark.parametrize(("size", "share"), [(0.3, 0.75), (4.0, 0.6), (20.0, 0.999)])
def test_two_values_of_z_have_a_temperature_in_closed_form(size: float, share: float) -> None:
    right = round(1000 * share)
    Z = np.repeat([[size, -size]], 1000, axis=1)
    Y = np.tile([1.0] * right + [0.0] * (1000 - right), 2).reshape(1, -1)
    Y[0, 1000:] = 1 - Y[0, 1000:]
    # σ(z / T) is the share of the rows that are right.
    found = temperature(network_of(1, "sigmoid"), Z, Y)
    assert found == pytest.approx(size / logit(share), rel=1e-12)


def test_a_sigmoids_temperature_is_the_coefficient_of_a_logistic_regression() -> None:
    rng = np.random.default_rng(1)
    Z = rng.normal(0, 4, (1, 500))
    Y = (rng.random((1, 500)) < expit(Z / 2.5)).astype(float)
    regression = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12).fit(Z.T, Y[0])
    found = temperature(network_of(1, "sigmoid"), Z, Y)
    assert found == pytest.approx(1 / regression.coef_[0, 0], rel=1e-6)


@pytest.mark.parametrize("factor", [0.4, 3.0])
def test_a_softmax_that_is_too_sure_by_a_factor_gets_it_back(factor: float) -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(0, 2, (4, 40_000))
    Y = drawn(softmax(truth, axis=0), rng)
    Z = factor * truth
    found = temperature(network_of(4, "softmax"), Z, Y)
    assert found == pytest.approx(factor, rel=0.02)

    def loss(beta: float) -> float:
        return -float((Y * log_softmax(beta * Z, axis=0)).sum())

    best = minimize_scalar(loss, bracket=(0.5 / factor, 2 / factor), tol=1e-12)
    assert found == pytest.approx(1 / best.x, rel=1e-6)


def test_labels_have_one_temperature_for_all() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 2, (3, 20_000))
    Y = (rng.random(truth.shape) < expit(truth)).astype(float)
    assert temperature(network_of(3, "sigmoid"), 2 * truth, Y) == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize(
    ("Z", "Y"),
    [
        ([[1.0, -1.0]], [[1.0, 0.0]]),  # all right: the loss falls until T = 0
        ([[1.0, -1.0]], [[0.0, 1.0]]),  # all wrong
        ([[0.0, 0.0]], [[1.0, 0.0]]),  # the same for every T
        ([[math.inf, -1.0]], [[0.0, 1.0]]),
        ([[math.nan, -1.0]], [[0.0, 1.0]]),
    ],
)
def test_without_a_best_temperature_there_is_none(
    Z: list[list[float]], Y: list[list[float]]
) -> None:
    assert temperature(network_of(1, "sigmoid"), np.array(Z), np.array(Y)) is None


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("bias", ["trained", "frozen", "none"])
def test_the_output_layer_is_divided_by_the_temperature(dtype: str, bias: Bias) -> None:
    network = network_of(3, "softmax", bias)
    params = np.random.default_rng(4).normal(size=network.n_params).astype(dtype)
    before = params.copy()
    scaled = with_temperature(network, params, 2.5)
    np.testing.assert_array_equal(params, before)
    assert scaled.dtype == params.dtype
    X = np.random.default_rng(5).normal(size=(50, 2))
    probabilities = predict(network, params, X)
    expected = softmax(np.log(probabilities) / 2.5, axis=1)
    rtol = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(predict(network, scaled, X), expected, rtol=rtol)
    assert (expected.argmax(axis=1) == probabilities.argmax(axis=1)).all()
